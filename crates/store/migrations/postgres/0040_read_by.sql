-- The app through which a member was read last: what one app may see says nothing about another. '' is not known.
ALTER TABLE members ADD COLUMN read_by TEXT COLLATE "C" NOT NULL DEFAULT '';
