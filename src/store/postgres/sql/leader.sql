-- Who leads now, by the clock of the database, and for how many milliseconds more.
SELECT holder, fence, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint
FROM leadership
WHERE expires_at > clock_timestamp()
