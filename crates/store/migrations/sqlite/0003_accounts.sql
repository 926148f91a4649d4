-- Accounts are what other systems know people by; a binding ties a member to one. An account's number is never given
-- away again (AUTOINCREMENT). username_key and email_key are in lower case; '' is not known.

CREATE TABLE accounts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    username_key TEXT   NOT NULL UNIQUE,
    username     TEXT   NOT NULL,
    mobile       TEXT   NOT NULL,
    email        TEXT   NOT NULL,
    email_key    TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX accounts_by_mobile ON accounts (mobile) WHERE mobile <> '';
CREATE INDEX accounts_by_email ON accounts (email_key) WHERE email_key <> '';

-- One member, one account: the key.
CREATE TABLE bindings (
    corp_id    TEXT   NOT NULL,
    user_key   TEXT   NOT NULL,
    user_id    TEXT   NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    bound_by   TEXT   NOT NULL, -- registered, matched, member, administrator, import
    bound_at   BIGINT NOT NULL,
    PRIMARY KEY (corp_id, user_key)
);
CREATE INDEX bindings_of_account ON bindings (account_id);

-- The account that a session was begun for; it stays the same as long as the session lives.
ALTER TABLE sessions ADD COLUMN account_id BIGINT REFERENCES accounts (id);

CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT   NOT NULL UNIQUE,
    key_hash     TEXT   NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT -- to the hour
);
