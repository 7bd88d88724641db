-- One file is one installation: crawls, and what became of every URL. Times are RFC 3339 text in UTC with
-- milliseconds, which sort as text; spans are integers in milliseconds; sizes are integers in bytes.

-- A named run. `settings` is the JSON of what it was started with; `epoch` grows each time a process opens it.
CREATE TABLE crawls (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL CHECK (state IN ('running', 'paused', 'waiting', 'limited', 'finished')),
    settings   TEXT NOT NULL,
    epoch      INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at   TEXT,
    run_ms     INTEGER NOT NULL DEFAULT 0
);

-- What is known of a host: the unit of politeness, for all crawls of the file.
CREATE TABLE hosts (
    host              TEXT PRIMARY KEY,
    crawl_delay_ms    INTEGER,
    block_until       TEXT,
    strikes           INTEGER NOT NULL DEFAULT 0,
    robots            TEXT,
    robots_status     INTEGER,
    robots_fetched_at TEXT,
    noted_at          TEXT NOT NULL
) WITHOUT ROWID;

-- Every URL that was ever admitted. This table is the frontier: open rows are to be visited.
-- `url_key` is the first 16 bytes of BLAKE3 over the canonical URL; `url` is what is fetched.
CREATE TABLE urls (
    id          INTEGER PRIMARY KEY,
    crawl_id    INTEGER NOT NULL REFERENCES crawls (id),
    url_key     BLOB NOT NULL,
    url         TEXT NOT NULL,
    host        TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'stored', 'redirected', 'failed', 'excluded')),
    reason      TEXT,
    depth       INTEGER NOT NULL,
    hops        INTEGER NOT NULL DEFAULT 0,
    max_depth   INTEGER,
    priority    INTEGER NOT NULL DEFAULT 5,
    seed        TEXT,
    visit       INTEGER NOT NULL DEFAULT 1,
    attempt     INTEGER NOT NULL DEFAULT 1,
    throttled   INTEGER NOT NULL DEFAULT 0,
    due_at      TEXT,
    redirect_to TEXT,
    found_on    TEXT,
    found_at    TEXT NOT NULL,
    closed_at   TEXT
);
CREATE UNIQUE INDEX urls_key ON urls (url_key, crawl_id);
-- The queue of one host in its order; only open rows stand in it.
CREATE INDEX urls_open ON urls (crawl_id, host, priority DESC, id) WHERE state = 'open';

-- 2xx answers, one row a URL and visit.
CREATE TABLE pages (
    id               INTEGER PRIMARY KEY,
    crawl_id         INTEGER NOT NULL REFERENCES crawls (id),
    url_key          BLOB NOT NULL,
    visit            INTEGER NOT NULL,
    url              TEXT NOT NULL,
    host             TEXT NOT NULL,
    status           INTEGER NOT NULL,
    title            TEXT,
    description      TEXT,
    canonical        TEXT,
    robots           TEXT,
    language         TEXT,
    headings         TEXT,
    text             TEXT,
    extracted        TEXT,
    content_type     TEXT,
    charset          TEXT,
    bytes            INTEGER NOT NULL,
    truncated        TEXT,
    content_hash     TEXT NOT NULL,
    etag             TEXT,
    last_modified    TEXT,
    depth            INTEGER NOT NULL,
    fetched_at       TEXT NOT NULL,
    links_total      INTEGER NOT NULL DEFAULT 0,
    links_packed     TEXT
);
CREATE UNIQUE INDEX pages_key ON pages (url_key, crawl_id, visit);

-- The outlinks of every page. They are kept as one JSON value a page: [[base], [url, anchor, rel, source], ...], in
-- which a url that begins with '/' is on the origin that stands first.
CREATE VIEW links (crawl_id, source_url, url, anchor, rel, element) AS
SELECT p.crawl_id, p.url,
       CASE WHEN substr(l.value ->> 0, 1, 1) = '/' THEN (p.links_packed ->> '$[0][0]') || (l.value ->> 0) ELSE l.value ->> 0 END,
       l.value ->> 1, l.value ->> 2, l.value ->> 3
FROM pages AS p, json_each(p.links_packed) AS l
WHERE l.key > 0;

-- Every request, robots.txt included; one row a lease token and URL.
CREATE TABLE fetches (
    id            INTEGER PRIMARY KEY,
    crawl_id      INTEGER NOT NULL REFERENCES crawls (id),
    url_key       BLOB NOT NULL,
    token         INTEGER NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('page', 'robots')),
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
CREATE UNIQUE INDEX fetches_key ON fetches (url_key, token);

-- URLs that were found and not fetched, one row a URL and reason.
CREATE TABLE skipped (
    id         INTEGER PRIMARY KEY,
    crawl_id   INTEGER NOT NULL REFERENCES crawls (id),
    url_key    BLOB NOT NULL,
    url        TEXT NOT NULL,
    reason     TEXT NOT NULL,
    detail     TEXT,
    found_on   TEXT,
    skipped_at TEXT NOT NULL
);
CREATE UNIQUE INDEX skipped_key ON skipped (url_key, crawl_id, reason);

-- URLs that were given up, with the evidence.
CREATE TABLE dead_letters (
    id        INTEGER PRIMARY KEY,
    crawl_id  INTEGER NOT NULL REFERENCES crawls (id),
    url_key   BLOB NOT NULL,
    url       TEXT NOT NULL,
    host      TEXT NOT NULL,
    visit     INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    detail    TEXT,
    status    INTEGER,
    attempts  INTEGER NOT NULL,
    found_on  TEXT,
    died_at   TEXT NOT NULL
);
CREATE UNIQUE INDEX dead_letters_key ON dead_letters (url_key, crawl_id, visit);
