//! What operators see of the server, and how it stops.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use wecom_login_model::Bilingual;

use super::declaration::{Declaration, Kind, Shape};
use super::section::section;
use super::value::{Problem, Scalar};

section! {
    /// What operators see of the server, and how it stops.
    pub struct OperationsSettings in "", "运维" / "Operations";

    /// Address and port of a listener for `/metrics` alone. Beyond loopback it asks for an API key.
    metrics_listen: Option<SocketAddr> {
        zh: "只提供 `/metrics` 的监听地址和端口。不限于本机时需要 API 密钥",
        without: Bilingual { zh: "关闭", en: "off" },
    }

    /// Where the audit log is written besides the database: `stdout`, or the path of a file.
    audit_log: Option<AuditLog> {
        zh: "审计日志除数据库外还写到哪里：`stdout` 或文件路径",
        without: Bilingual { zh: "关闭", en: "off" },
    }

    /// How long a stopping server still accepts new requests, while `/readyz` says `stopping`.
    shutdown_delay: Duration {
        zh: "收到停止信号后还接受新请求多久，期间 `/readyz` 返回 `stopping`",
        default: "0s", most: "10m",
    }
}

/// Where the lines of the audit log go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditLog {
    /// Standard output.
    Stdout,
    /// A file; lines are added to its end.
    File(PathBuf),
}

impl fmt::Display for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Scalar for AuditLog {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "`stdout` 或路径", en: "`stdout` or path" },
        rule: "stdout or the path of a file",
        pattern: "",
    };

    fn read(text: &str, key: &Declaration) -> Result<Self, Problem> {
        match text {
            "stdout" => Ok(Self::Stdout),
            path => <PathBuf as Scalar>::read(path, key).map(Self::File),
        }
    }
}
