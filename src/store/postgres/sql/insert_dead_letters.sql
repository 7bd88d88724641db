-- The evidence of what was given up, with the page that links there.
INSERT INTO dead_letters (crawl_id, url_key, url, host, visit, reason, detail, status, attempts, found_on, died_at)
SELECT r.crawl_id, r.url_key, r.url, r.host, r.visit, r.reason, r.detail, r.status, r.attempts, urls.found_on, r.died_at
FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::integer[],
            $9::integer[], $10::text[])
     AS r (crawl_id, url_key, url, host, visit, reason, detail, status, attempts, died_at)
LEFT JOIN urls ON urls.url_key = r.url_key AND urls.crawl_id = r.crawl_id
ON CONFLICT (url_key, crawl_id, visit) DO NOTHING
