-- A report that comes twice under one lease is one request; robots.txt may be asked for as a page too. By key, so that no
-- two batches wait for each other, with numbers in the order of the reports.
WITH made AS MATERIALIZED (
    SELECT nextval('fetches_id_seq') AS id, r.*
    FROM unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::integer[],
                $8::integer[], $9::integer[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bigint[],
                $15::bigint[], $16::bigint[], $17::bigint[])
         AS r (crawl_id, url_key, token, kind, url, host, visit, attempt, status, error, outcome, detail, started_at,
               first_byte_ms, total_ms, wire_bytes, bytes)
)
INSERT INTO fetches (id, crawl_id, url_key, token, kind, url, host, visit, attempt, status, error, outcome, detail,
                     started_at, first_byte_ms, total_ms, wire_bytes, bytes)
SELECT id, crawl_id, url_key, token, kind, url, host, visit, attempt, status, error, outcome, detail, started_at,
       first_byte_ms, total_ms, wire_bytes, bytes
FROM made
ORDER BY url_key, crawl_id, token, kind, attempt, id
ON CONFLICT (url_key, crawl_id, token, kind, attempt) DO NOTHING
