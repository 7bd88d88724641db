-- What is counted under these names.
SELECT crawl_id, name, state FROM watches WHERE (crawl_id, name) IN (VALUES /*rows*/)
