-- URLs that are parked, with what opens them: one row a URL and rule, and none for a URL that is admitted. What is known
-- is left out before the insert, which would wait for whoever is releasing such a row.
WITH parked AS MATERIALIZED (
    SELECT nextval('skipped_id_seq') AS id, r.*
    FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::integer[], $11::smallint[], $12::integer[], $13::smallint[])
         AS r (crawl_id, url_key, url, reason, detail, found_on, skipped_at, parked, host, depth, hops, max_depth, priority)
    WHERE NOT EXISTS (SELECT 1 FROM urls WHERE urls.url_key = r.url_key AND urls.crawl_id = r.crawl_id)
      AND NOT EXISTS (SELECT 1 FROM skipped
                      WHERE skipped.url_key = r.url_key AND skipped.crawl_id = r.crawl_id AND skipped.reason = r.reason)
)
INSERT INTO skipped (id, crawl_id, url_key, url, reason, detail, found_on, skipped_at, parked, host, depth, hops, max_depth,
                     priority)
SELECT id, crawl_id, url_key, url, reason, detail, found_on, skipped_at, parked, host, depth, hops, max_depth, priority
FROM parked
ORDER BY url_key, crawl_id, reason, id
ON CONFLICT (url_key, crawl_id, reason) DO NOTHING
