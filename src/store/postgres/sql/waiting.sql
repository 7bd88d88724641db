-- What is parked for these things: of each as many as there is room for, the first parked first.
SELECT waiting.*
FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS room (crawl_id, parked, most)
CROSS JOIN LATERAL (
    SELECT skipped.id, skipped.crawl_id, skipped.parked, url_key, url, host, depth, hops, max_depth, priority, found_on
    FROM skipped
    WHERE skipped.crawl_id = room.crawl_id AND skipped.parked = room.parked
    ORDER BY skipped.id
    LIMIT room.most
) AS waiting
ORDER BY waiting.id
