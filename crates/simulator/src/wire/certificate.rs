use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData as _};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// The hosts that WeCom speaks from: sign-in page, its older form, OAuth page, server API.
pub(crate) const OFFICIAL_HOSTS: [&str; 4] =
    ["login.work.weixin.qq.com", "open.work.weixin.qq.com", "open.weixin.qq.com", "qyapi.weixin.qq.com"];

/// A certificate of the simulator's own making, for the official hosts and for this machine. Made at start; its
/// key never leaves the process, so that trusting it opens nothing to anybody else.
pub(crate) struct Certificate {
    pub(crate) server: Arc<ServerConfig>,
    /// DER.
    pub(crate) der: Vec<u8>,
    /// SHA-256 of the public key (SubjectPublicKeyInfo), base64: the form that Chromium takes.
    pub(crate) fingerprint: String,
}

impl Certificate {
    pub(crate) fn make() -> Result<Self> {
        let refused = |error: &dyn fmt::Display| Error::Certificate(error.to_string());
        let key = KeyPair::generate().map_err(|error| refused(&error))?;
        let local = ["localhost", "127.0.0.1", "::1"];
        let names: Vec<String> = OFFICIAL_HOSTS.into_iter().chain(local).map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).map_err(|error| refused(&error))?;
        params.distinguished_name.push(DnType::CommonName, "WeCom simulator on this machine");
        let certificate = params.self_signed(&key).map_err(|error| refused(&error))?;
        let fingerprint = STANDARD.encode(Sha256::digest(key.subject_public_key_info()));
        let mut server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&error))?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .map_err(|error| refused(&error))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { server: Arc::new(server), der: certificate.der().to_vec(), fingerprint })
    }
}
