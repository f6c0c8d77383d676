CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    -- HMAC-SHA-256 of the whole key by the pepper of this version, in hex.
    hash TEXT NOT NULL UNIQUE,
    pepper TEXT NOT NULL,
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    tenant TEXT NOT NULL,
    -- JSON: lists of texts.
    roles TEXT NOT NULL,
    scopes TEXT NOT NULL,
    -- active, revoked
    state TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant);
CREATE INDEX api_keys_by_creator ON api_keys (created_by);
