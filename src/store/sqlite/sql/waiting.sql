-- What is parked for these things: of each as many as there is room for, the first parked first. Each is walked along its
-- index, one after the other: a limit that differs from row to row can be said in no other way.
WITH RECURSIVE
room (crawl_id, parked, most) AS (VALUES /*rows*/),
waiting (crawl_id, parked, rest, id) AS (
    SELECT crawl_id, parked, most,
           (SELECT min(id) FROM skipped WHERE skipped.crawl_id = room.crawl_id AND skipped.parked = room.parked)
    FROM room
    UNION ALL
    SELECT crawl_id, parked, rest - 1,
           (SELECT min(id) FROM skipped
            WHERE skipped.crawl_id = waiting.crawl_id AND skipped.parked = waiting.parked AND skipped.id > waiting.id)
    FROM waiting WHERE rest > 1 AND id IS NOT NULL
)
SELECT skipped.id, skipped.crawl_id, skipped.parked, url_key, url, host, depth, hops, max_depth, priority, found_on
FROM waiting JOIN skipped ON skipped.id = waiting.id
ORDER BY skipped.id
