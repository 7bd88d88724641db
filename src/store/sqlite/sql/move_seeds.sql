-- Makes seeds of open URLs that seeds redirect to. Under the next visit number, so that a visit which is under way with the
-- old depth does not pass the gate.
WITH target (url_key, crawl_id, depth, hops, max_depth, priority, seed) AS (
    VALUES /*rows*/
)
UPDATE OR FAIL urls
SET depth = target.depth, hops = target.hops, max_depth = target.max_depth, priority = target.priority,
    seed = target.seed, visit = urls.visit + 1
FROM target
WHERE urls.url_key = target.url_key AND urls.crawl_id = target.crawl_id AND urls.state = 'open'
  AND urls.seed IS NULL AND urls.sitemap IS NULL
