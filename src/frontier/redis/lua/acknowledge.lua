-- Ends entries of the stream: each acts once, where it was pending and is deleted now.
-- ARGV: for each its number, whether a page was stored, whether the URL stays open; then of such a URL its crawl, priority,
-- due and packed text.
local refused = enter()
if refused then return refused end
let_idle_leave()

local function settle(id, stored, open)
  local lag = redis.call('HGET', P .. 'lag', id)
  -- A stranger wrote it: nothing here is about it.
  if not lag then return end
  redis.call('HDEL', P .. 'lag', id)
  local crawl, number, weight, _, name = string.match(lag, '^(%S+) (%S+) (%S+) (%S+) (.*)$')
  C.lag = C.lag - 1
  C.lag_bytes = C.lag_bytes - tonumber(weight)
  local host = load_host(name)
  if number == '-' then
    host.notes = host.notes - 1
  else
    redis.call('HDEL', P .. 'handed', number)
    forget(number)
    if C.refill_until > now then redis.call('SADD', P .. 'settled', number) end
    C.handed = C.handed - 1
    host.handed = host.handed - 1
    fly(crawl, -1)
    if stored then redis.call('HINCRBY', P .. 'c:' .. crawl, 'stored', 1) end
    if open then
      know(known_as(name, open[1], open[4]))
      push_back(host, open[1], tonumber(open[2]), inward(open[3]), open[4])
    end
  end
end

local i = 4
while i <= #ARGV do
  local id, stored, open = ARGV[i], ARGV[i + 1] == '1', nil
  if ARGV[i + 2] == '1' then
    open = {ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]}
    i = i + 4
  end
  i = i + 3
  local pending = redis.call('XACK', P .. 'stream', 'storage', id .. '-0')
  if pending == 1 and redis.call('XDEL', P .. 'stream', id .. '-0') == 1 then settle(id, stored, open) end
end
for _, host in pairs(hosts) do save(host) end
leave()
return 1
