-- Ids are the 16 bytes of a UUID, times are microseconds since 1970 in UTC.

-- One row. Its number is raised last in each transaction that changes sessions or events, so whoever sees revision n sees
-- everything up to n. The head is the hash of the last event: see crates/store/src/chain.rs.
CREATE TABLE log (
    only     INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL,
    head     BLOB NOT NULL CHECK (length(head) = 32)
) STRICT;
INSERT INTO log (only, revision, head) VALUES (1, 0, zeroblob(32));

-- A role that is not known reads as User, so there is no CHECK on it.
CREATE TABLE users (
    id            BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    username      TEXT NOT NULL,
    folded        TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    blocked       INTEGER NOT NULL CHECK (blocked IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    token_hash BLOB NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_by_user ON logins (user_id);

CREATE TABLE preferences (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (user_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE environments (
    id   BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    open INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE applications (
    id             BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name           TEXT NOT NULL UNIQUE,
    launch_text    TEXT NOT NULL,
    environment_id BLOB NOT NULL REFERENCES environments (id),
    command        TEXT NOT NULL CHECK (json_type(command) = 'array'),
    policy         TEXT NOT NULL CHECK (json_type(policy) = 'object'),
    seats          INTEGER CHECK (seats >= 0),
    open           INTEGER NOT NULL CHECK (open IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX applications_by_environment ON applications (environment_id);

-- Names and limits are those at launch. No foreign keys: history outlives the catalogue.
CREATE TABLE sessions (
    id              BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    environment_id  BLOB NOT NULL CHECK (length(environment_id) = 16),
    environment     TEXT NOT NULL,
    application_id  BLOB NOT NULL CHECK (length(application_id) = 16),
    application     TEXT NOT NULL,
    user_id         BLOB NOT NULL CHECK (length(user_id) = 16),
    username        TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('pending', 'active', 'error', 'expired')),
    access_epoch    INTEGER NOT NULL CHECK (access_epoch BETWEEN 0 AND 4294967295),
    started_at      INTEGER NOT NULL,
    ready_at        INTEGER,
    valid_until     INTEGER NOT NULL,
    connected_since INTEGER,
    disconnected_at INTEGER,
    ended_at        INTEGER,
    ended_by        TEXT,
    end_reason      TEXT CHECK (end_reason IN ('admin', 'user', 'valid_until', 'never_connected', 'disconnected', 'application_closed',
        'user_blocked', 'user_removed', 'environment_closed', 'application_withdrawn')),
    end_note        TEXT,
    error           TEXT,
    teardown        TEXT NOT NULL CHECK (teardown IN ('not_needed', 'wanted', 'confirmed', 'given_up')),
    blocked_until   INTEGER,
    policy          TEXT NOT NULL CHECK (json_type(policy) = 'object'),
    version         INTEGER NOT NULL CHECK (version > 0),
    CHECK (connected_since IS NULL OR status = 'active'),
    CHECK ((ended_at IS NOT NULL) = (status = 'expired')),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK ((end_reason IS NULL) = (ended_at IS NULL)),
    CHECK (end_note IS NULL OR ended_at IS NOT NULL),
    CHECK (blocked_until IS NULL OR ended_at IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_live_of_user ON sessions (user_id, application_id) WHERE status IN ('pending', 'active');
CREATE INDEX sessions_live_of_application ON sessions (application_id) WHERE status IN ('pending', 'active');
CREATE INDEX sessions_by_version ON sessions (version);
CREATE INDEX sessions_to_purge ON sessions (ended_at, id) WHERE teardown IN ('confirmed', 'given_up');
CREATE INDEX sessions_unended ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_blocked ON sessions (user_id, application_id) WHERE blocked_until IS NOT NULL;

-- `id` is the order in which things happened. A refused launch has no session, a batch has many, a change of the catalogue none.
CREATE TABLE events (
    id         INTEGER NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL,
    session_id BLOB CHECK (session_id IS NULL OR length(session_id) = 16),
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    actor      TEXT NOT NULL CHECK (json_valid(actor)),
    what       TEXT NOT NULL CHECK (json_valid(what)),
    hash       BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK (session_id IS NOT NULL OR kind IN ('launch_refused', 'batch_expired', 'application_changed', 'environment_changed', 'user_changed'))
) STRICT;
-- What happened stays as it was written. Whoever gets around this breaks the chain of hashes.
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events BEGIN
    SELECT raise(ABORT, 'events are never changed');
END;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events BEGIN
    SELECT raise(ABORT, 'events are never removed');
END;
CREATE INDEX events_of_session ON events (session_id, id) WHERE session_id IS NOT NULL;
-- The Audit page reads the events from the newest on, and between two moments.
CREATE INDEX events_by_time ON events (at, id);
CREATE INDEX events_purged ON events (revision) WHERE kind = 'purged';
CREATE UNIQUE INDEX events_batches ON events (json_extract(what, '$.batch')) WHERE kind = 'batch_expired';

-- One row: when the last sweep was granted.
CREATE TABLE sweeps (
    only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    granted_at INTEGER NOT NULL
) STRICT;
