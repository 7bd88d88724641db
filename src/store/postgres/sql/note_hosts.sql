-- What is newer wins; robots.txt stays as it is known where the note does not speak of it. By name, so that no two
-- batches wait for each other.
INSERT INTO hosts (host, crawl_delay_ms, block_until, strikes, robots, robots_status, robots_fetched_at, noted_at)
SELECT host, crawl_delay_ms, block_until, strikes, robots, robots_status, robots_fetched_at, noted_at
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::text[])
     AS r (host, crawl_delay_ms, block_until, strikes, robots, robots_status, robots_fetched_at, noted_at)
ORDER BY host COLLATE "C"
ON CONFLICT (host) DO UPDATE
SET crawl_delay_ms = excluded.crawl_delay_ms, block_until = excluded.block_until, strikes = excluded.strikes,
    robots = coalesce(excluded.robots, hosts.robots),
    robots_status = CASE WHEN excluded.robots IS NULL THEN hosts.robots_status ELSE excluded.robots_status END,
    robots_fetched_at = coalesce(excluded.robots_fetched_at, hosts.robots_fetched_at), noted_at = excluded.noted_at
WHERE hosts.noted_at <= excluded.noted_at
