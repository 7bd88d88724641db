-- Entries of the stream for one consumer, oldest first, where a batch is due.
-- ARGV: most, linger, consumer, how long a dead consumer's entries rest (milliseconds), whether what this consumer was
-- given before is asked for again, bytes of a batch.
-- Answers: microseconds until a batch is due (-1 for none), then entries.
local refused = enter()
if refused then return refused end
local most, linger, consumer, rest = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local stream = P .. 'stream'

local answer = {'-1'}
local function add(entries)
  for _, entry in ipairs(entries) do
    if entry and entry[2] then
      if entry[2][1] == 'q' then entry[2][8] = outward(tonumber(entry[2][8])) end
      answer[#answer + 1] = entry
    end
  end
end
local function read(from, count)
  local got = redis.call('XREADGROUP', 'GROUP', 'storage', consumer, 'COUNT', count, 'STREAMS', stream, from)
  return got and got[1] and got[1][2] or {}
end

if ARGV[8] == '1' then
  add(read('0', most))
  answer[1] = '0'
  return answer
end
if now >= C.claim_at then
  C.claim_at = now + rest * 500
  add(redis.call('XAUTOCLAIM', stream, 'storage', consumer, rest, '0-0', 'COUNT', most)[2])
end
if C.untaken > 0 then
  local first = redis.call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
  local starving = C.leased == 0 and (not first or tonumber(first) > now)
  local full = C.untaken >= most or C.lag_bytes >= C.max_bytes / 2
  local ready = (starving or full) and now or C.first_at + linger
  if ready <= now then
    local fitting = math.max(1, math.floor(tonumber(ARGV[9]) / math.max(C.mean, 1)))
    local entries = read('>', math.min(most, fitting))
    C.untaken = math.max(0, C.untaken - #entries)
    C.first_at = now
    add(entries)
    ready = now
  end
  answer[1] = string.format('%.0f', ready - now)
end
leave()
return answer
