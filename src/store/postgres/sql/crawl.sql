-- The crawl of a name.
SELECT id, name, state, settings, epoch, run_ms, seeded, true AS reopened FROM crawls WHERE name = $1
