-- The Audit page reads the events from the newest on, and between two moments.
CREATE INDEX events_by_time ON events (at, id);
