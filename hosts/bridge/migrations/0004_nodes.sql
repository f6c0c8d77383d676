CREATE TABLE nodes (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    client TEXT NOT NULL,
    -- Who approved it.
    person TEXT NOT NULL,
    -- JSON: a list of texts.
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    -- JSON: `cnf` of its tokens.
    cnf TEXT,
    -- joining, active, revoked
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX nodes_by_tenant ON nodes (tenant);
CREATE INDEX nodes_by_person ON nodes (person);

CREATE TABLE device_codes (
    -- SHA-256 of the device code, in hex.
    device_hash TEXT NOT NULL PRIMARY KEY,
    user_code_hash TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    -- JSON: a list of texts.
    scopes TEXT NOT NULL,
    audience TEXT NOT NULL,
    cnf TEXT,
    -- What the page shows: the name of the device, and from where it asks.
    device TEXT NOT NULL,
    place TEXT NOT NULL,
    -- pending, approved, denied, used
    state TEXT NOT NULL,
    person TEXT,
    tenant TEXT,
    interval_s BIGINT NOT NULL,
    polled_at BIGINT,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);

-- What a node renews with: a first half that stays, and a second one that is new each
-- time. A first half with another second one is a renewal that was used before, which
-- revokes the node. So a node has one row, however often it renews.
CREATE TABLE node_renewals (
    node TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of the first half, in hex.
    family_hash TEXT NOT NULL UNIQUE,
    -- SHA-256 of the newest one as a whole, in hex.
    hash TEXT NOT NULL UNIQUE,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX node_renewals_by_expiry ON node_renewals (expires_at);
