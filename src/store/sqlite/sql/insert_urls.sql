-- Accepts URLs: what is known stays as it is.
INSERT OR FAIL INTO urls (crawl_id, url_key, url, host, depth, hops, max_depth, priority, seed, sitemap, found_on, found_at)
VALUES /*rows*/
ON CONFLICT (url_key, crawl_id) DO NOTHING
