-- Which fingerprints were never marked.
-- ARGV: fingerprints. Answers: a digit for each, 1 where it is new.
local refused = enter()
if refused then return refused end
local power = floor_power(C[SEEN_BUCKETS])
local said = {}
local prefix = P .. 's:'
for i = 4, #ARGV do
  local at = bucket_of(digits(ARGV[i]), C[SEEN_BUCKETS], power)
  said[i - 3] = 1 - redis.call('SISMEMBER', prefix .. at, ARGV[i])
end
return table.concat(said)
