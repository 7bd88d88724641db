-- The rules of a crawl.
-- ARGV: crawl, then 'get', the list of seeds that the caller has read, how many of it, and how many more at most; or
-- 'publish' and the settings; or 'open', the most seeds there may be, and pairs of a seed and its kind.
-- Answers: the version; to 'get' also the list, the settings and the seeds that are new to the caller.
local refused = enter()
if refused then return refused end
local rules, seeds = P .. 'rules:' .. ARGV[4], P .. 'seeds:' .. ARGV[4]
if ARGV[5] == 'get' then
  local got = redis.call('HMGET', rules, 'version', 'list', 'settings')
  if not got[1] then return {} end
  local from = got[2] == ARGV[6] and tonumber(ARGV[7]) or 0
  return {got[1], got[2], got[3] or '', redis.call('LRANGE', seeds, from, from + tonumber(ARGV[8]) - 1)}
end
-- A list is known by the time when it began, in milliseconds, and its versions begin there: rules that were let go and come
-- again are newer than what a node has kept of them, and their seeds may stand in another order.
if redis.call('EXISTS', rules) == 0 then
  local began = string.format('%.0f', math.floor(now / 1000))
  redis.call('HSET', rules, 'version', began, 'list', began)
end
if ARGV[5] == 'publish' then
  if (redis.call('HGET', rules, 'settings') or '') ~= ARGV[6] then
    redis.call('HSET', rules, 'settings', ARGV[6])
    redis.call('HINCRBY', rules, 'version', 1)
  end
else
  local known, new, mine = P .. 'known:' .. ARGV[4], {}, {}
  for i = 7, #ARGV, 2 do
    local seed = ARGV[i + 1] .. ' ' .. ARGV[i]
    if not mine[seed] and redis.call('SISMEMBER', known, seed) == 0 then
      mine[seed] = true
      new[#new + 1] = seed
    end
  end
  if redis.call('LLEN', seeds) + #new > tonumber(ARGV[6]) then return redis.error_reply('HMFULL more seeds than a crawl may have') end
  for _, seed in ipairs(new) do
    redis.call('SADD', known, seed)
    redis.call('RPUSH', seeds, seed)
  end
  if #new > 0 then redis.call('HINCRBY', rules, 'version', 1) end
end
return {redis.call('HGET', rules, 'version')}
