-- What hosts asked for, as the store holds it.
-- ARGV: for each a host, its block, delay and strikes.
local refused = enter()
if refused then return refused end
for i = 4, #ARGV, 4 do
  local pace = struct.pack('<ddI4', inward(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]))
  redis.call('HSET', P .. 'paces', ARGV[i], pace)
end
return 1
