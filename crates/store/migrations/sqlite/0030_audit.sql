-- What was done, by whom, and what came of it. Rows are added and, when old, deleted; none is changed.
CREATE TABLE audit_events (
    id          INTEGER PRIMARY KEY,
    happened_at INTEGER NOT NULL,
    event       TEXT    NOT NULL,
    outcome     TEXT    NOT NULL, -- ok, or why not
    actor       TEXT    NOT NULL,
    instance    TEXT,
    corp_id     TEXT,
    user_key    TEXT,
    session_id  TEXT,
    address     TEXT,
    request_id  TEXT,
    detail      TEXT    NOT NULL  -- JSON object
);
CREATE INDEX audit_events_by_time ON audit_events (happened_at);
CREATE INDEX audit_events_of_member ON audit_events (corp_id, user_key, id) WHERE user_key IS NOT NULL;
