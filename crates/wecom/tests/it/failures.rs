//! Every kind of missing answer, and which requests may be sent twice.

use std::time::Duration;

use wecom::UserId;
use wecom::{AuthCode, Budget, Endpoints, Error};

use crate::script::{Gate, Reply, WeCom, impatient_client, member, refuse};

async fn both(reply: Reply) -> (WeCom, Error, Error) {
    let hangs = matches!(reply, Reply::After(..));
    let wecom = WeCom::with_tokens(move |_| reply.clone()).await;
    let client = if hangs { impatient_client(&wecom).await } else { wecom.client() };
    let calls = client.within(Budget::sign_in());
    let identify = calls.identify(&AuthCode::parse("CODE").unwrap()).await.unwrap_err();
    let user = calls.user(&UserId::parse("a").unwrap()).await.unwrap_err();
    (wecom, identify, user)
}

#[rstest::rstest]
#[case::server_error(Reply::Status(500), "HTTP status 500")]
#[case::bad_gateway(Reply::Status(502), "HTTP status 502")]
#[case::cut_body(Reply::Cut, "connection to WeCom broke")]
#[case::dropped(Reply::Drop, "connection to WeCom broke")]
#[case::not_json(Reply::Body(b"<html>gateway</html>".to_vec()), "not JSON")]
#[case::empty(Reply::Body(Vec::new()), "not JSON")]
#[case::no_errcode(Reply::Body(b"{}".to_vec()), "no errcode")]
#[tokio::test]
async fn a_read_is_repeated_once_and_a_code_never(#[case] reply: Reply, #[case] text: &str) {
    let (wecom, identify, user) = both(reply).await;
    for error in [&identify, &user] {
        assert!(error.is_unavailable() && error.is_transient() && !error.is_timeout(), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(error.errcode(), None);
    }
    assert_eq!(wecom.count("auth/getuserinfo"), 1, "the code may be used up");
    assert_eq!(wecom.count("user/get"), 2);
}

#[tokio::test]
async fn a_time_out_is_not_repeated() {
    let (wecom, identify, user) = both(Gate::closed().then(member())).await;
    for error in [&identify, &user] {
        assert!(error.is_timeout() && error.is_transient(), "{error:?}");
    }
    assert_eq!((wecom.count("auth/getuserinfo"), wecom.count("user/get")), (1, 1));
}

#[rstest::rstest]
#[case(301)]
#[case(302)]
#[case(404)]
#[tokio::test]
async fn a_redirect_is_not_followed_and_a_wrong_path_is_no_outage(#[case] status: u16) {
    let (wecom, identify, _) = both(Reply::Status(status)).await;
    assert!(!identify.is_unavailable() && identify.to_string().contains(&status.to_string()), "{identify}");
    assert!(wecom.requests().iter().all(|seen| seen.path != "/moved"));
}

#[tokio::test]
async fn a_refused_connection_is_told_apart() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let wecom = WeCom::with_tokens(|_| member()).await;
    let base = format!("http://{nobody}");
    let endpoints = Endpoints::default().with_api(&base).unwrap();
    let client = wecom.builder().endpoints(endpoints).build().unwrap();
    let error = client.within(Budget::sign_in()).access_token().await.unwrap_err();
    assert!(error.is_unavailable() && !error.is_timeout());
    assert!(error.to_string().contains("no connection to WeCom"), "{error}");
    assert_eq!(error.call(), Some("gettoken"));
}

#[tokio::test]
async fn a_connection_that_broke_once_does_not_fail_a_read() {
    let wecom = WeCom::with_tokens(|seen| if seen.nth == 1 { Reply::Drop } else { member() }).await;
    let calls = wecom.client().within(Budget::sign_in());
    calls.user(&UserId::parse("zhangsan").unwrap()).await.unwrap();
    assert_eq!(wecom.count("user/get"), 2);
}

#[tokio::test]
async fn connections_are_reused() {
    let wecom = WeCom::with_tokens(|_| member()).await;
    let client = wecom.client();
    for _ in 0..20 {
        client.within(Budget::sign_in()).user(&UserId::parse("zhangsan").unwrap()).await.unwrap();
    }
    assert_eq!(wecom.connections(), 1);
}

#[tokio::test]
async fn errcodes_have_their_predicates() {
    type Predicate = fn(&Error) -> bool;
    let table: [(&[i64], Predicate); 7] = [
        (&[40029, 42003, 42022, 40078, 41008], Error::is_bad_code),
        (&[60111, 60011, 60021, 50002, 40003, 60003, 60123, 46004], Error::is_outside_scope),
        (&[60020], Error::is_ip_not_allowed),
        (&[40014, 42001], Error::is_token_invalid),
        (&[40001, 40013, 40091, 2_000_002], Error::is_credentials_wrong),
        (&[45009, 45033], Error::is_rate_limited),
        (&[-1, 6000], Error::is_busy),
    ];
    for (row, (codes, predicate)) in table.iter().enumerate() {
        for code in *codes {
            let (_, error, _) = both(refuse(*code)).await;
            assert_eq!(error.errcode(), Some(*code));
            assert!(predicate(&error), "{code}");
            let others = table.iter().enumerate().filter(|(other, _)| *other != row);
            assert!(others.into_iter().all(|(_, (_, other))| !other(&error)), "{code}");
        }
    }
}

#[tokio::test]
async fn a_proxy_carries_the_calls_and_its_password_stays_inside() {
    let proxy = WeCom::with_tokens(|_| member()).await;
    let url = proxy.base().replace("http://", "http://user:p%40ss@");
    let transport = wecom::Transport::builder().proxy(url.into()).call_time_out(Duration::from_secs(5));
    assert!(!format!("{transport:?}").contains("ss@"));
    let client = proxy
        .builder()
        .endpoints(Endpoints::default().with_api("http://wecom.localhost:1").unwrap())
        .transport(transport.build().unwrap())
        .build()
        .unwrap();
    client.within(Budget::sign_in()).access_token().await.unwrap();
    let head = &proxy.requests()[0].head;
    assert!(head.starts_with("GET http://wecom.localhost:1/cgi-bin/gettoken?"), "{head}");
    assert!(head.contains("Basic dXNlcjpwQHNz"), "{head}");
    let wrong = wecom::Transport::builder().proxy("socks5://user:p4ss@proxy".into()).build().unwrap_err();
    assert!(wrong.is_misconfigured() && !wrong.to_string().contains("p4ss"));
}
