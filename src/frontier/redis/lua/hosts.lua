-- Hosts and their queues. A host is one packed field of the hash `hosts`; its URLs stand in lines, one for each crawl
-- and priority: `q:` a list in order of place, `r:` those that became due out of that order, `l:` those not due yet.
-- A queued URL is its place (4 bytes) and what the adapter packed, which begins with the length of what belongs to this visit;
-- above that length, in units of SUSPECT, stands its count of expired leases plus one (0 for none).
local SUSPECT = 64
local HOST = '<ddddddI4I4I4I4i4i4BBB'
local NAME_SEPARATOR = '\0'
local FAR = 2000000
local GUARD = 1000000

local hosts = {}
local crawls = {}
-- What changed for each crawl: URLs leased or handed over, pages stored. Written once, by `finish`.
local flown = {}
local stored = {}

-- A crawl as far as leasing goes: what it may use. One that was never told of, or that was let go, is none.
local function crawl_of(id)
  local crawl = crawls[id]
  if not crawl then
    local got = redis.call('HMGET', P .. 'c:' .. id, 'state', 'max', 'stored', 'flight', 'version')
    crawl = {
      id = id, state = got[1] or 'cancelled', max = tonumber(got[2] or '-1'), stored = tonumber(got[3] or '0'),
      flight = tonumber(got[4] or '0'), version = got[5] or '0', elsewhere = 0,
    }
    crawls[id] = crawl
  end
  return crawl
end

local function left_of(crawl)
  if crawl.state ~= 'running' then return 0 end
  if crawl.max < 0 then return math.huge end
  return math.max(0, crawl.max - crawl.stored - crawl.flight - (flown[crawl.id] or 0) - crawl.elsewhere)
end

local function fly(id, urls)
  flown[id] = (flown[id] or 0) + urls
  if urls < 0 then C[UNPARK] = 1 end
end

-- The end of every script that changes what is leased, handed over or stored.
local function finish()
  for id, urls in pairs(flown) do
    if urls ~= 0 then redis.call('HINCRBY', P .. 'c:' .. id, 'flight', urls) end
  end
  for id, pages in pairs(stored) do redis.call('HINCRBY', P .. 'c:' .. id, 'stored', pages) end
  leave()
end

local function own_delay_of(host)
  if host.loopback == 0 then return math.max(C[FIXED_DELAY], C[AUTO_DELAY]) end
  return C[FIXED_DELAY]
end

local function delay_of(host)
  return math.max(own_delay_of(host), host.delay)
end

local function load_host(name)
  local host = hosts[name]
  if host ~= nil then return host end
  local raw = redis.call('HGET', P .. 'hosts', name)
  if not raw then return nil end
  local due, block, delay, wanted, agenda, token, strikes, notes, handed, leased, front, back, flags, domain, lines, at =
    struct.unpack(HOST, raw)
  -- All fields at once: a table that grows field by field is made anew again and again.
  host = {
    name = name, due = due, block = block, delay = delay, wanted = wanted, agenda = agenda, token = token, strikes = strikes,
    notes = notes, handed = handed, leased = leased, front = front, back = back, loopback = flags % 2,
    short = math.floor(flags / 2) % 2 == 1, parked = math.floor(flags / 4) % 2 == 1, low = math.floor(flags / 8) % 2 == 1,
    far = math.floor(flags / 16) % 2 == 1, blocked = math.floor(flags / 32) % 2 == 1, turn = math.floor(flags / 64) % 2 == 1,
    domain = domain, lines = {},
  }
  for i = 1, lines do
    local crawl, priority, listed, ripe, later
    crawl, priority, listed, ripe, later, at = struct.unpack('<dBI4I4I4', raw, at)
    crawl = string.format('%d', crawl)
    local key = priority .. ':' .. crawl .. ':' .. name
    host.lines[i] = {crawl = crawl, priority = priority, listed = listed, ripe = ripe, later = later, key = key}
  end
  hosts[name] = host
  return host
end

-- The host, made anew with the pace it left with where it is not here. `kind` says whether it is this machine (1), and above that
-- where in its name its registrable domain begins (0 for none).
local function host_of(name, kind)
  local host = load_host(name)
  if host then return host end
  host = {
    name = name, block = -1, delay = -1, wanted = 0, agenda = -1, token = 0, strikes = 0, notes = 0, handed = 0,
    leased = 0, front = 0, back = 0, loopback = tonumber(kind) % 2, domain = math.floor(tonumber(kind) / 2), lines = {},
  }
  local pace = redis.call('HGET', P .. 'paces', name)
  if pace then
    redis.call('HDEL', P .. 'paces', name)
    host.block, host.delay, host.strikes = struct.unpack('<ddI4', pace)
  end
  host.due = now
  if C[QUIET] > 0 then host.due = math.max(now, C[QUIET] + math.max(delay_of(host), GUARD)) end
  hosts[name] = host
  return host
end

local function queued_of(host)
  local queued = 0
  for _, line in ipairs(host.lines) do queued = queued + line.listed + line.ripe + line.later end
  return queued
end

local function size_of(host)
  return queued_of(host) + host.handed + host.leased
end

local function free_at(host)
  return math.max(host.due, host.block)
end

-- When it can be leased; nil while it is held, rests for a note, or has nothing queued.
local function leasable_at(host)
  if host.token > 0 or host.notes > 0 then return nil end
  local first
  for _, line in ipairs(host.lines) do
    if line.listed + line.ripe > 0 then
      first = 0
    elseif line.later > 0 and first ~= 0 then
      local due = tonumber(redis.call('ZRANGE', P .. 'l:' .. line.key, 0, 0, 'WITHSCORES')[2])
      if not first or due < first then first = due end
    end
  end
  return first and math.max(first, free_at(host), host.wanted)
end

local function drop_host(host)
  redis.call('HDEL', P .. 'hosts', host.name)
  if host.block >= 0 or host.delay >= 0 or host.strikes > 0 then
    redis.call('HSET', P .. 'paces', host.name, struct.pack('<ddI4', host.block, host.delay, host.strikes))
  end
  hosts[host.name] = nil
end

-- Keeps or ends the membership of a host in one of the ordered sets.
local function keep(host, set, was, score)
  if score then
    redis.call('ZADD', P .. set, score, host.name)
  elseif was then
    redis.call('ZREM', P .. set, host.name)
  end
  return score ~= nil
end

-- Writes a host down as it is.
local function write(host)
  local flags = host.loopback + (host.short and 2 or 0) + (host.parked and 4 or 0) + (host.low and 8 or 0)
    + (host.far and 16 or 0) + (host.blocked and 32 or 0) + (host.turn and 64 or 0)
  local raw = {struct.pack(HOST, host.due, host.block, host.delay, host.wanted, host.agenda, host.token, host.strikes,
    host.notes, host.handed, host.leased, host.front, host.back, flags, host.domain, #host.lines)}
  for i, line in ipairs(host.lines) do
    raw[i + 1] = struct.pack('<dBI4I4I4', tonumber(line.crawl), line.priority, line.listed, line.ripe, line.later)
  end
  redis.call('HSET', P .. 'hosts', host.name, table.concat(raw))
end

-- Puts a host where it belongs and writes it down: into the agenda, where it may be leased; among those that are low, make room or block us; out of
-- the index, where nothing is left of it.
local function save(host)
  local queued = queued_of(host)
  local size = queued + host.handed + host.leased
  if host.parked then redis.call('ZREM', P .. 'parked', host.name) end
  host.parked = false
  local at = leasable_at(host)
  if at ~= (host.agenda >= 0 and host.agenda or nil) then
    if at then redis.call('ZADD', P .. 'due', at, host.name) else redis.call('ZREM', P .. 'due', host.name) end
    host.agenda = at or -1
  end
  local known = C[QUEUED] + C[LEASED] + C[HANDED]
  local roomy = known <= math.floor(C[MAX_URLS] / 2) or queued == 0
  local low = host.short and queued <= math.floor(C[MAX_HOST] / 4) and roomy
  host.low = keep(host, 'low', host.low, low and (queued == 0 and 0 or free_at(host)) or nil)
  local free = free_at(host)
  host.far = keep(host, 'far', host.far, queued > 1 and free > now + FAR and free or nil)
  host.blocked = keep(host, 'blocked', host.blocked, queued > 0 and host.block > now and host.block or nil)
  if size == 0 and host.token == 0 and host.notes == 0 and not host.short then
    local rests = math.max(host.due, host.wanted)
    if rests <= now then return drop_host(host) end
    redis.call('ZADD', P .. 'idle', rests, host.name)
  end
  write(host)
end

-- Lets a few hosts leave that have nothing left here.
local function let_idle_leave()
  local idle = redis.call('ZRANGEBYSCORE', P .. 'idle', '-inf', now, 'LIMIT', 0, 4)
  for _, name in ipairs(idle) do
    redis.call('ZREM', P .. 'idle', name)
    local host = load_host(name)
    if host and size_of(host) == 0 then save(host) end
  end
end

local function line_of(host, crawl, priority)
  for _, line in ipairs(host.lines) do
    if line.crawl == crawl and line.priority == priority then return line end
  end
  local line = {crawl = crawl, priority = priority, listed = 0, ripe = 0, later = 0}
  line.key = priority .. ':' .. crawl .. ':' .. host.name
  host.lines[#host.lines + 1] = line
  return line
end

local function drop_empty_lines(host)
  for i = #host.lines, 1, -1 do
    local line = host.lines[i]
    if line.listed + line.ripe + line.later == 0 then table.remove(host.lines, i) end
  end
end

-- What a packed URL says of itself after what belongs to this visit: how it reads.
local function text_of(body)
  return string.sub(body, 2 + string.byte(body, 1) % SUSPECT)
end

-- How a URL is known while it is queued, leased or handed over: a bucket, and a number of 32 bits, of which a set keeps twice as
-- many in the same memory as of 64. As many buckets as the shard may hold URLs, divided by KNOWN_LOAD: some 40 bits in all.
-- Where two URLs share them, the second is refused as long as the first is here, and comes by a later refill.
local KNOWN_LOAD = 256
local function known_as(host, crawl, body)
  local hex = redis.sha1hex(crawl .. NAME_SEPARATOR .. host .. NAME_SEPARATOR .. text_of(body))
  local bucket = tonumber(string.sub(hex, 9, 18), 16) % math.ceil(C[MAX_URLS] / KNOWN_LOAD)
  return string.format('%d.%d', bucket, tonumber(string.sub(hex, 1, 8), 16) - 2147483648)
end

local function in_bucket(command, known)
  local dot = string.find(known, '.', 1, true)
  return redis.call(command, P .. 'k:' .. string.sub(known, 1, dot - 1), string.sub(known, dot + 1)) == 1
end

local function is_known(known)
  return in_bucket('SISMEMBER', known)
end

-- Makes a URL known; false where it was.
local function know(known)
  return in_bucket('SADD', known)
end

local function forget(known)
  in_bucket('SREM', known)
end

local function push_back(host, crawl, priority, due, body)
  local line = line_of(host, crawl, priority)
  host.back = host.back + 1
  C[QUEUED] = C[QUEUED] + 1
  local entry = struct.pack('>i4', host.back) .. body
  if due > now then
    line.later = line.later + 1
    redis.call('ZADD', P .. 'l:' .. line.key, due, entry)
  else
    line.listed = line.listed + 1
    redis.call('RPUSH', P .. 'q:' .. line.key, entry)
  end
end

local DROPPED = 64
-- Lets some URLs of a cancelled crawl go.
local function drop(host, line)
  local gone = {}
  if line.listed > 0 then
    gone = redis.call('LPOP', P .. 'q:' .. line.key, DROPPED)
    line.listed = line.listed - #gone
  else
    local set, count = 'r:', 'ripe'
    if line.ripe == 0 then set, count = 'l:', 'later' end
    local got = redis.call('ZPOPMIN', P .. set .. line.key, DROPPED)
    for i = 1, #got, 2 do gone[#gone + 1] = got[i] end
    line[count] = line[count] - #gone
  end
  for _, entry in ipairs(gone) do forget(known_as(host.name, line.crawl, string.sub(entry, 5))) end
  C[QUEUED] = C[QUEUED] - #gone
  return #gone
end

-- Ends the lease of a host: what was not visited goes back to the front, in its order.
local function end_lease(host)
  local lease = P .. 'x:' .. string.format('%d', host.token)
  local held = redis.call('LRANGE', lease, 0, -1)
  for i = #held, 1, -1 do
    local crawl, priority = struct.unpack('<dB', held[i])
    crawl = string.format('%d', crawl)
    local line = line_of(host, crawl, priority)
    host.front = host.front - 1
    redis.call('LPUSH', P .. 'q:' .. line.key, struct.pack('>i4', host.front) .. string.sub(held[i], 14))
    line.listed = line.listed + 1
    fly(crawl, -1)
  end
  redis.call('DEL', lease)
  local token = string.format('%d', host.token)
  redis.call('ZREM', P .. 'expiries', token)
  redis.call('HDEL', P .. 'tokens', token)
  C[LEASED] = C[LEASED] - #held
  C[QUEUED] = C[QUEUED] + #held
  host.leased = 0
  host.token = 0
end

-- The host whose running lease has this token.
local function holder(name, token)
  local host = load_host(name)
  if not host or token <= 0 or host.token ~= token then return nil end
  local expiry = tonumber(redis.call('ZSCORE', P .. 'expiries', string.format('%d', token)) or '0')
  return host, expiry > now
end

-- Grants a lease of these URLs; answers with its token.
local function hold(host, held)
  C[TOKENS] = C[TOKENS] + 1
  local token = C[TOKENS] * C[SHARDS] + C[SHARD]
  local name = string.format('%d', token)
  host.token = token
  host.leased = #held
  redis.call('ZADD', P .. 'expiries', now + C[LEASE], name)
  redis.call('HSET', P .. 'tokens', name, host.name)
  if #held > 0 then redis.call('RPUSH', P .. 'x:' .. name, unpack(held)) end
  return token
end

-- Appends to the stream what is about `host`; `number` is how the URL of a report is known.
local function append(host, crawl, number, weight, ...)
  if C[ENTRIES] == C[TAKEN] then C[FIRST_AT] = now end
  C[ENTRIES] = C[ENTRIES] + 1
  local id = string.format('%d', C[ENTRIES])
  redis.call('XADD', P .. 'stream', id .. '-0', ...)
  local about = table.concat({crawl, number or '-', weight, host.token, host.name}, ' ')
  if number then
    C[MEAN] = math.floor((C[MEAN] * 15 + weight) / 16)
    -- Which entry it is, too: a hand-off that is said again looks for it.
    redis.call('HSET', P .. 'lag', id, about, number, id)
  else
    redis.call('HSET', P .. 'lag', id, about)
  end
  C[LAG] = C[LAG] + 1
  C[LAG_BYTES] = C[LAG_BYTES] + weight
end

-- Appends a note and takes the pace that it says: the host rests until the note is acknowledged.
local function append_note(host, payload, crawl, block, delay, strikes)
  host.block, host.delay, host.strikes = inward(block), tonumber(delay), tonumber(strikes)
  host.notes = host.notes + 1
  append(host, crawl, nil, #payload, 'n', payload)
end

-- Reports that may yet be leased before the lag is at its bound; one at least where nothing is leased.
local function stream_room()
  if C[LAG] >= C[MAX_ENTRIES] or C[LAG_BYTES] >= C[MAX_BYTES] then return 0 end
  local room = math.floor((C[MAX_BYTES] - C[LAG_BYTES]) / math.max(C[MEAN], 1)) - C[LEASED]
  return math.max(room, C[LEASED] == 0 and 1 or 0)
end
