-- Marks fingerprints as seen, up to the bound.
-- ARGV: fingerprints.
local refused = enter()
if refused then return refused end
local before = C.seen
local power = floor_power(C.seen_buckets)
local prefix = P .. 's:'
for i = 4, #ARGV do
  if C.seen >= C.max_seen then break end
  local at = bucket_of(digits(ARGV[i]), C.seen_buckets, power)
  if redis.call('SADD', prefix .. at, ARGV[i]) == 1 then
    C.seen = C.seen + 1
    local buckets = grow('s:', C.seen, C.seen_buckets)
    if buckets ~= C.seen_buckets then
      C.seen_buckets = buckets
      power = floor_power(buckets)
    end
  end
end
if C.seen > before then leave() end
return 1
