CREATE TABLE audit (
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT,
    subject TEXT,
    tenant TEXT,
    client TEXT,
    jti TEXT,
    -- JSON, without tokens, secrets and claims.
    detail TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_expiry ON audit (expires_at);

-- Counts in windows of time. A place is a keyed hash cut to a few bits, so that nobody
-- makes more than a bounded number of rows.
CREATE TABLE throttle (
    scope TEXT NOT NULL,
    place BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    hits BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (scope, place, starts_at)
);
CREATE INDEX throttle_by_expiry ON throttle (expires_at);
