//! The error numbers of a sign-in. Each is declared once, with its texts and the actor who can fix it. WeCom's errcodes pass
//! through unchanged.

use wecom_login_element::Code;
use wecom_login_model::{Actor, Bilingual, Explanation};

/// The meaning of an error number, ours or WeCom's. An undocumented number is explained as unforeseen.
pub fn explain(code: i64) -> &'static Explanation {
    TABLE.iter().find(|row| row.code == code).or_else(|| wecom::explain(code)).unwrap_or(&UNFORESEEN)
}

/// The numbers of a sign-in, in order.
pub fn explanations() -> &'static [Explanation] {
    TABLE
}

const UNFORESEEN: Explanation = Explanation {
    code: Code::UNFORESEEN,
    meaning: Bilingual {
        zh: "登录服务发生了未预料的错误。",
        en: "An unexpected error occurred in the sign-in service.",
    },
    who: Actor::Operator,
    remedy: Bilingual {
        zh: "请稍后重试；如果仍然失败，请把请求编号发给运维人员，日志里有详细原因。",
        en: "Try again later. If the error persists, send the request id to the operator: the log has the details.",
    },
};

/// `/// doc  NAME = number, who can act { meaning: zh, en, remedy: zh, en }`
macro_rules! error_numbers {
    ($($(#[$doc:meta])+ $name:ident = $number:literal, $who:ident {
        meaning: $meaning_zh:literal, $meaning_en:literal,
        remedy: $remedy_zh:literal, $remedy_en:literal,
    })+) => {
        /// The error numbers of a sign-in.
        pub mod number {
            /// WeCom's errcode for an authorization code that it does not accept, for any reason.
            pub const BAD_CODE: i64 = 40029;
            $($(#[$doc])+ pub const $name: i64 = $number;)+
        }

        const TABLE: &[Explanation] = &[UNFORESEEN, $(Explanation {
            code: number::$name,
            meaning: Bilingual { zh: $meaning_zh, en: $meaning_en },
            who: Actor::$who,
            remedy: Bilingual { zh: $remedy_zh, en: $remedy_en },
        }),+];
    };
}

error_numbers! {
    /// The redirect brought a state but no code: the member declined.
    DECLINED = 710_001, Member {
        meaning: "你在企业微信里取消了这次登录。",
            "You declined the sign-in in WeCom.",
        remedy: "如果要继续，请重新登录并在企业微信里点“确认”。",
            "To continue, sign in again and confirm in WeCom.",
    }
    /// The request has no state.
    STATE_MISSING = 710_002, Developer {
        meaning: "这次登录没有带上 state 参数，无法确认它是从这个浏览器发起的。",
            "The sign-in has no state, so the service cannot verify that it started in this browser.",
        remedy: "把 getLoginConfig 返回的 state 放进登录链接，并原样传给 getLoginCode；成员请从登录页重新开始。",
            "Put the state from getLoginConfig into the sign-in link and pass it to getLoginCode \
            unchanged. Members: start again from the sign-in page.",
    }
    /// This server did not issue the state, or issued it for another instance.
    STATE_UNKNOWN = 710_003, Member {
        meaning: "这次登录不是从这里发起的，或者已经过去太久。",
            "This sign-in was not started here, or was started too long ago.",
        remedy: "请从登录页重新开始，不要使用收藏的或别人发来的登录链接。",
            "Start again from the sign-in page; do not use a saved link or a link that someone sent you.",
    }
    /// The state is older than 10 minutes.
    STATE_EXPIRED = 710_004, Member {
        meaning: "这次登录超过 10 分钟没有完成，已经失效。",
            "The sign-in was not finished within 10 minutes and has expired.",
        remedy: "请重新登录。",
            "Sign in again.",
    }
    /// The state was used before.
    STATE_USED = 710_005, Member {
        meaning: "这个登录链接已经用过了，每个链接只能用一次。",
            "This sign-in link was already used; each link works only once.",
        remedy: "请重新登录。",
            "Sign in again.",
    }
    /// The state was issued to another browser.
    STATE_OF_ANOTHER_BROWSER = 710_006, Member {
        meaning: "这次登录是在另一个浏览器里发起的，不能在这里完成。",
            "This sign-in was started in another browser and cannot be finished here.",
        remedy: "请在这个浏览器里重新登录。如果链接是别人发给你的，请不要继续，并联系管理员。",
            "Sign in again in this browser. If someone sent you the link, do not continue, and tell \
            your administrator.",
    }
    /// The state was issued to a library call and is not valid over HTTP.
    STATE_OF_LIBRARY = 710_007, Developer {
        meaning: "这个 state 是程序内部调用产生的，不能用于浏览器登录。",
            "This state was issued to a library call and is not valid in a browser.",
        remedy: "在浏览器里调用 getLoginConfig，使用它返回的 state。",
            "Call getLoginConfig from the browser and use the state that it returns.",
    }
    /// The browser does not store cookies.
    COOKIES_BLOCKED = 710_008, Member {
        meaning: "登录重新开始了两次，浏览器仍然没有带回 Cookie。",
            "The sign-in was restarted twice, and the browser still sent no cookie.",
        remedy: "请允许本网站使用 Cookie，或换一个浏览器；不要在登录中途切换浏览器或无痕窗口。",
            "Allow cookies for this site or use another browser, and do not switch browsers or private \
            windows during the sign-in.",
    }
    /// WeCom gave an openid: the person who scanned the code is not a member of the company.
    NOT_A_MEMBER = 710_101, Administrator {
        meaning: "扫码的人不是这家企业的成员。",
            "The person who scanned the code is not a member of this company.",
        remedy: "请用加入了本企业的企业微信账号扫码；还没有加入的，请管理员在通讯录里添加成员。",
            "Scan with a WeCom account that has joined this company. If you have not joined it yet, ask \
            the administrator to add you to the contacts.",
    }
    /// WeCom gave a member of a linked company.
    MEMBER_OF_ANOTHER_COMPANY = 710_102, Administrator {
        meaning: "扫码的人是关联企业的成员，这个应用只允许本企业成员登录。",
            "The person who scanned the code is a member of a linked company; this app accepts only \
            members of its own company.",
        remedy: "请用本企业的账号扫码，或请管理员把你加入本企业通讯录。",
            "Scan with an account of this company, or ask the administrator to add you to its contacts.",
    }
    /// The member is disabled (status 2).
    MEMBER_DISABLED = 710_103, Administrator {
        meaning: "你的企业微信账号已被管理员禁用。",
            "Your WeCom account has been disabled by the administrator.",
        remedy: "请管理员在企业微信管理后台的通讯录里启用该成员。",
            "The administrator can enable the member in the contacts of WeCom's admin console.",
    }
    /// The member has left the company: WeCom says status 5, or the local copy marked them as having left during the sign-in.
    MEMBER_LEFT = 710_104, Administrator {
        meaning: "你已经不是这家企业的成员。",
            "You are no longer a member of this company.",
        remedy: "如果有误，请联系管理员把你重新加入企业通讯录。",
            "If this is wrong, ask the administrator to add you to the company's contacts again.",
    }
    /// The member has no account, and the instance does not create one.
    NO_ACCOUNT = 710_105, Administrator {
        meaning: "企业微信确认了你的身份，但这里没有与你对应的账号。",
            "WeCom confirmed your identity, but you have no account here.",
        remedy: "请管理员用 wecom-login account bind 把你的成员身份绑定到一个账号，或打开这个登录实例的 autoRegister。",
            "The administrator can bind the member to an account with wecom-login account bind, or \
            turn on autoRegister in this sign-in instance.",
    }
    /// The member to bind already has an account.
    BOUND_TO_ANOTHER = 710_106, Administrator {
        meaning: "这个企业微信身份已经绑定到另一个账号，没有改动。",
            "This WeCom identity is already bound to another account; nothing was changed.",
        remedy: "如果它应当属于当前账号，请管理员先解除原来的绑定，再重新绑定。",
            "If it should belong to this account, ask the administrator to unbind it first, then bind \
            it again.",
    }
    /// The session that started the binding has ended.
    BINDING_WITHOUT_SESSION = 710_107, Member {
        meaning: "发起绑定的登录会话已经结束，没有绑定任何身份。",
            "The session that started the binding has ended; nothing was bound.",
        remedy: "请先登录要绑定的账号，再重新发起绑定。",
            "Sign in to the account first, then start the binding again.",
    }
    /// The browser did not bring the cookie of a binding.
    BINDING_LOST = 710_108, Member {
        meaning: "这次绑定的信息已经丢失，没有绑定任何身份，也没有登录。",
            "The details of this binding are lost; nothing was bound, and nobody was signed in.",
        remedy: "请在发起绑定的浏览器里重新发起绑定，并在 15 分钟内完成。",
            "Start the binding again in the browser in which you started it, and finish it within 15 minutes.",
    }
    /// The member left and came back, and the setting `rehire = "confirm"` leaves the decision to an administrator.
    RETURN_UNCONFIRMED = 710_109, Administrator {
        meaning: "该成员离职后又重新加入，需要管理员确认使用哪个账号。",
            "The member with this WeCom userid left the company and is back; an administrator must decide which \
            account is theirs.",
        remedy: "请管理员核对身份。若是同一人，运行 wecom-login account bind 账号名 corpId/userId 恢复原账号；若是另一人，运行 wecom-login account unbind corpId/userId，之后按新成员登录。",
            "The administrator checks who it is. The same person gets the former account with wecom-login account \
            bind USERNAME corpId/userId; for another person, wecom-login account unbind corpId/userId lets them \
            sign in as a new member.",
    }
    /// WeCom did not answer in time, or its answer was unusable.
    WECOM_UNAVAILABLE = 710_201, WeCom {
        meaning: "企业微信没有及时返回有效的结果。",
            "WeCom gave no usable answer in time.",
        remedy: "请稍后重试；如果持续出现，请运维人员检查服务器到企业微信接口的网络和代理设置。",
            "Try again shortly. If the error persists, the operator should check the server's network \
            and proxy towards WeCom's API.",
    }
    /// The same sign-in is still in progress.
    STILL_UNDER_WAY = 710_202, Member {
        meaning: "同一次登录正在处理中，还没有结果。",
            "The same sign-in is still in progress.",
        remedy: "请等几秒钟再刷新。",
            "Wait a few seconds and reload.",
    }
    /// The sign-in was interrupted in this server after its authorization code was used up.
    BROKEN_OFF = 710_203, Member {
        meaning: "登录处理到一半中断了，授权码已经用掉。",
            "The sign-in was interrupted, and its authorization code is used up.",
        remedy: "请重新登录；如果多次出现，请联系运维人员。",
            "Sign in again. If this happens more than once, contact the operator.",
    }
    /// The service's own storage is unreachable, busy or full.
    STORAGE_UNAVAILABLE = 710_204, Operator {
        meaning: "登录服务暂时不能读写自己的数据。已经登录的人不会因此退出登录。",
            "The sign-in service cannot read or write its own data at the moment. Existing sessions \
            are not affected.",
        remedy: "请稍后重试；如果持续出现，请运维人员查看 /readyz 和日志，确认是数据库、Redis 还是磁盘的问题。",
            "Try again shortly. If the error persists, the operator should check /readyz and the log to \
            see whether the database, Redis or the disk is the cause.",
    }    /// Too many failures from this address within a minute.
    TOO_MANY_FAILURES = 710_303, Member {
        meaning: "这个地址在一分钟内失败的次数太多。",
            "Too many failures from this address within a minute.",
        remedy: "请等一分钟再试。",
            "Wait a minute and try again.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_complete_and_apart_from_wecoms() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for row in TABLE {
            assert!(wecom::explain(row.code).is_none(), "{} is WeCom's", row.code);
            for text in [row.meaning, row.remedy] {
                assert!(!text.zh.is_ascii() && text.en.is_ascii(), "{}", row.code);
            }
        }
    }
}
