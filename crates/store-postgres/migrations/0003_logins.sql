-- Sign-ins are events now. The code knows which kinds belong to a session.
ALTER TABLE events DROP CONSTRAINT events_check1;
-- Changes of access: each node ends the logins that they revoke.
CREATE INDEX events_of_access ON events (revision, id) WHERE kind IN ('user_changed', 'signed_out', 'application_changed', 'environment_changed');

-- The hourly removal of old logins.
CREATE INDEX logins_by_use ON logins (seen_at);
CREATE INDEX logins_by_age ON logins (created_at);

-- The networks that a person signed in from: an IPv4 address or an IPv6 /64 prefix. Guesses from other networks never delay these.
CREATE TABLE sign_in_networks (
    user_id uuid        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network text        COLLATE "C" NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, network)
);
CREATE INDEX sign_in_networks_by_use ON sign_in_networks (seen_at);
