-- How many entries of the stream a consumer is to read now; what a dead consumer left is handed over here.
-- The entries are read by a command of their own: passed through a script they would be copied twice more.
-- ARGV: most, linger, consumer, how long a dead consumer's entries rest (milliseconds), bytes of a batch.
-- Answers: microseconds until a batch is due (-1 for none), how many to read, then entries of dead consumers.
local refused = enter()
if refused then return refused end
local most, linger, rest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[7])
local answer = {'-1', 0}
local changed = false
if now >= C[CLAIM_AT] then
  C[CLAIM_AT] = now + rest * 500
  changed = true
  local claimed = redis.call('XAUTOCLAIM', P .. 'stream', 'storage', ARGV[6], rest, '0-0', 'COUNT', most)
  for _, entry in ipairs(claimed[2]) do
    if entry and entry[2] then answer[#answer + 1] = entry end
  end
end
-- Entries are numbered one by one: what was delivered last says how many were not. A reader that dies before it reads leaves
-- nothing behind that has to be mended.
local delivered = C[ENTRIES]
if C[LAG] > 0 then
  local group = redis.call('XINFO', 'GROUPS', P .. 'stream')[1]
  for i = 1, #group, 2 do
    if group[i] == 'last-delivered-id' then delivered = tonumber(string.match(group[i + 1], '^%d+')) end
  end
end
local untaken = C[ENTRIES] - delivered
if untaken > 0 then
  local first = redis.call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')[2]
  local starving = C[LEASED] == 0 and (not first or tonumber(first) > now)
  local full = untaken >= most or C[LAG_BYTES] >= C[MAX_BYTES] / 2
  local ready = (starving or full) and now or C[FIRST_AT] + linger
  if ready <= now then
    answer[2] = math.min(most, math.max(1, math.floor(tonumber(ARGV[8]) / math.max(C[MEAN], 1))))
    C[TAKEN] = math.min(C[ENTRIES], delivered + answer[2])
    C[FIRST_AT] = now
    changed = true
    ready = now
  end
  answer[1] = string.format('%d', ready - now)
end
if changed then leave() end
return answer
