//! What operators get wrong in the address of a server: characters of a password that end it.

/// What to do about it. The text is the same for every address, so that it shows no part of a password.
const RULE: &str = "has a character in its user name or password that must be percent-encoded: write @ as %40, # as %23, \
                    % as %25, / as %2F, ? as %3F";

/// Refuses `scheme://user:password@host…` whose user name or password holds a character that means something else in an
/// address. A URL parser would take a part of the password for the host, a parameter or a fragment, and name that.
pub(crate) fn check_user_information(url: &str) -> Result<(), String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let is_broken = match user {
        // Without a user name there is no other @ than the one that a broken password has pushed back.
        None => tail.contains('@'),
        Some(user) => {
            // A file named in a parameter may hold one.
            let name_of = |parameter: &str| parameter.split('=').next().unwrap_or_default().contains('@');
            user.contains('@') || !is_encoded(user) || path.contains('@') || query.split('&').any(name_of)
        }
    };
    if is_broken {
        return Err(RULE.to_owned());
    }
    if tail.contains('#') {
        return Err("must have no # (in a user name or password write it as %23)".to_owned());
    }
    Ok(())
}

/// True when every `%` begins an encoded byte, and the bytes are UTF-8.
fn is_encoded(text: &str) -> bool {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = after.split_at_checked(2).filter(|(digits, _)| digits.iter().all(u8::is_ascii_hexdigit));
        let Some((digits, after)) = digits else { return false };
        let value = std::str::from_utf8(digits).ok().and_then(|text| u8::from_str_radix(text, 16).ok());
        let Some(value) = value else { return false };
        bytes.push(value);
        rest = after;
    }
    std::str::from_utf8(&bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PostgresOptions, RedisOptions};

    /// F38: a password with a raw `#` was blamed on sslmode, or on a fragment.
    #[test]
    fn a_password_with_a_raw_special_character_is_named_as_such_and_not_shown() {
        for password in [
            "s3cr@et",
            "s3cr#et",
            "12#34",
            "s3cr%et",
            "100%",
            "s3cr%zz",
            "%ff",
            "s3cr/et",
            "s3cr?et",
            "s3cr?et=1",
            "s3c@r#et",
            "s3cr/e@t",
            "@",
            "#",
            "p@ss/w#rd?100%",
        ] {
            for (scheme, tail) in [("postgres", "/app?sslmode=disable"), ("redis", "/0"), ("rediss", "")] {
                let url = format!("{scheme}://user:{password}@db.internal:5432{tail}");
                let told = if scheme == "postgres" {
                    PostgresOptions::parse(&url, 1).map(drop)
                } else {
                    RedisOptions::parse(&url, "").map(drop)
                };
                assert_eq!(told, Err(RULE.to_owned()), "{url}");
            }
        }
    }

    #[test]
    fn an_encoded_password_and_a_file_with_an_at_sign_are_taken() {
        for url in [
            "postgres://user:s3cr%40%23%25et@db/app?sslmode=verify-full&sslrootcert=/etc/a@b.pem",
            "postgres://user@127.0.0.1/app",
            "postgres://user:pass:word@127.0.0.1/app",
            "postgresql:///app?host=/run/postgresql",
        ] {
            assert!(PostgresOptions::parse(url, 1).is_ok(), "{url}");
        }
        assert!(RedisOptions::parse("rediss://:s3cr%40et@cache:6379/0", "x").is_ok());
        let told = PostgresOptions::parse("postgres://user:p@127.0.0.1/app#x", 1).map(drop);
        assert_eq!(told, Err("must have no # (in a user name or password write it as %23)".to_owned()));
        assert!(RedisOptions::parse("rediss://cache/#insecure", "").unwrap_err().contains("certificates"));
    }
}
