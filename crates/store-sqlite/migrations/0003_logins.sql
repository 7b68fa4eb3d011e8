-- SQLite can't drop a CHECK, so the table is made again without the list of kinds: sign-ins are events now, and the code knows the kinds.
CREATE TABLE events_new (
    id         INTEGER NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL,
    session_id BLOB CHECK (session_id IS NULL OR length(session_id) = 16),
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    actor      TEXT NOT NULL CHECK (json_valid(actor)),
    what       TEXT NOT NULL CHECK (json_valid(what)),
    hash       BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO events_new SELECT id, revision, session_id, at, kind, actor, what, hash FROM events ORDER BY id;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events BEGIN
    SELECT raise(ABORT, 'events are never changed');
END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events BEGIN
    SELECT raise(ABORT, 'events are never removed');
END;
CREATE INDEX events_of_session ON events (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX events_by_time ON events (at, id);
CREATE INDEX events_purged ON events (revision) WHERE kind = 'purged';
CREATE UNIQUE INDEX events_batches ON events (json_extract(what, '$.batch')) WHERE kind = 'batch_expired';
-- Changes of access: each node ends the logins that they revoke.
CREATE INDEX events_of_access ON events (revision, id) WHERE kind IN ('user_changed', 'signed_out', 'application_changed', 'environment_changed');

-- The hourly removal of old logins.
CREATE INDEX logins_by_use ON logins (seen_at);
CREATE INDEX logins_by_age ON logins (created_at);

-- The networks that a person signed in from: an IPv4 address or an IPv6 /64 prefix. Guesses from other networks never delay these.
CREATE TABLE sign_in_networks (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_networks_by_use ON sign_in_networks (seen_at);
