-- What may come once: assertions, join tokens, proofs.
CREATE TABLE used_jtis (
    -- Whose `jti` it is: a use, and its issuer.
    issuer TEXT NOT NULL,
    -- SHA-256, in hex.
    jti_hash TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti_hash)
);
CREATE INDEX used_jtis_by_expiry ON used_jtis (expires_at);

-- Every token that is not expired, never the token itself.
CREATE TABLE issued (
    jti TEXT NOT NULL PRIMARY KEY,
    class TEXT NOT NULL,
    subject TEXT NOT NULL,
    tenant TEXT,
    client TEXT NOT NULL,
    kid TEXT NOT NULL,
    -- The session, the node, or the `jti` of the token that it was made from.
    session TEXT,
    node TEXT,
    parent TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX issued_by_subject ON issued (subject);
CREATE INDEX issued_by_session ON issued (session);
CREATE INDEX issued_by_node ON issued (node);
CREATE INDEX issued_by_parent ON issued (parent);
CREATE INDEX issued_by_expiry ON issued (expires_at);

-- The document that gates read is made from this.
CREATE TABLE revocations (
    -- jti, sub, kid
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    -- Of a subject: tokens from before this second.
    issued_before_s BIGINT,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- When all that it revokes is expired.
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX revocations_by_expiry ON revocations (expires_at);
