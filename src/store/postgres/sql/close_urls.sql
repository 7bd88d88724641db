-- Moves each visit that is open and whose visit number, attempt and throttle count are the report's: the gate of the
-- transaction. The rows are locked in the order of their keys, so that no two batches wait for each other; a row that
-- another batch has just moved is looked at again once that one is committed. The state is asked for in a way that no index knows:
-- the statement is planned while the table is empty, and all that is open then seems to be the shorter list to search.
WITH gate AS (
    SELECT urls.id, r.state, r.attempt, r.throttled, r.due_at, r.reason, r.redirect_to, r.at
    FROM unnest($1::bytea[], $2::bigint[], $3::integer[], $4::integer[], $5::integer[], $6::text[], $7::integer[],
                $8::integer[], $9::text[], $10::text[], $11::text[], $12::text[])
         AS r (url_key, crawl_id, visit, was_attempt, was_throttled, state, attempt, throttled, due_at, reason,
               redirect_to, at)
    JOIN urls ON urls.url_key = r.url_key AND urls.crawl_id = r.crawl_id
    WHERE urls.state || '' = 'open' AND urls.visit = r.visit AND urls.attempt = r.was_attempt
      AND urls.throttled = r.was_throttled
    ORDER BY urls.url_key, urls.crawl_id
    FOR NO KEY UPDATE OF urls
)
UPDATE urls
SET state = gate.state, attempt = gate.attempt, throttled = gate.throttled, due_at = gate.due_at,
    reason = gate.reason, redirect_to = gate.redirect_to,
    closed_at = CASE gate.state WHEN 'open' THEN NULL ELSE gate.at END
FROM gate
WHERE urls.id = gate.id
RETURNING urls.crawl_id, urls.url_key
