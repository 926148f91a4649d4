use crate::Bilingual;

/// The party that can fix a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The person who is signing in.
    Member,
    /// The administrator of the company or the app in WeCom's admin console (管理后台).
    Administrator,
    /// The developer of the app that uses the API.
    Developer,
    /// The operator of the server that calls WeCom.
    Operator,
    /// WeCom itself; the failure passes by itself.
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

/// The meaning of an error number, who must act, and what they must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The errcode. An application may describe numbers of its own in the same form.
    pub code: i64,
    /// The meaning.
    pub meaning: Bilingual,
    /// The party that can fix it.
    pub who: Actor,
    /// What they must do.
    pub remedy: Bilingual,
}
