-- What the index is told of a crawl.
-- ARGV: crawl, state, page budget (-1 for none), pages stored (empty: as counted here), 'auto' or 'fixed', the delay.
local refused = enter()
if refused then return refused end
redis.call('SADD', P .. 'crawls', ARGV[4])
redis.call('HSET', P .. 'c:' .. ARGV[4], 'state', ARGV[5], 'max', ARGV[6], 'kind', ARGV[8], 'delay', ARGV[9])
if ARGV[7] ~= '' then redis.call('HSET', P .. 'c:' .. ARGV[4], 'stored', ARGV[7]) end
weigh_crawls()
leave()
return 1
