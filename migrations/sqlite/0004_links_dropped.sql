-- Links of a page that were neither kept nor followed, since it had more of them, or longer ones, than the limits allow.
ALTER TABLE pages ADD COLUMN links_dropped INTEGER NOT NULL DEFAULT 0;
