-- Each skipped URL once, under the first of its reasons. What robots.txt forbids is counted in urls.
SELECT reason, count(*)
FROM (SELECT reason, min(id) FROM skipped WHERE crawl_id = ? AND reason <> 'robots' GROUP BY url_key)
GROUP BY reason
