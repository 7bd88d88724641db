-- The seeds of a crawl in the order in which they were accepted; what was found on a page, the operator did not name.
SELECT url, seed, found_on IS NULL FROM urls WHERE crawl_id = $1 AND seed IS NOT NULL ORDER BY id
