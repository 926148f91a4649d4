-- The outcome of a sign-in lies with its session: the token, sealed, for a second delivery of the same redirect, until
-- outcome_until. proved_at is when WeCom last proved the session's member; NULL means created_at.

ALTER TABLE sessions ADD COLUMN proved_at BIGINT;
ALTER TABLE sessions ADD COLUMN outcome_token TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN outcome_until BIGINT;
CREATE INDEX sessions_with_outcome ON sessions (outcome_until) WHERE outcome_token IS NOT NULL;
