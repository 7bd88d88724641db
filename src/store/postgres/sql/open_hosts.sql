-- Distinct hosts of open rows, hopping from one to the next on the partial index.
WITH RECURSIVE hop (host) AS (
    SELECT min(host) FROM urls WHERE crawl_id = $1 AND state = 'open' AND host > $2
    UNION ALL
    SELECT (SELECT min(u.host) FROM urls AS u WHERE u.crawl_id = $1 AND u.state = 'open' AND u.host > hop.host)
    FROM hop WHERE hop.host IS NOT NULL
)
SELECT host FROM hop WHERE host IS NOT NULL LIMIT $3
