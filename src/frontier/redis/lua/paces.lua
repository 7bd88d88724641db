-- What hosts asked for, as the store holds it: each goes by the slower of that and what is known of it here.
-- ARGV: for each a host, its block, delay and strikes.
local refused = enter()
if refused then return refused end

local function learn(of, block, delay, strikes)
  of.block, of.delay, of.strikes = math.max(of.block, block), math.max(of.delay, delay), math.max(of.strikes, strikes)
end

for i = 4, #ARGV, 4 do
  local name, block, delay, strikes = ARGV[i], inward(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local host = load_host(name)
  if host then
    learn(host, block, delay, strikes)
    save(host)
  else
    local pace = {block = -1, delay = -1, strikes = 0}
    local kept = redis.call('HGET', P .. 'paces', name)
    if kept then pace.block, pace.delay, pace.strikes = struct.unpack('<ddI4', kept) end
    learn(pace, block, delay, strikes)
    redis.call('HSET', P .. 'paces', name, struct.pack('<ddI4', pace.block, pace.delay, pace.strikes))
  end
end
leave()
return 1
