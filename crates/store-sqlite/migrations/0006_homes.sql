-- Homes of people. Environments on this host keep them from now on.
ALTER TABLE environments ADD COLUMN homes TEXT CHECK (homes IN ('kept', 'scratch'));
ALTER TABLE environments ADD COLUMN home_limit_mib INTEGER CHECK (home_limit_mib BETWEEN 1 AND 4294967295);
UPDATE environments SET homes = 'kept', home_limit_mib = 2048 WHERE kind = 'local';

-- The fate of the files of a session, fixed at launch.
ALTER TABLE sessions ADD COLUMN home TEXT CHECK (home IN ('kept', 'scratch'));

-- The owner of a person's files. Rows stay after the removal of the person, so that nobody else ever gets the number.
CREATE TABLE user_numbers (
    number  INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    user_id BLOB NOT NULL UNIQUE CHECK (length(user_id) = 16)
) STRICT;
INSERT INTO user_numbers (number, user_id) SELECT row_number() OVER (ORDER BY created_at, id), id FROM users;
CREATE TRIGGER user_numbers_are_never_changed BEFORE UPDATE ON user_numbers BEGIN
    SELECT raise(ABORT, 'numbers of users are never changed');
END;
CREATE TRIGGER user_numbers_are_never_removed BEFORE DELETE ON user_numbers BEGIN
    SELECT raise(ABORT, 'numbers of users are never removed');
END;
