//! The same site over https, as a browser or a client sees it that takes the simulator for WeCom.

use std::net::SocketAddr;

use wecom_login_simulator::{Fault, FaultKind, Options, Secure, Simulator, sample};

use crate::browser::{PATIENCE, redeem};

async fn start() -> Simulator {
    let tls = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    Simulator::start(Options { tls, ..Options::default() }).await.unwrap()
}

/// A client that trusts the simulator's certificate alone and finds WeCom's hosts there.
fn client(secure: &Secure) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_der(&secure.certificate).unwrap();
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_only([certificate]);
    for host in Secure::HOSTS {
        builder = builder.resolve(host, secure.address);
    }
    builder.build().unwrap()
}

#[tokio::test]
async fn the_certificate_is_for_wecoms_hosts_and_this_machine() {
    let sim = start().await;
    let secure = sim.secure().unwrap();
    let client = client(secure);
    let port = secure.address.port();
    let path = format!("/cgi-bin/gettoken?corpid={}&corpsecret={}", sample::CORP_ID, sample::SECRET);
    let local = ["localhost", "127.0.0.1"].map(|host| format!("{host}:{port}"));
    for host in Secure::HOSTS.map(|host| format!("{host}:{port}")).into_iter().chain(local) {
        let answer = client.get(format!("https://{host}{path}")).send().await.unwrap();
        assert!(answer.text().await.unwrap().contains("access_token"), "{host}");
    }
    // Nobody else is taken for WeCom.
    let other = reqwest::Client::builder().no_proxy().timeout(PATIENCE).tls_certs_only([]).build().unwrap();
    assert!(other.get(secure.url()).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn pages_stay_on_the_host_that_they_were_asked_on() {
    let sim = start().await;
    let secure = sim.secure().unwrap();
    let link = format!(
        "/wwlogin/sso/login?login_type=CorpApp&appid={}&agentid={}&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&state=x",
        sample::CORP_ID,
        sample::AGENT_ID
    );
    let login = format!("https://login.work.weixin.qq.com:{}", secure.address.port());
    let page = client(secure).get(format!("{login}{link}")).send().await.unwrap().text().await.unwrap();
    let scan = page.split(" id=\"qr\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(scan.starts_with(&format!("{login}/wwlogin/scan?key=")), "{scan}");
    // A made-up host is not repeated.
    let page = client(secure).get(format!("{}{link}", secure.url())).header("host", "evil.example").send();
    let page = page.await.unwrap().text().await.unwrap();
    assert!(!page.contains("evil.example") && page.contains(&format!("href=\"{}/wwlogin/scan", sim.url())));
}

#[tokio::test]
async fn control_answers_at_this_machines_names_alone() {
    let sim = start().await;
    let secure = sim.secure().unwrap();
    let status = async |host: &str| {
        let url = format!("https://{host}:{}/_sim/calls", secure.address.port());
        client(secure).get(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!((status("localhost").await, status("127.0.0.1").await), (200, 200));
    assert_eq!(status("login.work.weixin.qq.com").await, 403);
}

#[tokio::test]
async fn a_connection_can_be_reset_below_tls_too() {
    let sim = start().await;
    let secure = sim.secure().unwrap();
    sim.fault(Fault::new("gettoken", FaultKind::Reset).times(1));
    let url = format!("{}/cgi-bin/gettoken", secure.url());
    assert!(client(secure).get(&url).send().await.is_err());
    assert_eq!(client(secure).get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_silent_client_holds_up_nobody() {
    let sim = start().await;
    let secure = sim.secure().unwrap();
    let _silent = tokio::net::TcpStream::connect(secure.address).await.unwrap();
    let url = format!("{}/cgi-bin/gettoken", secure.url());
    assert_eq!(client(secure).get(&url).send().await.unwrap().status(), 200);
    assert!(redeem(&sim, &sim.code_for("lisi")).await["userid"] == "lisi");
    sim.shutdown().await;
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let tls = Some(SocketAddr::from(([0, 0, 0, 0], 0)));
    let refused = Simulator::start(Options { tls, ..Options::default() }).await.unwrap_err();
    assert!(refused.to_string().contains("0.0.0.0:0"), "{refused}");
}
