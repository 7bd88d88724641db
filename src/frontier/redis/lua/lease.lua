-- Takes back what expired and leases hosts that are due, the longest due first.
-- ARGV: hosts asked for, then pairs of a crawl and what of its budget other shards have used.
-- Answers: the next event, whether a crawl has a budget, then the leases.
local REAPED = 16
local PARKED = 64
local QUARANTINE = 3
local SEVERAL = 16
local RIPENED = 256
local DOMAIN_SHARE = 8

local refused = enter() or silent()
if refused then return refused end
local asked = tonumber(ARGV[4])
for i = 5, #ARGV, 2 do crawl_of(ARGV[i]).elsewhere = tonumber(ARGV[i + 1]) end

-- Takes back one expired lease: its URLs come back marked; one alone in the third in a row is reported.
local function expire(token, expiry)
  local host = load_host(redis.call('HGET', P .. 'tokens', token))
  host.due = math.max(host.due, expiry + math.max(delay_of(host), GUARD))
  local lease = P .. 'x:' .. token
  local held = redis.call('LRANGE', lease, 0, -1)
  local alone = #held == 1 and 1 or 0
  redis.call('DEL', lease)
  for _, one in ipairs(held) do
    local length = string.byte(one, 14) % SUSPECT
    local suspect = math.max(math.floor(string.byte(one, 14) / SUSPECT), 1) + alone
    if alone == 1 and suspect > QUARANTINE then
      local crawl = string.format('%d', (struct.unpack('<d', one)))
      C[LEASED] = C[LEASED] - 1
      C[HANDED] = C[HANDED] + 1
      host.handed = host.handed + 1
      append(host, crawl, known_as(host.name, crawl, string.sub(one, 14)), #one,
        'q', one, 'h', host.name, 't', token, 'a', outward(now))
    else
      redis.call('RPUSH', lease, string.sub(one, 1, 13) .. string.char(suspect * SUSPECT + length) .. string.sub(one, 15))
    end
  end
  end_lease(host)
  save(host)
end

local function ripen(line)
  local ripe = redis.call('ZRANGEBYSCORE', P .. 'l:' .. line.key, '-inf', now, 'LIMIT', 0, RIPENED)
  for _, entry in ipairs(ripe) do
    redis.call('ZREM', P .. 'l:' .. line.key, entry)
    redis.call('ZADD', P .. 'r:' .. line.key, (struct.unpack('>i4', entry)), entry)
  end
  line.later = line.later - #ripe
  line.ripe = line.ripe + #ripe
end

local function item(line, entry)
  return struct.pack('<dB', tonumber(line.crawl), line.priority) .. entry
end

-- The usual case: one line whose URLs are all in their order.
local function take_from_one(line, most)
  local taken = {}
  for i, entry in ipairs(redis.call('LRANGE', P .. 'q:' .. line.key, 0, most - 1)) do
    local suspect = string.byte(entry, 5) >= SUSPECT
    if suspect and i > 1 then break end
    taken[i] = item(line, entry)
    if suspect then break end
  end
  if #taken > 0 then redis.call('LPOP', P .. 'q:' .. line.key, #taken) end
  line.listed = line.listed - #taken
  return taken
end

-- The first ready URL of a line, whether it is listed, and its place.
local function head(line)
  local listed = line.listed > 0 and redis.call('LINDEX', P .. 'q:' .. line.key, 0)
  local ripe = line.ripe > 0 and redis.call('ZRANGE', P .. 'r:' .. line.key, 0, 0)[1]
  local listed_at = listed and (struct.unpack('>i4', listed)) or math.huge
  local ripe_at = ripe and (struct.unpack('>i4', ripe)) or math.huge
  if listed_at < ripe_at then return listed, true, listed_at end
  return ripe, false, ripe_at
end

local function take_from_several(lines, most, rooms)
  local taken = {}
  while #taken < most do
    local best, entry, is_listed, place
    for _, line in ipairs(lines) do
      if line.listed + line.ripe > 0 and rooms[line.crawl] > 0 then
        local one, listed, at = head(line)
        local better = not best or line.priority > best.priority or (line.priority == best.priority and at < place)
        if better then best, entry, is_listed, place = line, one, listed, at end
      end
    end
    if not best then break end
    local suspect = string.byte(entry, 5) >= SUSPECT
    if suspect and #taken > 0 then break end
    if is_listed then
      redis.call('LPOP', P .. 'q:' .. best.key)
      best.listed = best.listed - 1
    else
      redis.call('ZREM', P .. 'r:' .. best.key, entry)
      best.ripe = best.ripe - 1
    end
    taken[#taken + 1] = item(best, entry)
    rooms[best.crawl] = rooms[best.crawl] - 1
    if suspect then break end
  end
  return taken
end

-- Up to `most` URLs that are due, and of each crawl as many as it may use; one from an expired lease comes alone.
local function take(host, most)
  local rooms, dropped = {}, 0
  for _, line in ipairs(host.lines) do
    local crawl = crawl_of(line.crawl)
    rooms[line.crawl] = left_of(crawl)
    if crawl.state == 'cancelled' then
      dropped = dropped + drop(host, line)
    elseif line.later > 0 then
      ripen(line)
    end
  end
  local taken
  local line = host.lines[1]
  if #host.lines == 1 and line.ripe == 0 then
    local room = math.min(most, rooms[line.crawl])
    taken = room > 0 and line.listed > 0 and take_from_one(line, room) or {}
  else
    taken = take_from_several(host.lines, most, rooms)
  end
  drop_empty_lines(host)
  return taken, dropped
end

-- Whether it is the host's turn among those of its registrable domain; where it is not, its turn is fixed and the host waits for
-- it. The domain as a whole is asked DOMAIN_SHARE times as often as one of its hosts that asks for no delay.
local function has_turn(host)
  local gap = math.floor(own_delay_of(host) / DOMAIN_SHARE)
  if host.domain == 0 or gap == 0 then return true end
  if host.turn then
    host.turn = false
    return true
  end
  local domain = string.match(string.sub(host.name, host.domain), '^[^:]*')
  local at = tonumber(redis.call('ZSCORE', P .. 'turns', domain) or '0')
  redis.call('ZADD', P .. 'turns', math.max(at, now) + gap, domain)
  if at <= now then return true end
  host.due = math.max(host.due, at)
  host.turn = true
  save(host)
  return false
end

local function lease_host(host)
  if not has_turn(host) then return end
  local several = delay_of(host) == 0 or host.strikes > 0
  local taken, dropped = take(host, math.min(several and SEVERAL or 1, stream_room()))
  if #taken == 0 then
    if dropped > 0 then return save(host) end
    -- Due, and nothing of it may be leased: it waits for other settings or for room in a budget.
    redis.call('ZREM', P .. 'due', host.name)
    redis.call('ZADD', P .. 'parked', now, host.name)
    host.parked = true
    host.agenda = -1
    return write(host)
  end
  C[QUEUED] = C[QUEUED] - #taken
  C[LEASED] = C[LEASED] + #taken
  local urls, versions = {}, {}
  for _, one in ipairs(taken) do
    local crawl = string.format('%d', (struct.unpack('<d', one)))
    if not urls[crawl] then
      versions[#versions + 1] = crawl
      versions[#versions + 1] = crawl_of(crawl).version
    end
    urls[crawl] = (urls[crawl] or 0) + 1
  end
  for crawl, count in pairs(urls) do fly(crawl, count) end
  local token = hold(host, taken)
  save(host)
  return {host.name, string.format('%d', token), outward(now + C[LEASE]), outward(host.block),
    string.format('%d', host.delay), host.strikes, string.format('%d', own_delay_of(host)), taken, versions}
end

local expired = redis.call('ZRANGEBYSCORE', P .. 'expiries', '-inf', now, 'WITHSCORES', 'LIMIT', 0, REAPED)
for i = 1, #expired, 2 do expire(expired[i], tonumber(expired[i + 1])) end
redis.call('ZREMRANGEBYSCORE', P .. 'turns', '-inf', now)
local answer = {outward(NEVER), C[BUDGETS]}
if stream_room() > 0 then
  for _ = 1, PARKED do
    if C[UNPARK] == 0 then break end
    local name = redis.call('ZRANGE', P .. 'parked', 0, 0)[1]
    if name then save(load_host(name)) else C[UNPARK] = 0 end
  end
  local looks = asked + PARKED
  while #answer - 2 < asked and looks > 0 and stream_room() > 0 do
    local most = math.min(asked - (#answer - 2), looks)
    local due = redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, most)
    if #due == 0 then break end
    looks = looks - #due
    for _, name in ipairs(due) do
      if stream_room() == 0 then break end
      answer[#answer + 1] = lease_host(load_host(name))
    end
  end
  local next_due = tonumber(redis.call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2] or NEVER)
  if next_due <= now then next_due = NEVER end
  local expiry = tonumber(redis.call('ZRANGE', P .. 'expiries', 0, 0, 'WITHSCORES')[2] or NEVER)
  answer[1] = outward(math.min(next_due, expiry))
end
finish()
return answer
