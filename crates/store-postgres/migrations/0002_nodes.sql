-- The node that runs a session. Until now there was one.
ALTER TABLE sessions ADD COLUMN node text NOT NULL DEFAULT 'main';

-- The servers that share this database, each by the name that it was given. `server` is drawn at each start: only the last that
-- started under a name may write into the log. Each counts up its `beats` while it lives, and keeps here what its last sweep found. No part of
-- the log: nobody needs to know tomorrow.
CREATE TABLE nodes (
    name   text   COLLATE "C" NOT NULL PRIMARY KEY,
    server uuid   NOT NULL,
    url    text   NOT NULL,
    beats  bigint NOT NULL CHECK (beats > 0),
    report json   NOT NULL,
    -- By the database's clock, and only to forget one that is gone for good: crates/store/src/postgres/nodes.rs.
    seen_at timestamptz NOT NULL DEFAULT now()
);
