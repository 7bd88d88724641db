-- A finished crawl that has a new seed is running again.
UPDATE crawls SET state = 'running', ended_at = NULL WHERE id = ? AND state = 'finished'
