-- Providers that organisations connect. Those of the platform are in the configuration.
CREATE TABLE providers (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    -- Sealed.
    client_secret TEXT,
    -- JSON: scopes, algorithms, roles.
    settings TEXT NOT NULL,
    -- validated, active, disabled
    state TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When it has passed a test, since it was connected or disabled.
    tested_at BIGINT
);
CREATE INDEX providers_by_tenant ON providers (tenant);

-- A person is an issuer and a subject, never an address of mail.
CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    iss TEXT NOT NULL,
    sub TEXT NOT NULL,
    -- For pages only: nothing is decided by it.
    name TEXT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    disabled_at BIGINT,
    UNIQUE (iss, sub)
);

-- The bridge's own table of members, where no tenancy service is asked.
CREATE TABLE members (
    tenant TEXT NOT NULL,
    person TEXT NOT NULL,
    -- JSON: a list of texts.
    roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, person)
);
CREATE INDEX members_by_person ON members (person);

CREATE TABLE sessions (
    -- SHA-256 of the cookie, in hex.
    hash TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    provider TEXT NOT NULL,
    -- The organisation whose provider it was; absent: the platform's.
    tenant TEXT,
    -- JSON: what the ID token said that is needed later.
    claims TEXT NOT NULL,
    -- Sealed: the ID token, as the hint of a logout at the provider.
    id_token TEXT,
    -- SHA-256 of the provider's `sid`, in hex.
    upstream_sid TEXT,
    auth_time BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person);
CREATE INDEX sessions_by_provider ON sessions (provider, hash);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE login_attempts (
    -- SHA-256 of `state`, in hex.
    state_hash TEXT NOT NULL PRIMARY KEY,
    -- SHA-256 of the cookie of the browser that began, in hex.
    browser_hash TEXT NOT NULL,
    provider TEXT NOT NULL,
    -- Sealed: the nonce and the verifier of PKCE.
    secrets TEXT NOT NULL,
    return_to TEXT NOT NULL,
    -- login, or test of a provider
    purpose TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- Once only.
    used_at BIGINT
);
CREATE INDEX login_attempts_by_expiry ON login_attempts (expires_at);
