-- Requests of one crawl by kind and status; no status where nobody answered. What was forbidden was never sent.
SELECT kind, status, count(*), coalesce(sum(wire_bytes), 0)::bigint FROM fetches WHERE crawl_id = $1
  AND (error IS NULL OR error <> 'forbidden-address') GROUP BY kind, status
