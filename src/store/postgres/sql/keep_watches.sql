-- What is counted, anew; the rows are locked.
UPDATE watches SET state = r.state
FROM unnest($1::bigint[], $2::text[], $3::bytea[]) AS r (crawl_id, name, state)
WHERE watches.crawl_id = r.crawl_id AND watches.name = r.name
