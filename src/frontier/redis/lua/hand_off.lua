-- Appends reports, moves their URLs from their leases to those handed over, sets their hosts' next due times; each all or nothing.
-- ARGV: whether this is said again after a lost answer, then for each the host, token, crawl, how the URL reads, due, whether
-- the lease ends, the report and its weight, then a note (empty for none), its crawl, block, delay and strikes.
-- Answers: a digit for each, 1 where it was taken, 2 where it was and the crawl does not run any more, 0 where the token is stale.
local refused = enter()
if refused then return refused end
local ARGS = 13

local function reads_as(held, crawl, text)
  return string.sub(held, 15 + string.byte(held, 14) % SUSPECT) == text
    and string.format('%d', (struct.unpack('<d', held))) == crawl
end

-- Whether the URL was in the lease, which it leaves. It is the first, as a rule: visits go in their order.
local function take(lease, crawl, text)
  local first = redis.call('LINDEX', lease, 0)
  if not first then return false end
  if reads_as(first, crawl, text) then return redis.call('LPOP', lease) end
  for _, held in ipairs(redis.call('LRANGE', lease, 1, -1)) do
    if reads_as(held, crawl, text) then return redis.call('LREM', lease, 1, held) end
  end
  return false
end

local function hand_off(name, token, crawl, text, due, ends, payload, weight, note, ...)
  local host, runs = holder(name, tonumber(token))
  local number = known_as(name, crawl, '\0' .. text)
  if not (host and runs and take(P .. 'x:' .. token, crawl, text)) then
    local id = ARGV[4] == '1' and redis.call('HGET', P .. 'lag', number)
    local about = id and redis.call('HGET', P .. 'lag', id)
    -- The answer was lost and not the report: it is in the stream under this very token.
    return about and string.match(about, '^%S+ %S+ %S+ (%S+)') == token and '1' or '0'
  end
  C[LEASED] = C[LEASED] - 1
  C[HANDED] = C[HANDED] + 1
  host.leased = host.leased - 1
  host.handed = host.handed + 1
  append(host, crawl, number, tonumber(weight), 'r', payload)
  host.due = math.max(host.due, inward(due))
  if #note > 0 then append_note(host, note, ...) end
  if ends == '1' or host.leased == 0 then end_lease(host) end
  save(host)
  return crawl_of(crawl).state == 'running' and '1' or '2'
end

local said = {}
for i = 5, #ARGV, ARGS do said[#said + 1] = hand_off(unpack(ARGV, i, i + ARGS - 1)) end
finish()
return table.concat(said)
