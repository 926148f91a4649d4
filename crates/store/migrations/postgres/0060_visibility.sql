-- What each app sees of its company: one record for each app and member, and for each app and department. docs/organisation.md
-- has the states and their transitions. Order comes from numbers that the database gives out, never from clocks.

-- The last number that was given out: before WeCom is asked, and for what an event tells.
CREATE SEQUENCE read_numbers START 2;

ALTER TABLE members ADD COLUMN asked BIGINT NOT NULL DEFAULT 0; -- number of the read that the row was last written from
ALTER TABLE members ADD COLUMN left_number BIGINT;              -- number of what told that the member has left
ALTER TABLE members ADD COLUMN left_evidence TEXT COLLATE "C";              -- deleted, unseen; NULL with left_at counts as unseen
ALTER TABLE departments ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;

-- The apps of each company, configured now or before.
CREATE TABLE apps (
    corp_id         TEXT COLLATE "C" NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    run_number      BIGINT, -- of the last complete sync: it confirms every older record that says "visible"
    run_started_at  BIGINT,
    run_finished_at BIGINT,
    watched_until   BIGINT, -- the next scheduled sync is not late before; NULL without a schedule
    fields          BIGINT NOT NULL, -- contact fields that WeCom has shown to the app for any member
    failing_since   BIGINT, -- WeCom has not answered the app since, or the app is not configured
    problem         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (corp_id, agent_id)
);

-- The last answer that WeCom gave to an app about a member. agent_id '' stands for the company: an event about the deletion
-- of a member that the copy did not know.
CREATE TABLE member_visibility (
    corp_id         TEXT COLLATE "C" NOT NULL,
    user_key        TEXT COLLATE "C" NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    answer          BIGINT NOT NULL, -- 1 visible, 0 not visible
    asked           BIGINT NOT NULL, -- number of the single read or of the run's read
    asked_at        BIGINT NOT NULL,
    row_hash        BIGINT NOT NULL DEFAULT 0, -- of what the app was told
    fields          BIGINT NOT NULL DEFAULT 0, -- contact fields that the last answer has shown
    consented       BIGINT NOT NULL DEFAULT 0, -- contact fields that the member has given to the app
    departments     TEXT COLLATE "C" NOT NULL DEFAULT '[]', -- as this app was told
    leads           TEXT COLLATE "C" NOT NULL DEFAULT '[]',
    main_department BIGINT,
    PRIMARY KEY (corp_id, user_key, agent_id)
);
CREATE INDEX member_visibility_not_visible ON member_visibility (asked_at) WHERE answer = 0;

CREATE TABLE department_visibility (
    corp_id       TEXT COLLATE "C" NOT NULL,
    department_id BIGINT NOT NULL,
    agent_id      TEXT COLLATE "C" NOT NULL,
    answer        BIGINT NOT NULL,
    asked         BIGINT NOT NULL,
    PRIMARY KEY (corp_id, department_id, agent_id)
);

INSERT INTO apps SELECT corp_id, agent_id, 0, started_at, finished_at, watched_until, 0, NULL, '' FROM synced_apps;
INSERT INTO apps SELECT corp_id, agent_id, NULL, NULL, NULL, NULL, 0, NULL, '' FROM
    (SELECT corp_id, agent_id FROM sightings UNION SELECT corp_id, read_by FROM members WHERE read_by <> '') AS known
    WHERE TRUE ON CONFLICT (corp_id, agent_id) DO NOTHING;

-- Which fields an app may give out was not kept: those of the app that read the member last, and of a company's only app.
INSERT INTO member_visibility
    SELECT m.corp_id, m.user_key, a.agent_id,
        CASE WHEN m.left_at IS NULL AND (s.agent_id IS NOT NULL OR m.read_by = a.agent_id) THEN 1 ELSE 0 END,
        -- Older than any sync to come; only what a sync saw is confirmed by the last one.
        CASE WHEN s.agent_id IS NULL THEN 1 ELSE 0 END,
        CASE WHEN m.read_by = a.agent_id THEN m.read_at ELSE 0 END, COALESCE(s.row_hash, m.row_hash, 0),
        CASE WHEN m.read_by = a.agent_id OR NOT EXISTS
            (SELECT 1 FROM apps AS other WHERE other.corp_id = a.corp_id AND other.agent_id <> a.agent_id)
        THEN (CASE m.mobile WHEN '' THEN 0 ELSE 1 END) + (CASE m.email WHEN '' THEN 0 ELSE 2 END)
            + (CASE m.biz_mail WHEN '' THEN 0 ELSE 4 END) + (CASE m.avatar WHEN '' THEN 0 ELSE 8 END)
            + (CASE WHEN m.gender IN ('', '0') THEN 0 ELSE 16 END)
        ELSE 0 END,
        0, m.departments, m.leads, m.main_department
    FROM members AS m JOIN apps AS a ON a.corp_id = m.corp_id
    LEFT JOIN sightings AS s ON s.corp_id = m.corp_id AND s.user_key = m.user_key AND s.agent_id = a.agent_id
    WHERE s.agent_id IS NOT NULL OR m.read_by = a.agent_id OR m.left_at IS NOT NULL;
INSERT INTO department_visibility SELECT corp_id, department_id, agent_id, 1, 0 FROM department_sightings;

DROP TABLE sightings;
DROP TABLE department_sightings;
DROP TABLE synced_apps;
ALTER TABLE members DROP COLUMN read_by;

-- Sessions name the app that proved their member. NULL stands for those begun before; the program fills it at its start.
ALTER TABLE sessions ADD COLUMN agent_id TEXT COLLATE "C";

-- What runs have staged has no numbers: an unfinished one begins anew.
DELETE FROM staged_members;
DELETE FROM seen_members;
DELETE FROM staged_departments;
DELETE FROM asked_members;
DELETE FROM listed_members;
UPDATE sync_runs SET phase = 'cleared' WHERE finished_at IS NOT NULL;
ALTER TABLE sync_runs ADD COLUMN number BIGINT NOT NULL DEFAULT 0;       -- taken before the run asked anything
ALTER TABLE staged_members ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staged_members ADD COLUMN fields BIGINT NOT NULL DEFAULT 0;
ALTER TABLE staged_members ADD COLUMN source_id BIGINT NOT NULL DEFAULT 0; -- the department that was asked; 0 for a member by name
ALTER TABLE seen_members ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE seen_members ADD COLUMN fields BIGINT NOT NULL DEFAULT 0;
ALTER TABLE asked_members ADD COLUMN asked BIGINT NOT NULL DEFAULT 0;
