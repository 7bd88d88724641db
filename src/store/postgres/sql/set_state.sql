-- A running crawl has no end; every other state ends the run, and its time is added up.
UPDATE crawls
SET state = $1, run_ms = run_ms + $2, ended_at = CASE $1 WHEN 'running' THEN NULL ELSE $3 END
WHERE id = $4
