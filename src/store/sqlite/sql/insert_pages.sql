-- Only reports that passed the gate come here: a second row of a URL and visit would be a bug, and is an error.
INSERT OR FAIL INTO pages (crawl_id, url_key, visit, url, host, status, title, description, canonical, robots, language,
                   headings, text, extracted, content_type, charset, bytes, truncated, content_hash, etag,
                   last_modified, depth, fetched_at, links_total, links_dropped, links_packed,
                   signal_search, signal_ai_input, signal_ai_train)
VALUES /*rows*/
