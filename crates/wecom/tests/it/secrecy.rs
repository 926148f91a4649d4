//! WeCom puts secrets into URLs, so any layer that logs a URL would leak them. This test reads everything that `tracing`
//! and `log` emit at TRACE, from every crate, while calls fail in every way.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, Once, OnceLock};

use tracing_subscriber::fmt::MakeWriter;
use wecom::{AuthCode, Budget, Client, Endpoints, Error, Transport};
use wecom::{CorpId, Secret, UserId};

use crate::script::{Gate, Reply, WeCom, impatient, json, member, refuse};

/// All that was logged in this process.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<String>>);

static EAR: OnceLock<Ear> = OnceLock::new();

impl std::io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Ear {
    type Writer = Ear;
    fn make_writer(&'a self) -> Ear {
        self.clone()
    }
}

impl log::Log for Ear {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(self.0.lock().unwrap(), "{} {} {}", record.level(), record.target(), record.args());
    }
    fn flush(&self) {}
}

/// Both facades of the whole process; other tests of this binary may be heard as well.
fn listen() -> Ear {
    static ONCE: Once = Once::new();
    let ear = EAR.get_or_init(Ear::default).clone();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(ear.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log::set_logger(EAR.get().unwrap()).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    ear
}

const SECRET: &str = "SeCrEtVaLuE-0123456789";
const TOKEN: &str = "ToKeNvAlUe-0123456789";
const CODE: &str = "CoDeVaLuE-0123456789";
const TICKET: &str = "TiCkEtVaLuE-0123456789";
const PASSWORD: &str = "PaSsWoRd-0123456789";
const ALL: [&str; 5] = [SECRET, TOKEN, CODE, TICKET, PASSWORD];

fn client(base: &str, transport: Transport) -> Client {
    Client::builder(CorpId::parse("ww1").unwrap(), Secret::new(SECRET))
        .endpoints(Endpoints::default().with_api(base).unwrap())
        .transport(transport)
        .build()
        .unwrap()
}

/// Everything a client can do with a secret; what it fails with.
async fn exercise(client: &Client) -> Vec<Error> {
    let code = AuthCode::parse(CODE).unwrap();
    let ticket = Secret::new(TICKET);
    let calls = client.within(Budget::sign_in());
    let mut errors = Vec::new();
    errors.extend(calls.access_token().await.err());
    errors.extend(calls.identify(&code).await.err());
    errors.extend(calls.user_detail(&ticket).await.err());
    errors.extend(calls.user(&UserId::parse("zhangsan").unwrap()).await.err());
    let _ = write!(EAR.get().unwrap().0.lock().unwrap(), "{client:?} {calls:?} {code:?} {ticket:?}");
    errors
}

#[tokio::test]
async fn no_secret_is_ever_printed() {
    let ear = listen();
    let mut errors = Vec::new();

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    errors.extend(exercise(&client(&format!("http://{nobody}"), impatient())).await);
    let proxy = format!("http://user:{PASSWORD}@{nobody}");
    let proxied = Transport::builder().proxy(Secret::new(proxy)).build().unwrap();
    errors.extend(exercise(&client("https://wecom.localhost", proxied)).await);

    let replies = [
        member(),
        refuse(-1),
        refuse(40014),
        Reply::Status(500),
        Reply::Status(302),
        Reply::Cut,
        Reply::Drop,
        Reply::Body(format!("<html>{TOKEN}{CODE}").into_bytes()),
        Reply::Body(format!(r#"{{"errcode":0,"userid":["{CODE}"]}}"#).into_bytes()),
        Gate::closed().then(member()),
    ];
    for reply in replies {
        let wecom = WeCom::with(move |seen| match seen.path.as_str() {
            "gettoken" => json(format!(r#"{{"errcode":0,"access_token":"{TOKEN}","expires_in":7200}}"#)),
            _ => reply.clone(),
        })
        .await;
        errors.extend(exercise(&client(&wecom.base(), impatient())).await);
    }
    // A server that repeats what it was sent.
    let wecom = WeCom::with(|seen| {
        if seen.path.as_str() == "gettoken" {
            json(format!(r#"{{"errcode":0,"access_token":"{TOKEN}","expires_in":7200}}"#))
        } else {
            let echo = format!("{:?} {} {SECRET}", seen.query, seen.body).replace('"', "'");
            json(format!(r#"{{"errcode":40014,"errmsg":"bad {echo}, hint: [{echo}], from ip: {echo}"}}"#))
        }
    })
    .await;
    errors.extend(exercise(&client(&wecom.base(), impatient())).await);
    let wrong_secret = format!(r#"{{"errcode":40001,"errmsg":"invalid credential {SECRET}"}}"#);
    let wecom = WeCom::with(move |_| json(wrong_secret.clone())).await;
    errors.extend(exercise(&client(&wecom.base(), impatient())).await);

    assert!(errors.len() > 30, "{}", errors.len());
    let mut printed = ear.0.lock().unwrap().clone();
    for target in ["called WeCom", "hyper_util", "reqwest::connect"] {
        assert!(printed.contains(target), "nothing was heard of {target}");
    }
    for error in &errors {
        let _ = writeln!(printed, "{error} {error:?} {error:#?} {:?}", error.errmsg());
    }
    for secret in ALL {
        if let Some(at) = printed.find(secret) {
            let start = printed.floor_char_boundary(at.saturating_sub(300));
            panic!("{secret} was printed: {}", &printed[start..at + secret.len()]);
        }
    }
}
