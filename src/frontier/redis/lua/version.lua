-- The version of a crawl's rules, for the leases of this shard.
-- ARGV: crawl, version.
local refused = enter()
if refused then return refused end
local crawl = P .. 'c:' .. ARGV[4]
if tonumber(redis.call('HGET', crawl, 'version') or '0') < tonumber(ARGV[5]) then
  redis.call('HSET', crawl, 'version', ARGV[5])
end
return 1
