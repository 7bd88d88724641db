-- One row a URL and reason, and none for a URL that is admitted, unless its own visit says so: what robots.txt forbids was
-- found where the URL was found. What is known is left out
-- before the insert, which would wait for whoever is releasing such a row.
WITH passed_over AS MATERIALIZED (
    SELECT nextval('skipped_id_seq') AS id, r.crawl_id, r.url_key, r.url, r.reason, r.detail, r.skipped_at,
           CASE WHEN r.reason IN ('robots', 'content-signal', 'noindex') THEN urls.found_on ELSE r.found_on END AS found_on
    FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
         AS r (crawl_id, url_key, url, reason, detail, found_on, skipped_at)
    LEFT JOIN urls ON urls.url_key = r.url_key AND urls.crawl_id = r.crawl_id
    WHERE (r.reason IN ('robots', 'content-signal', 'noindex') OR urls.id IS NULL)
      AND NOT EXISTS (SELECT 1 FROM skipped
                      WHERE skipped.url_key = r.url_key AND skipped.crawl_id = r.crawl_id AND skipped.reason = r.reason)
)
INSERT INTO skipped (id, crawl_id, url_key, url, reason, detail, found_on, skipped_at)
SELECT id, crawl_id, url_key, url, reason, detail, found_on, skipped_at
FROM passed_over
ORDER BY url_key, crawl_id, reason, id
ON CONFLICT (url_key, crawl_id, reason) DO NOTHING
