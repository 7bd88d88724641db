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
  return string.format('%.0f', t)
end

-- The counters and limits of the shard: one string of doubles in this order.
local NAMES = {
  'epoch', 'shard', 'shards', 'beat', 'quiet', 'lease', 'max_urls', 'max_host', 'max_entries', 'max_bytes', 'max_seen',
  'fixed_delay', 'auto_delay', 'budgets', 'tokens', 'entries', 'queued', 'leased', 'handed', 'lag', 'lag_bytes', 'mean',
  'taken', 'first_at', 'unpark', 'refill_until', 'claim_at', 'seen', 'seen_buckets',
}
local FORMAT = '<' .. string.rep('d', #NAMES)
local C

-- Reads the counters; answers with an error where another epoch is open or none.
local function enter()
  local raw = redis.call('GET', P .. 'ctl')
  if not raw then return redis.error_reply('HMLOST no epoch ' .. ARGV[1] .. ' is open') end
  C = {}
  local values = {struct.unpack(FORMAT, raw)}
  for i, name in ipairs(NAMES) do C[name] = values[i] end
  if C.epoch ~= tonumber(ARGV[1]) then
    return redis.error_reply('HMLOST epoch ' .. C.epoch .. ' is open and not ' .. ARGV[1])
  end
end

local function leave()
  local values = {}
  for i, name in ipairs(NAMES) do values[i] = C[name] end
  redis.call('SET', P .. 'ctl', struct.pack(FORMAT, unpack(values)))
end

-- Whether the scheduler was heard of within the last lease length: a fleet cut in two stops on the side without it.
local function silent()
  if C.beat + C.lease < now then
    return redis.error_reply('HMBEAT the scheduler was not heard of for a lease length')
  end
end
