-- Begins an epoch in this shard: its counters, its stream with the one consumer group. Said again, it changes nothing.
-- ARGV: shard, shards, whether another epoch went before, then the limits: lease, URLs, of a host, entries, bytes, seen;
-- the delay where no crawl says one.
if redis.call('EXISTS', P .. 'ctl') == 1 then return 0 end
C = {}
for i = 1, COUNTERS do C[i] = 0 end
C[EPOCH], C[SHARD], C[SHARDS], C[BEAT] = tonumber(ARGV[1]), tonumber(ARGV[4]), tonumber(ARGV[5]), now
C[LEASE], C[MAX_URLS], C[MAX_HOST] = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
C[MAX_ENTRIES], C[MAX_BYTES], C[MAX_SEEN] = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
C[AUTO_DELAY] = tonumber(ARGV[13])
C[SEEN_BUCKETS] = 1
-- Nodes of the epoch before may lease for one lease length, until they miss the beat, and visit for another.
if ARGV[6] == '1' then C[QUIET] = now + 2 * C[LEASE] end
redis.call('XGROUP', 'CREATE', P .. 'stream', 'storage', '0', 'MKSTREAM')
leave()
return 1
