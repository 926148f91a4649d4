-- A bearer session has a pair: one refresh token that is good, and the access tokens that it was changed for. Tokens are kept
-- as SHA-256. The pair is the session's: with the session it lives, ends and goes.

CREATE TABLE token_pairs (
    session_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    family_hash  TEXT COLLATE "C" NOT NULL UNIQUE, -- of the part that all refresh tokens of the session share
    refresh_hash TEXT COLLATE "C" NOT NULL,        -- of the one that is good
    access_hash  TEXT COLLATE "C" NOT NULL,        -- of the access token issued last
    spent_hash   TEXT COLLATE "C" NOT NULL,        -- of the refresh token spent last; '' before the first refresh
    retry_hash   TEXT COLLATE "C" NOT NULL,        -- of the retry key that came with it, or ''
    salt         TEXT COLLATE "C" NOT NULL,        -- with that token and that key: what the pair was derived from, or ''
    issued_at    BIGINT NOT NULL
);

CREATE TABLE access_tokens (
    token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_of_session ON access_tokens (session_id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
