-- All URLs but the first leave of hosts that may not be asked for a while; some hosts a call, and no further one once so many
-- URLs have left: a script that runs for long holds up all others.
-- Answers: how many URLs left, how many hosts were looked at.
local HOSTS = 64
local URLS = 2000
local refused = enter()
if refused then return refused end
redis.call('ZREMRANGEBYSCORE', P .. 'far', '-inf', now + FAR)
local left = 0

-- Takes the URLs of one kind of a line, each with how it is ranked.
local function take_all(host, line, set, found)
  local ranks = {}
  local got
  if set == 'q:' then
    got = redis.call('LRANGE', P .. set .. line.key, 0, -1)
  else
    got = {}
    local scored = redis.call('ZRANGE', P .. set .. line.key, 0, -1, 'WITHSCORES')
    for i = 1, #scored, 2 do
      got[#got + 1] = scored[i]
      if set == 'l:' then ranks[#got] = tonumber(scored[i + 1]) end
    end
  end
  redis.call('DEL', P .. set .. line.key)
  for i, entry in ipairs(got) do
    local due = ranks[i] or 0
    if due <= now then due = 0 end
    local place = struct.unpack('>i4', entry)
    found[#found + 1] = {entry = entry, line = line, due = due, place = place}
  end
end

local function is_before(one, other)
  if one.due ~= other.due then return one.due < other.due end
  if one.due == 0 and one.line.priority ~= other.line.priority then return one.line.priority > other.line.priority end
  return one.place < other.place
end

local looked_at = 0
for _, name in ipairs(redis.call('ZRANGE', P .. 'far', 0, HOSTS - 1)) do
  if left >= URLS then break end
  looked_at = looked_at + 1
  local host = load_host(name)
  local found = {}
  for _, line in ipairs(host.lines) do
    take_all(host, line, 'q:', found)
    take_all(host, line, 'r:', found)
    take_all(host, line, 'l:', found)
    line.listed, line.ripe, line.later = 0, 0, 0
  end
  local first = found[1]
  for _, one in ipairs(found) do
    if is_before(one, first) then first = one end
  end
  for _, one in ipairs(found) do
    if one ~= first then forget(known_as(name, one.line.crawl, string.sub(one.entry, 5))) end
  end
  if first.due > 0 then
    redis.call('ZADD', P .. 'l:' .. first.line.key, first.due, first.entry)
    first.line.later = 1
  else
    redis.call('RPUSH', P .. 'q:' .. first.line.key, first.entry)
    first.line.listed = 1
  end
  C[QUEUED] = C[QUEUED] - (#found - 1)
  left = left + #found - 1
  host.short = true
  drop_empty_lines(host)
  save(host)
end
leave()
return {left, looked_at}
