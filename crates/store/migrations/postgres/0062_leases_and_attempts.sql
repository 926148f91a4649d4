-- The holder of a lease lives as long as its beats grow; no clock decides.
ALTER TABLE leases DROP COLUMN until;
ALTER TABLE leases ADD COLUMN beats BIGINT NOT NULL DEFAULT 0;

-- When the last attempt of a run began or failed; a run that is resumed keeps its started_at.
ALTER TABLE sync_runs ADD COLUMN attempted_at BIGINT NOT NULL DEFAULT 0;
UPDATE sync_runs SET attempted_at = started_at;
