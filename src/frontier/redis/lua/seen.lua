-- Marks fingerprints as seen, up to the bound.
-- ARGV: fingerprints.
local refused = enter()
if refused then return refused end
for i = 4, #ARGV do
  if C.seen >= C.max_seen then break end
  local at = bucket_of(digits(ARGV[i]), C.seen_buckets, floor_power(C.seen_buckets))
  if redis.call('SADD', P .. 's:' .. string.format('%d', at), ARGV[i]) == 1 then
    C.seen = C.seen + 1
    C.seen_buckets = grow('s:', C.seen, C.seen_buckets)
  end
end
leave()
return 1
