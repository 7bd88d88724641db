-- What `why` looks up in a store of any size: which URLs redirect to one, and whether pages had links beyond the limits.
CREATE INDEX urls_redirected ON urls (redirect_to) WHERE redirect_to IS NOT NULL;
CREATE INDEX pages_dropped ON pages (crawl_id, links_dropped) WHERE links_dropped > 0;
