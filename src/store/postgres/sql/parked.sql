-- Parked URLs of a crawl, the first parked first: of one rule, host or URL where that is asked for.
SELECT id, crawl_id, parked, url_key, url, host, depth, hops, max_depth, priority, found_on
FROM skipped
WHERE crawl_id = $1 AND parked IS NOT NULL AND ($2::text IS NULL OR reason = $2) AND ($3::text IS NULL OR host = $3)
  AND ($4::bytea IS NULL OR url_key = $4)
ORDER BY id
LIMIT $5
