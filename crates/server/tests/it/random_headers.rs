//! F7: a signed-in browser sends its cookies beside random bytes in every header that the server reads, in any order and
//! several times. It never loses its session, and no request is answered with 5xx.

use wecom_login_model::{Entropy as _, SeededEntropy};
use wecom_login_server::Settings;

use crate::front_end::ORIGIN;
use crate::raw::RawRequest;
use crate::world::{API, BROWSER_COOKIE, REDIRECT, SESSION_COOKIE, World, redirect, world};

/// Requests for /me over plain http, and the same number with the names of cookies over TLS.
const CASES: usize = 400;
/// Requests for each other route.
const CASES_ELSEWHERE: usize = 40;

/// Headers that the server reads, with values that lead to its branches. None is a bearer token, which takes precedence over
/// cookies.
const HEADERS: &[(&str, &[&str])] = &[
    ("user-agent", &["Mozilla/5.0 wxwork/4.1 MicroMessenger/7.0", "华为 wxwork/", "curl/8"]),
    ("accept", &["text/html", "*/*", "application/json", "application/openmetrics-text", ";q=0"]),
    ("accept-language", &["zh-CN", "en;q=0.8", "中文", "fr;q=x", "*"]),
    ("origin", &[ORIGIN, "null", "https://evil.example", "https://login.example.com"]),
    ("sec-fetch-site", &["cross-site", "same-origin", "none", "same-site"]),
    ("content-type", &["application/json", "text/csv", "application/json; charset=汉"]),
    ("authorization", &["Basic c3RhZ2luZzp4", "Negotiate YII=", "Digest username=\"张三\"", "Bear er"]),
    ("x-wecom-login-browser", &["nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "张三", ""]),
    (
        "x-forwarded-for",
        &["203.0.113.7:51008", "[2001:db8::1]:443", "unknown", "\"10.0.0.1\"", ",,", "127.0.0.1"],
    ),
    ("if-none-match", &["*", "W/\"x\"", "\"张三\""]),
    ("access-control-request-method", &["POST"]),
    ("referer", &["http://127.0.0.1/张三"]),
];

/// Cookies of other programs on the host, and broken ones.
const COOKIES: &[&str] =
    &["corp_user=张三", "=", "broken", "\"", "a=b=c", "q=\"x", "wecom_login_session", "", "x=,"];

struct Random(SeededEntropy);

impl Random {
    fn byte(&self) -> u8 {
        let mut byte = [0];
        self.0.fill(&mut byte);
        byte[0]
    }

    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        usize::try_from(u32::from_be_bytes(bytes)).unwrap() % bound
    }

    fn one<T: Copy>(&self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    fn shuffle<T>(&self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            values.swap(last, self.below(last + 1));
        }
    }

    /// Up to 40 bytes that a header may hold (RFC 9110, 5.5).
    fn bytes(&self) -> Vec<u8> {
        let is_allowed = |byte: &u8| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f);
        (0..self.below(41)).map(|_| self.byte()).filter(is_allowed).collect()
    }

    /// Known values and random bytes in any order.
    fn value(&self, known: &[&str]) -> Vec<u8> {
        let part = |_| match self.below(3) {
            0 => self.bytes(),
            1 => self.one(known).as_bytes().to_vec(),
            _ => {
                [self.one(known).as_bytes(), &self.bytes(), self.one(&[&b","[..], b", ", b"", b";"])].concat()
            }
        };
        (0..=self.below(3)).flat_map(part).collect()
    }

    /// The browser's own cookies among others, in up to three headers.
    fn cookies(&self, own: &[String]) -> Vec<Vec<u8>> {
        let mut cookies: Vec<Vec<u8>> = Vec::new();
        for cookie in own {
            let times = if self.below(4) == 0 { 2 } else { 1 };
            cookies.extend(std::iter::repeat_n(cookie.clone().into_bytes(), times));
        }
        for _ in 0..self.below(6) {
            let name = own[0].split('=').next().unwrap();
            cookies.push(match self.below(4) {
                0 => self.bytes(),
                1 => [b"x=", &self.bytes()[..]].concat(),
                2 => [name.as_bytes(), b"=", &self.bytes()].concat(),
                _ => self.one(COOKIES).as_bytes().to_vec(),
            });
        }
        self.shuffle(&mut cookies);
        let mut headers = vec![Vec::new(); 1 + self.below(3)];
        for cookie in cookies {
            let header = self.below(headers.len());
            headers[header].push(cookie);
        }
        headers.into_iter().map(|cookies| cookies.join(self.one(&[&b"; "[..], b";", b" ;\t"]))).collect()
    }

    fn request(&self, method: &str, path: &str, own: &[String]) -> RawRequest {
        let mut headers: Vec<(&'static str, Vec<u8>)> =
            self.cookies(own).into_iter().map(|cookies| ("cookie", cookies)).collect();
        for (name, known) in HEADERS {
            let times = self.one(&[0, 1, 1, 2]);
            headers.extend((0..times).map(|_| (*name, self.value(known))));
        }
        self.shuffle(&mut headers);
        headers
            .into_iter()
            .fold(RawRequest::new(method, path), |request, (name, value)| request.header(name, value))
    }
}

fn behind_a_proxy(settings: &mut Settings) {
    settings.network.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    settings.network.origins = vec![url::Url::parse(ORIGIN).unwrap().origin()];
}

/// A signed-in browser's cookies, as the header has them.
async fn signed_in(world: &World, prefix: &str) -> Vec<String> {
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let cookie = |name| {
        let name = format!("{prefix}{name}");
        format!("{name}={}", browser.cookie(&name).unwrap())
    };
    [SESSION_COOKIE, BROWSER_COOKIE].map(cookie).to_vec()
}

async fn stays_signed_in(world: &World, prefix: &str, seed: u64) {
    let own = signed_in(world, prefix).await;
    let random = Random(SeededEntropy::new(seed));
    for case in 0..CASES {
        let request = random.request("GET", "/me", &own);
        let answer = request.send(world.address()).await;
        let is_member = answer.status == 200 && answer.text.contains("zhangsan");
        assert!(is_member, "case {case} of seed {seed}: {answer:?}\n{request}");
    }
}

#[tokio::test]
async fn f7_random_headers_lose_no_session() {
    let world = world().settings(behind_a_proxy).start().await;
    stays_signed_in(&world, "", 7).await;
}

#[tokio::test]
async fn f7_random_headers_lose_no_session_over_tls() {
    let world = world()
        .config(serde_json::json!({"redirectUri": format!("https://login.example.com{REDIRECT}")}))
        .settings(|settings| {
            behind_a_proxy(settings);
            settings.public_url = "https://login.example.com".parse().unwrap();
        })
        .start()
        .await;
    stays_signed_in(&world, "__Host-", 8).await;
}

#[tokio::test]
async fn f7_random_headers_break_no_route() {
    let world = world().settings(behind_a_proxy).start().await;
    let own = signed_in(&world, "").await;
    let random = Random(SeededEntropy::new(9));
    let (config, login_code) = (format!("{API}/getLoginConfig"), format!("{API}/getLoginCode"));
    let bad_state = redirect("nonsense", "nonsense");
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/login"),
        ("HEAD", "/login"),
        ("GET", "/login?bind=1&lang=en"),
        ("POST", "/login"),
        ("GET", REDIRECT),
        ("GET", &bad_state),
        ("POST", &config),
        ("POST", &login_code),
        ("POST", "/session/refresh"),
        ("GET", "/metrics"),
        ("GET", "/console/api/accounts"),
        ("POST", "/console/api/accounts/import"),
        ("GET", "/client.js"),
        ("GET", "/assets/nothing.css?lang=en"),
        ("POST", "/wecom/callback/Example"),
        ("OPTIONS", "/me"),
        ("GET", "/readyz"),
        ("GET", "/nothing"),
    ] {
        for case in 0..CASES_ELSEWHERE {
            let request = random.request(method, path, &own);
            let answer = request.send(world.address()).await;
            let is_answered = (200..500).contains(&answer.status) && answer.text.contains("x-request-id");
            assert!(is_answered, "case {case}: {answer:?}\n{request}");
        }
    }
    // Another site signs nobody out, however it is contradicted.
    for case in 0..CASES_ELSEWHERE {
        let request = random.request("POST", "/logout", &own).header("sec-fetch-site", "cross-site");
        let answer = request.header("origin", "https://evil.example").send(world.address()).await;
        assert_eq!(answer.status, 403, "case {case}: {answer:?}");
    }
    let request = RawRequest::new("GET", "/me").header("cookie", own.join("; "));
    assert_eq!(request.send(world.address()).await.status, 200);
}

/// Control characters are no part of HTTP: the connection's parser refuses them, and nothing else happens.
#[tokio::test]
async fn control_characters_are_refused() {
    let world = world().settings(behind_a_proxy).start().await;
    let own = signed_in(&world, "").await.join("; ").into_bytes();
    for byte in (0..0x20).filter(|byte| !b"\t\r\n".contains(byte)).chain([0x7f]) {
        for (name, _) in HEADERS.iter().chain(&[("cookie", &[""][..])]) {
            let value = [b"a", &[byte][..], b"b"].concat();
            let request = RawRequest::new("GET", "/me").header("cookie", own.clone()).header(name, value);
            assert_eq!(request.send(world.address()).await.status, 400, "{request}");
        }
    }
    let request = RawRequest::new("GET", "/me").header("cookie", own);
    assert_eq!(request.send(world.address()).await.status, 200);
}
