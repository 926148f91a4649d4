//! `wecom-login`: sign in to any app with WeCom (企业微信).

use std::process::ExitCode;

fn main() -> ExitCode {
    wecom_login::run(std::env::args_os(), &wecom_login::Alone).into()
}
