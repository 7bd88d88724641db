-- The front of one host's queue, off the partial index of open rows.
SELECT url_key, url, depth, hops, max_depth, priority, seed, sitemap, visit, attempt, throttled, due_at
FROM urls
WHERE crawl_id = $1 AND host = $2 AND state = 'open'
ORDER BY priority DESC, id
LIMIT $3
