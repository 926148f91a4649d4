use crate::Bilingual;

/// Who can do something about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The person who is signing in.
    Member,
    /// Who administers the company or the app in WeCom's console.
    Administrator,
    /// Who wrote the app that calls us.
    Developer,
    /// Who runs this server.
    Operator,
    /// WeCom itself; waiting helps.
    WeCom,
}

impl Actor {
    /// The actor's name, as it stands after "Who can fix it:".
    pub const fn name(self) -> Bilingual {
        match self {
            Self::Member => Bilingual { zh: "你自己", en: "You" },
            Self::Administrator => {
                Bilingual { zh: "企业微信管理员", en: "Your company's WeCom administrator" }
            }
            Self::Developer => Bilingual { zh: "应用的开发者", en: "The developer of the app" },
            Self::Operator => {
                Bilingual { zh: "登录服务的运维人员", en: "The operator of this sign-in service" }
            }
            Self::WeCom => {
                Bilingual { zh: "企业微信（稍后会恢复）", en: "WeCom (it passes with time)" }
            }
        }
    }
}

/// What an error number means, who must act, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// WeCom's errcode, or a number of our own.
    pub code: i64,
    /// What happened.
    pub meaning: Bilingual,
    /// Who can fix it.
    pub who: Actor,
    /// How.
    pub remedy: Bilingual,
}
