-- URLs of one crawl by state, in one pass: a GROUP BY would sort millions of rows first.
SELECT count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state = 'stored') AS stored,
       count(*) FILTER (WHERE state = 'redirected') AS redirected, count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state = 'excluded') AS excluded, count(*) FILTER (WHERE state = 'read') AS read
FROM urls
WHERE crawl_id = $1
