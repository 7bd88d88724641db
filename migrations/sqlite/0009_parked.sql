-- A URL that a rule against traps or a budget holds back stands in `skipped` with what is needed to open it: `parked` says
-- what for (empty where the URL alone was looked at, else whose count is full), the rest is as in `urls`.
ALTER TABLE skipped ADD COLUMN parked TEXT;
ALTER TABLE skipped ADD COLUMN host TEXT;
ALTER TABLE skipped ADD COLUMN depth INTEGER;
ALTER TABLE skipped ADD COLUMN hops INTEGER;
ALTER TABLE skipped ADD COLUMN max_depth INTEGER;
ALTER TABLE skipped ADD COLUMN priority INTEGER;
CREATE INDEX skipped_parked ON skipped (crawl_id, parked, id) WHERE parked IS NOT NULL;

-- What the rules against traps count of a host, or of the subdomains of a domain (`*.example.org`): numbers of ours.
CREATE TABLE watches (
    crawl_id INTEGER NOT NULL,
    name     TEXT NOT NULL,
    state    BLOB NOT NULL,
    PRIMARY KEY (crawl_id, name)
) WITHOUT ROWID;
