-- Requests of one crawl by kind and status; no status where nobody answered.
SELECT kind, status, count(*), coalesce(sum(wire_bytes), 0)::bigint FROM fetches WHERE crawl_id = $1 GROUP BY kind, status
