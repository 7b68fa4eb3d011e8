-- Uploaded icons, decoded and encoded again by the server, under the SHA-256 of their bytes.
CREATE TABLE pictures (
    hash     bytea       NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    png      bytea       NOT NULL,
    added_at timestamptz NOT NULL
);

-- The icon is one that the server has, or a picture.
ALTER TABLE applications ADD COLUMN description text NOT NULL DEFAULT '';
ALTER TABLE applications ADD COLUMN category text NOT NULL DEFAULT '';
ALTER TABLE applications ADD COLUMN icon text;
ALTER TABLE applications ADD COLUMN picture bytea REFERENCES pictures (hash);
CREATE INDEX applications_by_picture ON applications (picture) WHERE picture IS NOT NULL;

-- The favourites of a person, and the last launch of each application. Ended sessions are purged after two days, so the
-- launch writes its time here.
CREATE TABLE own_applications (
    user_id        uuid    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application_id uuid    NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    favourite      boolean NOT NULL DEFAULT false,
    used_at        timestamptz,
    PRIMARY KEY (user_id, application_id)
);
INSERT INTO own_applications (user_id, application_id, used_at)
    SELECT user_id, application_id, max(started_at) FROM sessions
    WHERE user_id IN (SELECT id FROM users) AND application_id IN (SELECT id FROM applications)
    GROUP BY user_id, application_id;
