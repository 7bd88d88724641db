-- What is newer wins; robots.txt stays as it is known where the note does not speak of it.
INSERT OR FAIL INTO hosts (host, crawl_delay_ms, block_until, strikes, robots, robots_status, robots_fetched_at, noted_at)
VALUES /*rows*/
ON CONFLICT (host) DO UPDATE
SET crawl_delay_ms = excluded.crawl_delay_ms, block_until = excluded.block_until, strikes = excluded.strikes,
    robots = coalesce(excluded.robots, robots),
    robots_status = CASE WHEN excluded.robots IS NULL THEN robots_status ELSE excluded.robots_status END,
    robots_fetched_at = coalesce(excluded.robots_fetched_at, robots_fetched_at), noted_at = excluded.noted_at
WHERE hosts.noted_at <= excluded.noted_at
