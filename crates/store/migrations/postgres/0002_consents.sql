-- Which of a member's values came from their own consent (OAuth scope snsapi_privateinfo), and when. The values
-- themselves stand in members.

CREATE TABLE consents (
    corp_id  TEXT COLLATE "C" NOT NULL,
    user_key TEXT COLLATE "C" NOT NULL,
    field    TEXT COLLATE "C" NOT NULL,
    given_at BIGINT NOT NULL,
    PRIMARY KEY (corp_id, user_key, field)
);
