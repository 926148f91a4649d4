-- What the members' rows were last written from, in short; see row_hash.rs. NULL is not known.
ALTER TABLE members ADD COLUMN row_hash BIGINT;
CREATE INDEX members_who_left ON members (corp_id) WHERE left_at IS NOT NULL;

-- Whom each app saw at its last sync, and in which shape; members whom no app sees have left.
CREATE TABLE sightings (
    corp_id  TEXT   NOT NULL,
    user_key TEXT   NOT NULL,
    agent_id TEXT   NOT NULL,
    row_hash BIGINT NOT NULL,
    PRIMARY KEY (corp_id, user_key, agent_id)
) WITHOUT ROWID;

CREATE TABLE department_sightings (
    corp_id       TEXT   NOT NULL,
    department_id BIGINT NOT NULL,
    agent_id      TEXT   NOT NULL,
    PRIMARY KEY (corp_id, department_id, agent_id)
) WITHOUT ROWID;

-- The last complete sync of each app.
CREATE TABLE synced_apps (
    corp_id       TEXT   NOT NULL,
    agent_id      TEXT   NOT NULL,
    started_at    BIGINT NOT NULL, -- everybody seen is known to have been there at this moment
    finished_at   BIGINT NOT NULL,
    watched_until BIGINT,          -- the next scheduled sync is not late before; NULL without a schedule
    PRIMARY KEY (corp_id, agent_id)
);

CREATE TABLE sync_runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    corp_id     TEXT   NOT NULL,
    agent_id    TEXT   NOT NULL,
    instance    TEXT   NOT NULL,
    kind        TEXT   NOT NULL, -- company, departments
    started_by  TEXT   NOT NULL,
    forced      BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    phase       TEXT   NOT NULL, -- listing, scope, walk, names, leavers, apply
    cursor      TEXT,            -- of user/list_id
    sight       BIGINT NOT NULL, -- 0 whole; 1 with the listing; 2 somebody may have been there unseen
    note        TEXT   NOT NULL,
    outcome     TEXT,            -- complete, held, incomplete, failed
    problem     TEXT   NOT NULL, -- why, if not complete
    departments BIGINT NOT NULL,
    seen        BIGINT NOT NULL,
    joined      BIGINT NOT NULL,
    changed     BIGINT NOT NULL,
    came_back   BIGINT NOT NULL,
    gone        BIGINT NOT NULL,
    held        BIGINT NOT NULL
);
CREATE INDEX sync_runs_of_app ON sync_runs (corp_id, agent_id, id);

-- What a run has read and not yet applied. Rows of members are appended in the order of arrival; seen_members is
-- their index by key, made once the walk is over.
CREATE TABLE staged_departments (
    run_id        BIGINT NOT NULL,
    department_id BIGINT NOT NULL,
    name          TEXT   NOT NULL,
    parent_id     BIGINT,
    sort_order    BIGINT NOT NULL,
    walked        BIGINT, -- NULL not yet; 1 yes; 0 WeCom refused its members
    PRIMARY KEY (run_id, department_id)
) WITHOUT ROWID;

CREATE TABLE staged_members (
    id              INTEGER PRIMARY KEY,
    run_id          BIGINT NOT NULL,
    user_key        TEXT   NOT NULL,
    user_id         TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    alias           TEXT   NOT NULL,
    position        TEXT   NOT NULL,
    mobile          TEXT   NOT NULL,
    email           TEXT   NOT NULL,
    biz_mail        TEXT   NOT NULL,
    avatar          TEXT   NOT NULL,
    gender          TEXT   NOT NULL,
    departments     TEXT   NOT NULL,
    leads           TEXT   NOT NULL,
    main_department BIGINT,
    status          BIGINT,
    row_hash        BIGINT NOT NULL,
    read_at         BIGINT NOT NULL,
    barred          BIGINT NOT NULL  -- 1: status 2 or 5
);

CREATE TABLE seen_members (
    run_id    BIGINT NOT NULL,
    user_key  TEXT   NOT NULL,
    staged_id BIGINT NOT NULL,
    row_hash  BIGINT NOT NULL,
    read_at   BIGINT NOT NULL,
    barred    BIGINT NOT NULL,
    PRIMARY KEY (run_id, user_key)
) WITHOUT ROWID;

-- Everybody in the company, where the secret of contact sync tells.
CREATE TABLE listed_members (
    id            INTEGER PRIMARY KEY,
    run_id        BIGINT NOT NULL,
    user_id       TEXT   NOT NULL,
    user_key      TEXT   NOT NULL,
    department_id BIGINT NOT NULL
);
CREATE INDEX listed_members_of_run ON listed_members (run_id);

-- Members whom a run asks WeCom for by name.
CREATE TABLE asked_members (
    run_id   BIGINT NOT NULL,
    user_key TEXT   NOT NULL,
    user_id  TEXT   NOT NULL,
    leaver   BIGINT NOT NULL, -- 1: known and not seen
    answer   TEXT,            -- there, gone, spared
    asked_at BIGINT,
    PRIMARY KEY (run_id, user_key)
) WITHOUT ROWID;

-- Removals that wait for an administrator.
CREATE TABLE held_removals (
    corp_id     TEXT   NOT NULL,
    agent_id    TEXT   NOT NULL,
    user_key    TEXT   NOT NULL,
    user_id     TEXT   NOT NULL,
    held_at     BIGINT NOT NULL,
    approved_by TEXT,
    PRIMARY KEY (corp_id, agent_id, user_key)
) WITHOUT ROWID;

CREATE TABLE leases (
    name   TEXT   NOT NULL PRIMARY KEY,
    holder TEXT   NOT NULL, -- which process, exactly
    label  TEXT   NOT NULL, -- the same for people
    since  BIGINT NOT NULL,
    until  BIGINT NOT NULL
);

-- What other systems are to be told, written in the transaction that made it true.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT   NOT NULL, -- member_left, session_ended
    corp_id     TEXT   NOT NULL,
    user_key    TEXT   NOT NULL,
    session_id  TEXT,
    happened_at BIGINT NOT NULL
);
