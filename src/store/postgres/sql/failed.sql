-- What was given up, in the order in which it was; a seed is nobody's broken link.
SELECT d.reason, d.url, d.detail, d.found_on, u.seed IS NOT NULL
FROM dead_letters AS d
LEFT JOIN urls AS u ON u.url_key = d.url_key AND u.crawl_id = d.crawl_id
WHERE d.crawl_id = $1
ORDER BY d.id
LIMIT $2
