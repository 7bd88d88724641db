-- What is opened, or was open already, is parked no longer.
DELETE FROM skipped WHERE id IN (VALUES /*rows*/)
