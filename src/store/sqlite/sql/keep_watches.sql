-- What is counted, anew.
INSERT OR FAIL INTO watches (crawl_id, name, state)
VALUES /*rows*/
ON CONFLICT (crawl_id, name) DO UPDATE SET state = excluded.state
