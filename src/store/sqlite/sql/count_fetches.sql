SELECT kind, status, count(*), coalesce(sum(wire_bytes), 0) FROM fetches WHERE crawl_id = ? GROUP BY kind, status
