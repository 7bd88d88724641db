-- Locks what is counted under these names, in their order, and answers with it: another process may have counted since. The
-- last locks of a transaction, so that nobody waits for them for longer than a commit takes.
INSERT INTO watches AS w (crawl_id, name, state)
SELECT crawl_id, name, ''::bytea FROM unnest($1::bigint[], $2::text[]) AS r (crawl_id, name)
ORDER BY crawl_id, name COLLATE "C"
ON CONFLICT (crawl_id, name) DO UPDATE SET state = w.state
RETURNING crawl_id, name, state
