-- Draws an epoch only while the fence leads: its row is locked, so that nobody takes over in between.
WITH leader AS MATERIALIZED (
    SELECT fence FROM leadership WHERE fence = $1 AND expires_at > clock_timestamp() FOR SHARE
)
SELECT nextval('epochs') FROM leader
