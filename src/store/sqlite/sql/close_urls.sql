-- Moves each visit that is open and whose visit number, attempt and throttle count are the report's: the gate of the
-- transaction.
WITH report (url_key, crawl_id, visit, attempt, throttled, state, next_attempt, next_throttled, due_at, reason,
             redirect_to, at) AS (
    VALUES /*rows*/
)
UPDATE OR FAIL urls
SET state = report.state, attempt = report.next_attempt, throttled = report.next_throttled, due_at = report.due_at,
    reason = report.reason, redirect_to = report.redirect_to,
    closed_at = CASE report.state WHEN 'open' THEN NULL ELSE report.at END
FROM report
WHERE urls.url_key = report.url_key AND urls.crawl_id = report.crawl_id AND urls.state = 'open'
  AND urls.visit = report.visit AND urls.attempt = report.attempt AND urls.throttled = report.throttled
RETURNING urls.crawl_id, urls.url_key
