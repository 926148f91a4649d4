//! PostgreSQL and Redis behind TLS, with a certificate authority of the operator's own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use wecom_login_simulator::{Options, Simulator};

use crate::app::{App, share};
use crate::browser::Browser;
use crate::program::{Program, http};
use crate::servers::{OwnPostgres, OwnRedis};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = pem("CERTIFICATE", params.self_signed(&key).unwrap().der());
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// Puts `server.crt` and `server.key` of a server of this name into the folder.
    fn certify(&self, name: &str, folder: &Path) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(folder.join("server.crt"), pem("CERTIFICATE", certificate.der())).unwrap();
        let file = folder.join("server.key");
        std::fs::write(&file, pem("PRIVATE KEY", &key.serialize_der())).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The certificates of two authorities: ours, and one that has signed nothing.
struct Trust {
    wecom: Simulator,
    app: App,
    ours: String,
    others: String,
}

impl Trust {
    async fn of(authority: &Authority) -> Self {
        let wecom = Simulator::start(Options::default()).await.unwrap();
        let app = App::new(&wecom);
        let file = |name: &str, certificate: &str| {
            let path = app.data().with_file_name(name);
            std::fs::write(&path, certificate).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let ours = file("ours.pem", &authority.certificate);
        let others = file("others.pem", &Authority::new().certificate);
        Self { wecom, app, ours, others }
    }

    async fn serves(&self, settings: impl FnOnce(&mut Command)) {
        let mut command = self.app.command();
        settings(&mut command);
        let _program = Program::start_ready(command);
        let browser = Browser::new(&http());
        browser.sign_in(self.app.url(), &self.wecom.code_for("zhangsan")).await;
        assert_eq!(browser.me(self.app.url()).await.as_deref(), Some("zhangsan"));
    }

    /// What it says instead of starting.
    fn does_not_start(&self, settings: impl FnOnce(&mut Command)) -> String {
        let mut command = self.app.command();
        settings(&mut command);
        let (code, said) = Program::start(command).finish();
        assert_eq!(code, Some(1), "{said}");
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test -p wecom-login --test it tls -- --ignored"]
async fn postgres_is_believed_by_the_authority_that_is_named_and_by_no_other() {
    let authority = Authority::new();
    let trust = Trust::of(&authority).await;
    let ssl = ["ssl=on", "ssl_cert_file=../server.crt", "ssl_key_file=../server.key"];
    let postgres = OwnPostgres::start_with(&ssl, |folder| authority.certify("127.0.0.1", folder));
    let of = |root: &str| postgres.url(&format!("sslmode=verify-full&sslrootcert={root}"));
    trust.serves(|command| share(command, Some(&of(&trust.ours)), None)).await;
    for url in [of(&trust.others), postgres.url("sslmode=verify-full")] {
        let said = trust.does_not_start(|command| share(command, Some(&url), None));
        assert!(said.contains("certificate") && said.contains("sslrootcert"), "{said}");
    }

    let elsewhere = OwnPostgres::start_with(&ssl, |folder| authority.certify("db.example.com", folder));
    let url = elsewhere.url(&format!("sslmode=verify-full&sslrootcert={}", trust.ours));
    let said = trust.does_not_start(|command| share(command, Some(&url), None));
    assert!(said.contains("certificate") && said.contains("another host"), "{said}");

    let plain = OwnPostgres::start();
    let url = plain.url(&format!("sslmode=verify-full&sslrootcert={}", trust.ours));
    let said = trust.does_not_start(|command| share(command, Some(&url), None));
    assert!(said.contains("TLS"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test -p wecom-login --test it tls -- --ignored"]
async fn redis_is_believed_by_the_authorities_that_are_named_and_by_no_other() {
    let authority = Authority::new();
    let trust = Trust::of(&authority).await;
    let tls = [
        "--tls-port",
        "PORT",
        "--port",
        "0",
        "--tls-cert-file",
        "server.crt",
        "--tls-key-file",
        "server.key",
        "--tls-auth-clients",
        "no",
    ];
    let redis = OwnRedis::start_with(&tls, |folder| authority.certify("127.0.0.1", folder));
    let trusting = |authorities: &str| {
        let authorities = authorities.to_owned();
        let url = redis.url("rediss");
        move |command: &mut Command| {
            share(command, None, Some(&url));
            command.env("SSL_CERT_FILE", &authorities);
        }
    };
    trust.serves(trusting(&trust.ours)).await;
    let said = trust.does_not_start(trusting(&trust.others));
    assert!(said.contains("certificate") && said.contains("SSL_CERT_FILE"), "{said}");
}
