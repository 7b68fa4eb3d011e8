-- Heads of the chain of events, signed with a key that is kept outside the database: crates/store/src/chain.rs.
CREATE TABLE checkpoints (
    event INTEGER NOT NULL PRIMARY KEY CHECK (event >= 0),
    hash  BLOB NOT NULL CHECK (length(hash) = 32),
    at    INTEGER NOT NULL,
    mac   BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER checkpoints_are_never_changed BEFORE UPDATE ON checkpoints BEGIN
    SELECT raise(ABORT, 'checkpoints are never changed');
END;
CREATE TRIGGER checkpoints_are_never_removed BEFORE DELETE ON checkpoints BEGIN
    SELECT raise(ABORT, 'checkpoints are never removed');
END;

-- A password that somebody else drew is changed by its owner at the first sign-in.
ALTER TABLE users ADD COLUMN must_change_password INTEGER NOT NULL DEFAULT 0 CHECK (must_change_password IN (0, 1));
