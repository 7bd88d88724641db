-- Pages whose content is that of another one.
SELECT count(*) - count(DISTINCT content_hash) FROM pages WHERE crawl_id = $1
