-- What callbacks told, by the fingerprint of the decrypted text: a repetition is known as one.
CREATE TABLE heard_events (
    fingerprint TEXT   NOT NULL PRIMARY KEY,
    heard_at    BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX heard_events_by_age ON heard_events (heard_at);

-- What events ask to be read again: one row for each member or department, however many events name it.
CREATE TABLE event_tasks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    corp_id       TEXT   NOT NULL,
    kind          BIGINT NOT NULL, -- 1 a new userid, 2 a department, 3 a member; worked on in this order
    subject       TEXT   NOT NULL, -- former and new userid; number of the department; userid in lower case
    version       BIGINT NOT NULL, -- grows with each event that asks for it
    since         BIGINT NOT NULL, -- the oldest of the events that are not worked on
    noted_at      BIGINT NOT NULL, -- the latest
    due_at        BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL, -- somebody works on it; names the claim
    tries         BIGINT NOT NULL, -- that failed
    strikes       BIGINT NOT NULL, -- those of them that were the task's own fault
    set_aside_at  BIGINT,
    problem       TEXT   NOT NULL,
    UNIQUE (corp_id, kind, subject)
);
CREATE INDEX event_tasks_open ON event_tasks (corp_id, due_at) WHERE set_aside_at IS NULL;

-- The latest authentic callback of each company's contact sync; to the minute.
CREATE TABLE event_sources (
    corp_id  TEXT   NOT NULL PRIMARY KEY,
    heard_at BIGINT NOT NULL
);
