-- The same tables as SQLite's, in the types that PostgreSQL has for them.

-- One row. Each transaction that changes sessions, events, people or the catalogue locks it first and writes it last, so
-- over all nodes they happen one after the other, and whoever sees revision n sees everything up to n. The head is the
-- hash of the last event (crates/store/src/chain.rs), `events` how many there are.
CREATE TABLE log (
    single   boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    revision bigint  NOT NULL CHECK (revision >= 0),
    events   bigint  NOT NULL CHECK (events >= 0),
    head     bytea   NOT NULL CHECK (length(head) = 32)
);
INSERT INTO log (revision, events, head) VALUES (0, 0, decode(repeat('00', 32), 'hex'));

-- A role that is not known reads as User, so there is no CHECK on it.
CREATE TABLE users (
    id            uuid        NOT NULL PRIMARY KEY,
    username      text        NOT NULL,
    folded        text        COLLATE "C" NOT NULL UNIQUE,
    password_hash text        NOT NULL,
    role          text        NOT NULL,
    created_at    timestamptz NOT NULL,
    blocked       boolean     NOT NULL
);

CREATE TABLE logins (
    token_hash bytea       NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id    uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);
CREATE INDEX logins_by_user ON logins (user_id);

CREATE TABLE preferences (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name    text COLLATE "C" NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (user_id, name)
);

CREATE TABLE environments (
    id   uuid    NOT NULL PRIMARY KEY,
    name text    COLLATE "C" NOT NULL UNIQUE,
    kind text    NOT NULL,
    open boolean NOT NULL
);

CREATE TABLE applications (
    id             uuid    NOT NULL PRIMARY KEY,
    name           text    COLLATE "C" NOT NULL UNIQUE,
    launch_text    text    NOT NULL,
    environment_id uuid    NOT NULL REFERENCES environments (id),
    command        json    NOT NULL CHECK (json_typeof(command) = 'array'),
    policy         json    NOT NULL CHECK (json_typeof(policy) = 'object'),
    seats          bigint  CHECK (seats BETWEEN 0 AND 4294967295),
    open           boolean NOT NULL
);
CREATE INDEX applications_by_environment ON applications (environment_id);

-- Names and limits are those at launch. No foreign keys: history outlives the catalogue.
CREATE TABLE sessions (
    id              uuid        NOT NULL PRIMARY KEY,
    environment_id  uuid        NOT NULL,
    environment     text        NOT NULL,
    application_id  uuid        NOT NULL,
    application     text        NOT NULL,
    user_id         uuid        NOT NULL,
    username        text        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('pending', 'active', 'error', 'expired')),
    access_epoch    bigint      NOT NULL CHECK (access_epoch BETWEEN 0 AND 4294967295),
    started_at      timestamptz NOT NULL,
    ready_at        timestamptz,
    valid_until     timestamptz NOT NULL,
    connected_since timestamptz,
    disconnected_at timestamptz,
    ended_at        timestamptz,
    ended_by        text,
    end_reason      text CHECK (end_reason IN ('admin', 'user', 'valid_until', 'never_connected', 'disconnected', 'application_closed',
        'user_blocked', 'user_removed', 'environment_closed', 'application_withdrawn')),
    end_note        text,
    error           text,
    teardown        text        NOT NULL CHECK (teardown IN ('not_needed', 'wanted', 'confirmed', 'given_up')),
    blocked_until   timestamptz,
    policy          json        NOT NULL CHECK (json_typeof(policy) = 'object'),
    version         bigint      NOT NULL CHECK (version > 0),
    CHECK (connected_since IS NULL OR status = 'active'),
    CHECK ((ended_at IS NOT NULL) = (status = 'expired')),
    CHECK ((ended_by IS NULL) = (ended_at IS NULL)),
    CHECK ((end_reason IS NULL) = (ended_at IS NULL)),
    CHECK (end_note IS NULL OR ended_at IS NOT NULL),
    CHECK (blocked_until IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX sessions_live_of_user ON sessions (user_id, application_id) WHERE status IN ('pending', 'active');
CREATE INDEX sessions_live_of_application ON sessions (application_id) WHERE status IN ('pending', 'active');
CREATE INDEX sessions_by_version ON sessions (version);
CREATE INDEX sessions_to_purge ON sessions (ended_at, id) WHERE teardown IN ('confirmed', 'given_up');
CREATE INDEX sessions_unended ON sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX sessions_blocked ON sessions (user_id, application_id) WHERE blocked_until IS NOT NULL;

-- `id` is the order in which things happened, from 1 and without a gap. A refused launch has no session, a batch has many, a
-- change of people or of the catalogue none. The JSON is kept letter by letter, because the hash is over its letters. The
-- batch is a column of its own: PostgreSQL can't look into JSON in which somebody wrote a NUL.
CREATE TABLE events (
    id         bigint      NOT NULL PRIMARY KEY CHECK (id > 0),
    revision   bigint      NOT NULL,
    session_id uuid,
    batch_id   uuid,
    at         timestamptz NOT NULL,
    kind       text        NOT NULL,
    actor      json        NOT NULL,
    what       json        NOT NULL,
    hash       bytea       NOT NULL CHECK (length(hash) = 32),
    CHECK ((batch_id IS NOT NULL) = (kind = 'batch_expired')),
    CHECK (session_id IS NOT NULL OR kind IN ('launch_refused', 'batch_expired', 'application_changed', 'environment_changed', 'user_changed'))
);
CREATE INDEX events_of_session ON events (session_id, id) WHERE session_id IS NOT NULL;
-- The Audit page reads the events from the newest on, and between two moments.
CREATE INDEX events_by_time ON events (at, id);
CREATE INDEX events_purged ON events (revision, id) WHERE kind = 'purged';
CREATE UNIQUE INDEX events_batches ON events (batch_id) WHERE batch_id IS NOT NULL;

-- What happened stays as it was written. Whoever gets around this breaks the chain of hashes.
CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed or removed';
END
$$;
CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_stay();

-- One row: when the last sweep was granted.
CREATE TABLE sweeps (
    single     boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (single),
    granted_at timestamptz NOT NULL
);
