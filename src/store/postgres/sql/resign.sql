-- The next may lead at once; a stale fence changes nothing.
UPDATE leadership SET expires_at = '-infinity' WHERE fence = $1
