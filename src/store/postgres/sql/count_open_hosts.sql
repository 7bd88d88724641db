-- Hosts that have something left to be visited.
SELECT count(DISTINCT host) FROM urls WHERE crawl_id = $1 AND state = 'open'
