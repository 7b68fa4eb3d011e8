-- The node that runs a session. Until now there was one.
ALTER TABLE sessions ADD COLUMN node text NOT NULL DEFAULT 'main';

-- The servers that share this database, each by the name that it was given. Each counts up its `beats` while it lives, and
-- keeps here what its last sweep found. No part of the log: nobody needs to know tomorrow.
CREATE TABLE nodes (
    name   text   COLLATE "C" NOT NULL PRIMARY KEY,
    url    text   NOT NULL,
    beats  bigint NOT NULL CHECK (beats > 0),
    report json   NOT NULL
);
