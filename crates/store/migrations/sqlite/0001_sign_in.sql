-- Moments are milliseconds since the Unix epoch. user_key is the userId in lower case.

CREATE TABLE members (
    id              INTEGER PRIMARY KEY,
    corp_id         TEXT    NOT NULL,
    user_key        TEXT    NOT NULL,
    user_id         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    alias           TEXT    NOT NULL,
    position        TEXT    NOT NULL,
    mobile          TEXT    NOT NULL,
    email           TEXT    NOT NULL,
    biz_mail        TEXT    NOT NULL,
    avatar          TEXT    NOT NULL,
    gender          TEXT    NOT NULL,
    departments     TEXT    NOT NULL, -- JSON array of numbers
    leads           TEXT    NOT NULL, -- JSON array of numbers
    main_department BIGINT,
    status          BIGINT,
    read_at         BIGINT  NOT NULL,
    left_at         BIGINT,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    UNIQUE (corp_id, user_key)
);

CREATE TABLE departments (
    corp_id       TEXT   NOT NULL,
    department_id BIGINT NOT NULL,
    name          TEXT   NOT NULL,
    parent_id     BIGINT,
    sort_order    BIGINT NOT NULL,
    PRIMARY KEY (corp_id, department_id)
);

CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    sign_in    TEXT   UNIQUE, -- fingerprint of the redirect that made it: one redirect, one session
    corp_id    TEXT   NOT NULL,
    user_key   TEXT   NOT NULL,
    instance   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT,
    end_reason TEXT
);
CREATE INDEX sessions_of_member ON sessions (corp_id, user_key) WHERE ended_at IS NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE key_values (
    key        TEXT   NOT NULL PRIMARY KEY,
    value      TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX key_values_by_expiry ON key_values (expires_at);
