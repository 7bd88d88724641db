-- Sitemaps: URLs that are visited and read but are no pages. A CHECK cannot be changed in place, so both tables are
-- written anew; nothing refers to them.

-- `sitemap` says why a URL is visited as a sitemap: `usual` (the usual path, which nobody named), `named` (by robots.txt),
-- `listed-N` (in an index that has N - 1 above it). One that was read ends in state `read`.
CREATE TABLE urls_2 (
    id          INTEGER PRIMARY KEY,
    crawl_id    INTEGER NOT NULL REFERENCES crawls (id),
    url_key     BLOB NOT NULL,
    url         TEXT NOT NULL,
    host        TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'stored', 'redirected', 'failed', 'excluded', 'read')),
    reason      TEXT,
    depth       INTEGER NOT NULL,
    hops        INTEGER NOT NULL DEFAULT 0,
    max_depth   INTEGER,
    priority    INTEGER NOT NULL DEFAULT 5,
    seed        TEXT,
    sitemap     TEXT,
    visit       INTEGER NOT NULL DEFAULT 1,
    attempt     INTEGER NOT NULL DEFAULT 1,
    throttled   INTEGER NOT NULL DEFAULT 0,
    due_at      TEXT,
    redirect_to TEXT,
    found_on    TEXT,
    found_at    TEXT NOT NULL,
    closed_at   TEXT
);
INSERT INTO urls_2 (id, crawl_id, url_key, url, host, state, reason, depth, hops, max_depth, priority, seed, visit,
                    attempt, throttled, due_at, redirect_to, found_on, found_at, closed_at)
SELECT id, crawl_id, url_key, url, host, state, reason, depth, hops, max_depth, priority, seed, visit, attempt,
       throttled, due_at, redirect_to, found_on, found_at, closed_at
FROM urls;
DROP TABLE urls;
ALTER TABLE urls_2 RENAME TO urls;
CREATE UNIQUE INDEX urls_key ON urls (url_key, crawl_id);
CREATE INDEX urls_open ON urls (crawl_id, host, priority DESC, id) WHERE state = 'open';

CREATE TABLE fetches_2 (
    id            INTEGER PRIMARY KEY,
    crawl_id      INTEGER NOT NULL REFERENCES crawls (id),
    url_key       BLOB NOT NULL,
    token         INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('page', 'robots', 'sitemap')),
    url           TEXT NOT NULL,
    host          TEXT NOT NULL,
    visit         INTEGER,
    attempt       INTEGER,
    status        INTEGER,
    error         TEXT,
    outcome       TEXT NOT NULL,
    detail        TEXT,
    started_at    TEXT NOT NULL,
    first_byte_ms INTEGER,
    total_ms      INTEGER NOT NULL,
    wire_bytes    INTEGER NOT NULL,
    bytes         INTEGER NOT NULL
);
INSERT INTO fetches_2 SELECT * FROM fetches;
DROP TABLE fetches;
ALTER TABLE fetches_2 RENAME TO fetches;
CREATE UNIQUE INDEX fetches_key ON fetches (url_key, crawl_id, token, kind);
