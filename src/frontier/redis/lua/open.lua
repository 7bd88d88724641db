-- Begins an epoch in this shard: its counters, its stream with the one consumer group. Said again, it changes nothing.
-- ARGV: shard, shards, whether another epoch went before, then the limits: lease, URLs, of a host, entries, bytes, seen;
-- the delay where no crawl says one.
if redis.call('EXISTS', P .. 'ctl') == 1 then return 0 end
C = {}
for _, name in ipairs(NAMES) do C[name] = 0 end
C.epoch, C.shard, C.shards, C.beat = tonumber(ARGV[1]), tonumber(ARGV[4]), tonumber(ARGV[5]), now
C.lease, C.max_urls, C.max_host = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
C.max_entries, C.max_bytes, C.max_seen = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
C.auto_delay = tonumber(ARGV[13])
C.seen_buckets = 1
-- Nodes of the epoch before may lease for one lease length, until they miss the beat, and visit for another.
if ARGV[6] == '1' then C.quiet = now + 2 * C.lease end
redis.call('XGROUP', 'CREATE', P .. 'stream', 'storage', '0', 'MKSTREAM')
leave()
return 1
