-- Queues URLs unless they are known, as far as there is room.
-- ARGV: 'admit', 'refill' or 'refuse' (memory is full: nothing is queued, the hosts are marked as cut short); whether a
-- refill is complete; then runs of URLs of one host: the host, whether it is this machine, how many, and of each URL its
-- crawl, priority, due and packed text.
-- Answers: a digit for each URL, 1 where it was queued; then an x where a refill was cut short.
-- Crawls times priorities that may queue at one host.
local LINES = 200
local refused = enter()
if refused then return refused end
let_idle_leave()
local refills, refuses = ARGV[4] == 'refill', ARGV[4] == 'refuse'
local said, touched = {}, {}

local function has_no_room(host)
  return C[QUEUED] + C[LEASED] + C[HANDED] >= C[MAX_URLS] or size_of(host) >= C[MAX_HOST] or #host.lines >= LINES
end

-- Whether the URL was queued; nil where it is known.
local function admit(host, crawl, priority, due, body)
  if refuses then
    host.short = true
    return false
  end
  local number = known_as(host.name, crawl, body)
  if refills and C[REFILL_UNTIL] > now and redis.call('SISMEMBER', P .. 'settled', number) == 1 then return nil end
  local refused = (host.short and not refills) or has_no_room(host)
  if refused and is_known(number) or not refused and not know(number) then return nil end
  -- A host whose tail is in SQL takes no newcomer past that tail: the refill keeps the order.
  if refused then
    host.short = true
    return false
  end
  push_back(host, crawl, tonumber(priority), inward(due), body)
  return true
end

local i = 6
while i <= #ARGV do
  local host, count = host_of(ARGV[i], ARGV[i + 1]), tonumber(ARGV[i + 2])
  touched[host] = true
  i = i + 3
  local cut = false
  for at = i, i + 4 * (count - 1), 4 do
    local queued = not (refills and cut) and admit(host, ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    cut = cut or queued == false
    said[#said + 1] = queued and '1' or '0'
  end
  if refills then host.short = ARGV[5] ~= '1' or cut end
  i = i + 4 * count
  if cut and refills then said[#said + 1] = 'x' end
end
for host in pairs(touched) do save(host) end
leave()
return table.concat(said)
