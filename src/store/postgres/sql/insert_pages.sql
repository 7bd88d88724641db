-- Only reports that passed the gate come here: a second row of a URL and visit would be a bug, and is an error.
INSERT INTO pages (crawl_id, url_key, visit, url, host, status, title, description, canonical, robots, language,
                   headings, text, extracted, content_type, charset, bytes, truncated, content_hash, etag,
                   last_modified, depth, fetched_at, links_total, links_dropped, links_packed,
                   signal_search, signal_ai_input, signal_ai_train)
SELECT crawl_id, url_key, visit, url, host, status, title, description, canonical, robots, language, headings::json,
       text, extracted::json, content_type, charset, bytes, truncated, content_hash, etag, last_modified, depth,
       fetched_at, links_total, links_dropped, links_packed::json, signal_search, signal_ai_input, signal_ai_train
FROM unnest($1::bigint[], $2::bytea[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],
            $17::bigint[], $18::text[], $19::text[], $20::text[], $21::text[], $22::integer[], $23::text[],
            $24::bigint[], $25::bigint[], $26::text[], $27::text[], $28::text[], $29::text[])
     AS r (crawl_id, url_key, visit, url, host, status, title, description, canonical, robots, language, headings,
           text, extracted, content_type, charset, bytes, truncated, content_hash, etag, last_modified, depth,
           fetched_at, links_total, links_dropped, links_packed, signal_search, signal_ai_input, signal_ai_train)
