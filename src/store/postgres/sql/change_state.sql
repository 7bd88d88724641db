-- A change of state that an operator asks for, where the crawl is in one of the states from which there is a way.
UPDATE crawls
SET state = $1, ended_at = CASE $1 WHEN 'running' THEN NULL ELSE $2 END
WHERE id = $3 AND state = ANY ($4)
