-- Homes of people. Environments on a node's host keep them from now on.
ALTER TABLE environments ADD COLUMN homes text CHECK (homes IN ('kept', 'scratch'));
ALTER TABLE environments ADD COLUMN home_limit_mib bigint CHECK (home_limit_mib BETWEEN 1 AND 4294967295);
UPDATE environments SET homes = 'kept', home_limit_mib = 2048 WHERE kind = 'local';

-- The fate of the files of a session, fixed at launch.
ALTER TABLE sessions ADD COLUMN home text CHECK (home IN ('kept', 'scratch'));

-- The owner of a person's files. Rows stay after the removal of the person, so that nobody else ever gets the number.
CREATE TABLE user_numbers (
    number  bigint NOT NULL PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
    user_id uuid   NOT NULL UNIQUE
);
INSERT INTO user_numbers (number, user_id) SELECT row_number() OVER (ORDER BY created_at, id), id FROM users;
CREATE FUNCTION user_numbers_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'numbers of users are never changed or removed';
END
$$;
CREATE TRIGGER user_numbers_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON user_numbers
    FOR EACH STATEMENT EXECUTE FUNCTION user_numbers_stay();
