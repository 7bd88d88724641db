-- Ends entries of the stream: each acts once, where what it has to undo is still noted.
-- ARGV: for each its number, whether a page was stored, whether the URL stays open; then of such a URL its crawl, priority,
-- due and packed text.
local refused = enter()
if refused then return refused end
let_idle_leave()

local acks, ids, entries = {}, {}, {}
local i = 4
while i <= #ARGV do
  local ack = {stored = ARGV[i + 1] == '1'}
  acks[#acks + 1], ids[#ids + 1], entries[#entries + 1] = ack, ARGV[i], ARGV[i] .. '-0'
  if ARGV[i + 2] == '1' then
    ack.open = {ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]}
    i = i + 4
  end
  i = i + 3
end

local function settle(ack, about)
  local crawl, number, weight, _, name = string.match(about, '^(%S+) (%S+) (%S+) (%S+) (.*)$')
  C[LAG] = C[LAG] - 1
  C[LAG_BYTES] = C[LAG_BYTES] - tonumber(weight)
  local host = load_host(name)
  if number == '-' then
    host.notes = host.notes - 1
    return
  end
  ids[#ids + 1] = number
  forget(number)
  if C[REFILL_UNTIL] > now then redis.call('SADD', P .. 'settled', number) end
  C[HANDED] = C[HANDED] - 1
  host.handed = host.handed - 1
  fly(crawl, -1)
  if ack.stored then stored[crawl] = (stored[crawl] or 0) + 1 end
  local open = ack.open
  if open then
    know(known_as(name, open[1], open[4]))
    push_back(host, open[1], tonumber(open[2]), inward(open[3]), open[4])
  end
end

if #acks > 0 then
  local noted = redis.call('HMGET', P .. 'lag', unpack(ids))
  local settled = {}
  for at, ack in ipairs(acks) do
    -- Of what a stranger wrote nothing is noted; of what was acknowledged before, nothing any more.
    if noted[at] and not settled[ids[at]] then settle(ack, noted[at]) end
    settled[ids[at]] = true
  end
  redis.call('HDEL', P .. 'lag', unpack(ids))
  redis.call('XACK', P .. 'stream', 'storage', unpack(entries))
  redis.call('XDEL', P .. 'stream', unpack(entries))
end
for _, host in pairs(hosts) do save(host) end
finish()
return 1
