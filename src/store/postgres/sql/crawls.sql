-- Every crawl, the oldest first. Whoever reads this has not opened it: somebody else was here before.
SELECT id, name, state, settings, epoch, run_ms, seeded, true AS reopened FROM crawls ORDER BY id
