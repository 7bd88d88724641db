-- Hosts that asked for more than the default.
SELECT host, crawl_delay_ms, block_until, strikes
FROM hosts
WHERE crawl_delay_ms IS NOT NULL OR block_until IS NOT NULL OR strikes > 0
