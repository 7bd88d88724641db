-- Accepts URLs: what is known stays as it is. What is committed is left out before the insert, which would wait for
-- whoever is closing such a row; the rest goes in by key, so that no two batches wait for each other, with numbers in
-- the order in which it was found. A URL that is admitted is no longer skipped, unless its own visit said so.
WITH found AS MATERIALIZED (
    SELECT nextval('urls_id_seq') AS id, r.*
    FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::integer[], $6::smallint[], $7::integer[],
                $8::smallint[], $9::text[], $10::text[], $11::text[], $12::text[])
         AS r (crawl_id, url_key, url, host, depth, hops, max_depth, priority, seed, sitemap, found_on, found_at)
    WHERE NOT EXISTS (SELECT 1 FROM urls WHERE urls.url_key = r.url_key AND urls.crawl_id = r.crawl_id)
), new AS (
    INSERT INTO urls (id, crawl_id, url_key, url, host, depth, hops, max_depth, priority, seed, sitemap, found_on,
                      found_at)
    SELECT id, crawl_id, url_key, url, host, depth, hops, max_depth, priority, seed, sitemap, found_on, found_at
    FROM found
    ORDER BY url_key, crawl_id
    ON CONFLICT (url_key, crawl_id) DO NOTHING
    RETURNING crawl_id, url_key
), released AS (
    DELETE FROM skipped USING new
    WHERE skipped.url_key = new.url_key AND skipped.crawl_id = new.crawl_id AND skipped.reason NOT IN ('robots', 'content-signal', 'noindex')
)
SELECT crawl_id, url_key FROM new
