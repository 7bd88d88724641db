-- URLs that were given up, by reason.
SELECT reason, count(*) FROM dead_letters WHERE crawl_id = $1 GROUP BY reason ORDER BY 2 DESC, 1
