-- Takes or prolongs the leadership. `clock_timestamp` and not `now`: the row may have been waited for.
INSERT INTO leadership AS l (holder, fence, expires_at)
VALUES ($1, 1, clock_timestamp() + $2::bigint * interval '1 millisecond')
ON CONFLICT (id) DO UPDATE
SET holder = excluded.holder,
    fence = CASE WHEN l.holder = excluded.holder AND l.expires_at > clock_timestamp() THEN l.fence ELSE l.fence + 1 END,
    expires_at = clock_timestamp() + $2::bigint * interval '1 millisecond'
WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()
RETURNING fence
