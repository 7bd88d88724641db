-- The time of the n-th fastest answer; requests without one have no place in it.
SELECT total_ms FROM fetches WHERE crawl_id = $1 AND status IS NOT NULL ORDER BY total_ms LIMIT 1 OFFSET $2
