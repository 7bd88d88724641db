-- A report that comes twice under one lease is one request; robots.txt may be asked for as a page too.
INSERT OR FAIL INTO fetches (crawl_id, url_key, token, kind, url, host, visit, attempt, status, error, outcome, detail,
                     started_at, first_byte_ms, total_ms, wire_bytes, bytes)
VALUES /*rows*/
ON CONFLICT (url_key, crawl_id, token, kind, attempt) DO NOTHING
