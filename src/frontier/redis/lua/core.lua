-- What every script begins with: the time, the epoch, the counters of the shard.
-- Arguments of every script: KEYS[1] the prefix of the shard's keys in this epoch; ARGV[1] the epoch, ARGV[2] the time of
-- the caller in microseconds, ARGV[3] '1' where the shard goes by that time (tests) and not by its own.
-- Times are microseconds by the clock of the server; 0 is long ago and NEVER is never.
local P = KEYS[1]
local NEVER = 9e15
local now = tonumber(ARGV[2])
local shift = 0
if ARGV[3] == '0' then
  local t = redis.call('TIME')
  shift = t[1] * 1000000 + t[2] - now
  now = now + shift
end

-- A point by the caller's clock, by ours: what the way here took makes it later, never earlier.
local function inward(text)
  local t = tonumber(text)
  if t <= 0 or t >= NEVER then return t end
  return t + shift
end

-- A point by our clock as the caller's text.
local function outward(t)
  if t > 0 and t < NEVER then t = t - shift end
  return string.format('%d', t)
end

-- The counters and limits of the shard: one string of doubles, and where each stands in it.
local EPOCH, SHARD, SHARDS, BEAT, QUIET, LEASE, MAX_URLS, MAX_HOST = 1, 2, 3, 4, 5, 6, 7, 8
local MAX_ENTRIES, MAX_BYTES, MAX_SEEN, FIXED_DELAY, AUTO_DELAY, BUDGETS, TOKENS, ENTRIES = 9, 10, 11, 12, 13, 14, 15, 16
local QUEUED, LEASED, HANDED, LAG, LAG_BYTES, MEAN, TAKEN, FIRST_AT = 17, 18, 19, 20, 21, 22, 23, 24
local UNPARK, REFILL_UNTIL, CLAIM_AT, SEEN, SEEN_BUCKETS = 25, 26, 27, 28, 29
local COUNTERS = 29
local FORMAT = '<' .. string.rep('d', COUNTERS)
local C

-- Reads the counters; answers with an error where another epoch is open or none.
local function enter()
  local raw = redis.call('GET', P .. 'ctl')
  if not raw then return redis.error_reply('HMLOST no epoch ' .. ARGV[1] .. ' is open') end
  C = {struct.unpack(FORMAT, raw)}
  if C[EPOCH] ~= tonumber(ARGV[1]) then
    return redis.error_reply('HMLOST epoch ' .. C[EPOCH] .. ' is open and not ' .. ARGV[1])
  end
end

local function leave()
  redis.call('SET', P .. 'ctl', struct.pack(FORMAT, unpack(C, 1, COUNTERS)))
end

-- Whether the scheduler was heard of within the last lease length: a fleet cut in two stops on the side without it.
local function silent()
  if C[BEAT] + C[LEASE] < now then
    return redis.error_reply('HMBEAT the scheduler was not heard of for a lease length')
  end
end
