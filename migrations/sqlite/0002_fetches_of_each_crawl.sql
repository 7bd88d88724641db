-- One row a request: a lease may hold the same URL for two crawls, tokens of two crawls may be alike, and robots.txt may
-- be asked for as such and as a page under one lease.
DROP INDEX fetches_key;
CREATE UNIQUE INDEX fetches_key ON fetches (url_key, crawl_id, token, kind);
