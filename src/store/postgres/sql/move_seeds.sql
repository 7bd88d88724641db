-- Makes seeds of open URLs that seeds redirect to. Under the next visit number, so that a visit which is under way with the
-- old depth does not pass the gate.
-- Rows are locked in the order of their keys and looked up by them, as by the gate.
WITH target AS (
    SELECT urls.id, r.depth, r.hops, r.max_depth, r.priority, r.seed
    FROM unnest($1::bytea[], $2::bigint[], $3::integer[], $4::smallint[], $5::integer[], $6::smallint[], $7::text[])
         AS r (url_key, crawl_id, depth, hops, max_depth, priority, seed)
    JOIN urls ON urls.url_key = r.url_key AND urls.crawl_id = r.crawl_id
    WHERE urls.state || '' = 'open' AND urls.seed IS NULL AND urls.sitemap IS NULL
    ORDER BY urls.url_key, urls.crawl_id
    FOR NO KEY UPDATE OF urls
)
UPDATE urls
SET depth = target.depth, hops = target.hops, max_depth = target.max_depth, priority = target.priority,
    seed = target.seed, visit = urls.visit + 1
FROM target
WHERE urls.id = target.id
