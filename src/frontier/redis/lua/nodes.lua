-- The nodes of the installation, in its first shard.
-- ARGV: 'seen', a node, its process, its leases and reports: answers whether it is to leave; or 'drain' and a node: answers
-- whether it is known; or 'all'.
local HOUR = 3600000000
local refused = enter()
if refused then return refused end
if ARGV[4] == 'seen' then
  local said = table.concat({ARGV[6], string.format('%d', now), ARGV[7], ARGV[8]}, ' ')
  redis.call('HSET', P .. 'nodes', ARGV[5], said)
  return redis.call('HGET', P .. 'draining', ARGV[5]) == ARGV[6] and 1 or 0
end
local answer = {}
local all = redis.call('HGETALL', P .. 'nodes')
for i = 1, #all, 2 do
  local process, seen, leases, handed = string.match(all[i + 1], '^(%S+) (%S+) (%S+) (%S+)$')
  local known = tonumber(seen) + HOUR > now
  if not known then
    redis.call('HDEL', P .. 'nodes', all[i])
    redis.call('HDEL', P .. 'draining', all[i])
  elseif ARGV[4] == 'drain' and all[i] == ARGV[5] then
    redis.call('HSET', P .. 'draining', all[i], process)
    return 1
  else
    local leaves = redis.call('HGET', P .. 'draining', all[i]) == process and 1 or 0
    answer[#answer + 1] = {all[i], outward(tonumber(seen)), leases, handed, leaves}
  end
end
if ARGV[4] == 'drain' then return 0 end
return answer
