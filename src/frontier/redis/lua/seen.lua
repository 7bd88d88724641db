-- Marks fingerprints as seen, up to the bound.
-- ARGV: fingerprints.
local refused = enter()
if refused then return refused end
local before = C[SEEN]
local power = floor_power(C[SEEN_BUCKETS])
local prefix = P .. 's:'
for i = 4, #ARGV do
  if C[SEEN] >= C[MAX_SEEN] then break end
  local at = bucket_of(digits(ARGV[i]), C[SEEN_BUCKETS], power)
  if redis.call('SADD', prefix .. at, ARGV[i]) == 1 then
    C[SEEN] = C[SEEN] + 1
    local buckets = grow('s:', C[SEEN], C[SEEN_BUCKETS])
    if buckets ~= C[SEEN_BUCKETS] then
      C[SEEN_BUCKETS] = buckets
      power = floor_power(buckets)
    end
  end
end
if C[SEEN] > before then leave() end
return 1
