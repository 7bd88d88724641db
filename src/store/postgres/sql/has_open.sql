-- Whether a crawl has an open URL.
SELECT EXISTS (SELECT 1 FROM urls WHERE crawl_id = $1 AND state = 'open')
