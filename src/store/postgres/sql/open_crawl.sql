-- Makes the crawl, or opens it anew: one epoch higher, running. Other crawls are asked for in the same statement, which
-- does not see what it writes itself: has any been there before?
INSERT INTO crawls (name, state, settings, epoch, created_at, started_at, seeded)
VALUES ($1, 'running', $2, 1, $3, $3, 0)
ON CONFLICT (name) DO UPDATE
SET state = 'running', epoch = crawls.epoch + 1, started_at = excluded.started_at, ended_at = NULL
RETURNING id, name, state, settings, epoch, run_ms, seeded, epoch > 1 OR EXISTS (SELECT 1 FROM crawls) AS reopened
