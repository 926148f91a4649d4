//! Splits WeCom's errmsg into its parts.

/// WeCom's answer when it refuses a call.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(super) errcode: i64,
    pub(super) text: String,
    pub(super) hint_id: Option<String>,
    pub(super) caller_ip: Option<String>,
}

/// Longer texts are cut.
const LONGEST_TEXT: usize = 200;

/// The parts that may follow the text. None of them is always present, and private deployments have others.
const TAILS: [&str; 5] = [", hint:", ", from ip:", ", more info at", " [logid:", "[logid:"];

impl Refusal {
    /// `secrets` are those of the request: a server that echoes them must not put them into the error.
    pub(crate) fn new(errcode: i64, errmsg: &str, secrets: &[&str]) -> Self {
        let end = TAILS.iter().filter_map(|tail| errmsg.find(tail)).min().unwrap_or(errmsg.len());
        let text = redacted(&errmsg[..end], secrets);
        let hint_id = between(errmsg, "hint: [", "]").map(|hint| redacted(hint, secrets));
        let caller_ip = errmsg
            .split_once("from ip:")
            .map(|(_, rest)| rest.split(',').next().unwrap_or_default().trim())
            .filter(|text| text.parse::<std::net::IpAddr>().is_ok())
            .map(str::to_owned);
        Self { errcode, text, hint_id, caller_ip }
    }
}

/// `text` on one line, cut to [`LONGEST_TEXT`] characters, without any of `secrets`.
pub(crate) fn redacted(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[secret]");
    }
    text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST_TEXT).collect()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_split_into_its_parts() {
        let refusal = Refusal::new(
            60020,
            "not allow to access from your ip, hint: [1686402237354962763423746], from ip: 123.116.182.237, more \
             info at https://open.work.weixin.qq.com/devtool/query?e=60020",
            &[],
        );
        assert_eq!(refusal.text, "not allow to access from your ip");
        assert_eq!(refusal.hint_id.as_deref(), Some("1686402237354962763423746"));
        assert_eq!(refusal.caller_ip.as_deref(), Some("123.116.182.237"));
    }

    #[rstest::rstest]
    #[case("invalid access_token", "invalid access_token")]
    #[case("invalid access_token [logid:]", "invalid access_token")]
    #[case(
        "no privilege to access/modify contact/party/agent ",
        "no privilege to access/modify contact/party/agent"
    )]
    #[case("", "")]
    #[case("x, hint: [", "x")]
    #[case("x, from ip: not-an-address", "x")]
    fn the_tail_is_optional(#[case] errmsg: &str, #[case] text: &str) {
        let refusal = Refusal::new(40014, errmsg, &[]);
        assert_eq!((refusal.text.as_str(), refusal.hint_id, refusal.caller_ip), (text, None, None));
    }

    #[test]
    fn an_echoed_secret_is_not_repeated() {
        let errmsg = "bad token TOKENVALUE, hint: [TOKENVALUE], from ip: TOKENVALUE";
        let refusal = Refusal::new(40014, errmsg, &["TOKENVALUE", ""]);
        assert!(!format!("{refusal:?}").contains("TOKENVALUE"));
        assert_eq!(refusal.text, "bad token [secret]");
    }
}
