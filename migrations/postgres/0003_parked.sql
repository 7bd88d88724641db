-- A URL that a rule against traps or a budget holds back stands in `skipped` with what is needed to open it: `parked` says
-- what for (empty where the URL alone was looked at, else whose count is full), the rest is as in `urls`.
ALTER TABLE skipped
    ADD COLUMN parked    text COLLATE "C",
    ADD COLUMN host      text COLLATE "C",
    ADD COLUMN depth     integer,
    ADD COLUMN hops      smallint,
    ADD COLUMN max_depth integer,
    ADD COLUMN priority  smallint;
CREATE INDEX skipped_parked ON skipped (crawl_id, parked, id) WHERE parked IS NOT NULL;

-- What the rules against traps count of a host, or of the subdomains of a domain (`*.example.org`): numbers of ours.
CREATE TABLE watches (
    crawl_id bigint NOT NULL,
    name     text COLLATE "C" NOT NULL,
    state    bytea NOT NULL,
    PRIMARY KEY (crawl_id, name)
);
