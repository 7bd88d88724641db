-- Whether all seeds that a crawl was given are in. A crawl of an earlier version is taken to have them.
ALTER TABLE crawls ADD COLUMN seeded INTEGER NOT NULL DEFAULT 1 CHECK (seeded IN (0, 1));
-- The requests for one robots.txt that is redirected to itself are several: their attempt is the hop.
DROP INDEX fetches_key;
CREATE UNIQUE INDEX fetches_key ON fetches (url_key, crawl_id, token, kind, attempt);
