-- Which of these keys have a row.
SELECT urls.url_key FROM urls WHERE crawl_id = $1 AND url_key = ANY ($2)
