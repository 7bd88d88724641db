-- Each skipped URL once, under the first of its reasons: withheld ones, too. What robots.txt forbids is counted in urls, and so is a URL that
-- one storage process admitted while another was passing it over.
SELECT reason, count(*)
FROM (SELECT DISTINCT ON (url_key) url_key, reason FROM skipped
      WHERE crawl_id = $1 AND reason <> 'robots'
        AND (reason IN ('content-signal', 'noindex') OR NOT EXISTS
             (SELECT 1 FROM urls WHERE urls.url_key = skipped.url_key AND urls.crawl_id = skipped.crawl_id))
      ORDER BY url_key, id) AS first
GROUP BY reason
