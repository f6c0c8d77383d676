-- Clients beside those of the configuration.
CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of the secret, in hex. A secret is random and long.
    secret_hash TEXT,
    -- JSON: as a client of the configuration.
    settings TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    disabled_at BIGINT
);
