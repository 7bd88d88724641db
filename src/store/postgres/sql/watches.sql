-- What is counted under these names.
SELECT watches.crawl_id, watches.name, watches.state
FROM unnest($1::bigint[], $2::text[]) AS r (crawl_id, name)
JOIN watches ON watches.crawl_id = r.crawl_id AND watches.name = r.name
