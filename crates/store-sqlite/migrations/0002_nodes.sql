-- The node that runs a session. Until now there was one.
ALTER TABLE sessions ADD COLUMN node TEXT NOT NULL DEFAULT 'main';
