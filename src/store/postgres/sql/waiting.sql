-- What is parked for one thing, the first parked first.
SELECT id, url_key, url, host, depth, hops, max_depth, priority, found_on
FROM skipped
WHERE crawl_id = $1 AND parked = $2
ORDER BY id
LIMIT $3
