-- Appends a report, moves its URL from the lease to those handed over, sets the host's next due time; all or nothing. Answers
-- 1 where that was done, 2 where the crawl does not run any more, 0 where the token is stale.
-- ARGV: host, token, crawl, how the URL reads, due, whether the lease ends, the report, whether this is said again after
-- a lost answer, then a note (empty for none), its crawl, block, delay and strikes.
local refused = enter()
if refused then return refused end
local name, token, crawl, text, payload = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7], ARGV[10]
local lease = P .. 'x:' .. ARGV[5]
local host, runs = holder(name, token)
local found
if host and runs then
  for _, one in ipairs(redis.call('LRANGE', lease, 0, -1)) do
    if string.format('%.0f', (struct.unpack('<d', one))) == crawl and text_of(string.sub(one, 15)) == text then
      found = one
      break
    end
  end
end
local number = known_as(name, crawl, '\0' .. text)
if not found then
  local id = ARGV[11] == '1' and redis.call('HGET', P .. 'handed', number)
  local lag = id and redis.call('HGET', P .. 'lag', id)
  -- The answer was lost and not the report: it is in the stream under this very token.
  return lag and string.match(lag, '^%S+ %S+ %S+ (%S+)') == ARGV[5] and 1 or 0
end
redis.call('LREM', lease, 1, found)
C.leased = C.leased - 1
C.handed = C.handed + 1
host.leased = host.leased - 1
host.handed = host.handed + 1
append(host, crawl, number, #payload, 'r', payload)
host.due = math.max(host.due, inward(ARGV[8]))
if #ARGV[12] > 0 then append_note(host, ARGV[13], ARGV[12], ARGV[14], ARGV[15], ARGV[16]) end
if ARGV[9] == '1' or host.leased == 0 then end_lease(host) end
save(host)
leave()
return crawl_of(crawl).state == 'running' and 1 or 2
