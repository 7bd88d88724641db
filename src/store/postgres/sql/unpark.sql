-- What is opened, or was open already, is parked no longer. By key, as every statement locks its rows.
WITH gone AS (
    SELECT id FROM skipped WHERE id = ANY ($1) ORDER BY url_key, crawl_id, reason FOR UPDATE
)
DELETE FROM skipped USING gone WHERE skipped.id = gone.id
