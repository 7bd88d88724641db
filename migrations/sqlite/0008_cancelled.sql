-- A crawl that the operator gave up is `cancelled`. A CHECK cannot be changed in place, so the table is written anew.
CREATE TABLE crawls_2 (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL CHECK (state IN ('running', 'paused', 'waiting', 'limited', 'finished', 'cancelled')),
    settings   TEXT NOT NULL,
    epoch      INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    started_at TEXT,
    ended_at   TEXT,
    run_ms     INTEGER NOT NULL DEFAULT 0,
    seeded     INTEGER NOT NULL DEFAULT 1 CHECK (seeded IN (0, 1))
);
INSERT INTO crawls_2 SELECT * FROM crawls;
DROP TABLE crawls;
ALTER TABLE crawls_2 RENAME TO crawls;
