-- Heads of the chain of events, signed with a key that is kept outside the database: crates/store/src/chain.rs.
CREATE TABLE checkpoints (
    event bigint      NOT NULL PRIMARY KEY CHECK (event >= 0),
    hash  bytea       NOT NULL CHECK (length(hash) = 32),
    at    timestamptz NOT NULL,
    mac   bytea       NOT NULL CHECK (length(mac) = 32)
);
CREATE FUNCTION checkpoints_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints are never changed or removed';
END
$$;
CREATE TRIGGER checkpoints_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_stay();

-- A password that somebody else drew is changed by its owner at the first sign-in.
ALTER TABLE users ADD COLUMN must_change_password boolean NOT NULL DEFAULT false;
