-- Hosts that ran low and have more in the store; those that may not be asked yet only where nothing of them is queued.
-- ARGV: most.
local refused = enter()
if refused then return refused end
local answer = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', P .. 'low', '-inf', now, 'LIMIT', 0, tonumber(ARGV[4]))) do
  local host = load_host(name)
  if host then answer[#answer + 1] = {name, size_of(host), math.max(0, C[MAX_HOST] - size_of(host))} end
end
return answer
