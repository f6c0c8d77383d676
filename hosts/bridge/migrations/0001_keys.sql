-- Keys that sign tokens. The generation is a key of its own: of several replicas that
-- rotate at once, one inserts it.
CREATE TABLE signing_keys (
    generation BIGINT NOT NULL PRIMARY KEY,
    kid TEXT NOT NULL UNIQUE,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    -- The private key, under a master key. Absent where it is in a file.
    sealed TEXT,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL
);
