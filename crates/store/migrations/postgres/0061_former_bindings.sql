-- Bindings that have ended because the member left or an administrator unbound them. While settled_at is NULL, a row of a
-- member who left may become a binding again, and a row of an unbound member keeps searches from finding the account.
-- Later it only shows administrators who had the userid.

CREATE TABLE former_bindings (
    corp_id    TEXT COLLATE "C" NOT NULL,
    user_key   TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    name       TEXT COLLATE "C" NOT NULL, -- the member's name when the binding ended; '' is not known
    reason     TEXT COLLATE "C" NOT NULL, -- unseen, deleted, unbound
    ended_at   BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (corp_id, user_key, account_id)
);
CREATE INDEX former_bindings_of_account ON former_bindings (account_id);

-- The account of each entry of the setting admins. account_id is NULL until the member gets their first account.
CREATE TABLE administrators (
    corp_id      TEXT COLLATE "C" NOT NULL,
    user_key     TEXT COLLATE "C" NOT NULL,
    user_id      TEXT COLLATE "C" NOT NULL,
    account_id   BIGINT REFERENCES accounts (id),
    held_at      BIGINT, -- since when it is this account
    confirmed_at BIGINT, -- the last admin confirm
    suspended_at BIGINT, -- the member was deleted since; only admin confirm clears it
    PRIMARY KEY (corp_id, user_key)
);
CREATE INDEX administrators_of_account ON administrators (account_id);

-- Sign-ins of this company's members may find the account; '' is every company.
ALTER TABLE accounts ADD COLUMN corp_id TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Members who left before this version: WeCom's reason is not known.
INSERT INTO former_bindings (corp_id, user_key, user_id, account_id, name, reason, ended_at)
    SELECT b.corp_id, b.user_key, b.user_id, b.account_id, m.name, 'unseen', m.left_at
    FROM bindings AS b JOIN members AS m ON m.corp_id = b.corp_id AND m.user_key = b.user_key
    WHERE m.left_at IS NOT NULL;
DELETE FROM bindings WHERE EXISTS (SELECT 1 FROM members AS m
    WHERE m.corp_id = bindings.corp_id AND m.user_key = bindings.user_key AND m.left_at IS NOT NULL);
DELETE FROM consents WHERE EXISTS (SELECT 1 FROM members AS m
    WHERE m.corp_id = consents.corp_id AND m.user_key = consents.user_key AND m.left_at IS NOT NULL);
UPDATE members SET mobile = '', email = '', biz_mail = '', avatar = '',
    gender = CASE gender WHEN '0' THEN '0' ELSE '' END WHERE left_at IS NOT NULL;
