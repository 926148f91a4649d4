//! The error numbers of a sign-in: each declared once, with its texts and who can act. WeCom's errcodes pass through as they
//! are.

use wecom_login_element::Code;
use wecom_login_model::{Actor, Bilingual, Explanation};

/// What an error number means, whether it is ours or WeCom's. A number that is documented nowhere counts as unforeseen.
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
        zh: "登录服务遇到了未预料的错误。",
        en: "The sign-in service met an error that nobody foresaw.",
    },
    who: Actor::Operator,
    remedy: Bilingual {
        zh: "请稍后重试；若仍然失败，请把请求编号交给运维人员，日志里有详细原因。",
        en: "Try again later. If it stays, give the request id to the operator: the log holds the details.",
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
            /// WeCom does not take codes of this kind: 40029, whatever the reason.
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
            "To go on, sign in again and confirm it in WeCom.",
    }
    /// No state came.
    STATE_MISSING = 710_002, Developer {
        meaning: "这次登录没有带上 state 参数，无法确认它是从这个浏览器发起的。",
            "The sign-in came without its state, so it cannot be told whether this browser began it.",
        remedy: "把 getLoginConfig 返回的 state 放进登录链接，并原样传给 getLoginCode；成员请从登录页重新开始。",
            "Put the state of getLoginConfig into the sign-in link and hand it to getLoginCode \
             unchanged. Members: start again from the sign-in page.",
    }
    /// The state is none of ours, or was issued for another instance.
    STATE_UNKNOWN = 710_003, Member {
        meaning: "这次登录不是从这里发起的，或者已经过去太久。",
            "This sign-in was not begun here, or was begun too long ago.",
        remedy: "请从登录页重新开始，不要使用收藏的或别人发来的登录链接。",
            "Start again from the sign-in page; do not use a saved link or one that somebody sent you.",
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
            "This sign-in link was used before; each works once.",
        remedy: "请重新登录。",
            "Sign in again.",
    }
    /// The state was issued to another browser.
    STATE_OF_ANOTHER_BROWSER = 710_006, Member {
        meaning: "这次登录是在另一个浏览器里发起的，不能在这里完成。",
            "This sign-in was begun in another browser and cannot be finished here.",
        remedy: "请在这个浏览器里重新登录。如果链接是别人发给你的，请不要继续，并告诉管理员。",
            "Sign in again in this browser. If somebody sent you the link, do not go on and tell \
             your administrator.",
    }
    /// The state was issued by a call of the library and is not valid over HTTP.
    STATE_OF_LIBRARY = 710_007, Developer {
        meaning: "这个 state 是程序内部调用产生的，不能用于浏览器登录。",
            "This state was issued to a library call and is not valid in a browser.",
        remedy: "在浏览器里调用 getLoginConfig，使用它返回的 state。",
            "Call getLoginConfig from the browser and use the state that it gives.",
    }
    /// The browser keeps no cookies.
    COOKIES_BLOCKED = 710_008, Member {
        meaning: "登录重新开始了两次，浏览器仍然没有带回 Cookie。",
            "The sign-in was started again twice, and the browser still brought no cookie back.",
        remedy: "请允许本网站使用 Cookie，或换一个浏览器；不要在登录中途切换浏览器或无痕窗口。",
            "Allow cookies for this site or take another browser, and do not change the browser or a \
             private window half-way.",
    }
    /// WeCom gave an openid: whoever scanned is no member of the company.
    NOT_A_MEMBER = 710_101, Administrator {
        meaning: "扫码的人不是这家企业的成员。",
            "Whoever scanned the code is not a member of this company.",
        remedy: "请用加入了本企业的企业微信账号扫码；还没有加入的，请管理员在通讯录里添加成员。",
            "Scan with a WeCom account that has joined this company. Who has not joined yet must be \
             added to the contacts by the administrator.",
    }
    /// WeCom gave a member of a linked company.
    MEMBER_OF_ANOTHER_COMPANY = 710_102, Administrator {
        meaning: "扫码的人是关联企业的成员，本应用只允许本企业成员登录。",
            "Whoever scanned the code is a member of a linked company; this app lets in members of \
             its own company only.",
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
    /// The member has left the company (status 5, or marked so while they signed in).
    MEMBER_LEFT = 710_104, Administrator {
        meaning: "你已经不是这家企业的成员。",
            "You are no longer a member of this company.",
        remedy: "如果这不对，请管理员把你重新加入企业通讯录。",
            "If that is wrong, the administrator can add you to the company's contacts again.",
    }
    /// The member has no account, and the instance makes none.
    NO_ACCOUNT = 710_105, Administrator {
        meaning: "企业微信确认了你的身份，但这里没有与你对应的账号。",
            "WeCom confirmed who you are, but no account here is yours.",
        remedy: "请管理员用 wecom-login account bind 把你的成员身份绑定到一个账号，或打开这个登录实例的 autoRegister。",
            "The administrator can bind the member to an account with wecom-login account bind, or \
             turn on autoRegister of this sign-in instance.",
    }
    /// The member who was to be bound has an account of their own.
    BOUND_TO_ANOTHER = 710_106, Administrator {
        meaning: "这个企业微信身份已经绑定到另一个账号，没有改动。",
            "This WeCom identity is bound to another account already; nothing was changed.",
        remedy: "如果它应当属于当前账号，请管理员先解除原来的绑定，再重新绑定。",
            "If it should belong to this account, the administrator can unbind it first; then bind \
             it again.",
    }
    /// The session for which a member was to be bound has ended.
    BINDING_WITHOUT_SESSION = 710_107, Member {
        meaning: "发起绑定的登录会话已经结束，没有绑定任何身份。",
            "The session that began the binding has ended; nothing was bound.",
        remedy: "请先登录要绑定的账号，再重新发起绑定。",
            "Sign in to the account first, then begin the binding again.",
    }
    /// WeCom did not answer in time, or not sensibly.
    WECOM_UNAVAILABLE = 710_201, WeCom {
        meaning: "企业微信没有及时作出有效的回答。",
            "WeCom gave no usable answer in time.",
        remedy: "请稍后重试；若持续出现，请运维人员检查服务器到企业微信接口的网络和代理设置。",
            "Try again shortly. If it stays, the operator should check the server's network and \
             proxy towards WeCom's API.",
    }
    /// The same sign-in is still under way.
    STILL_UNDER_WAY = 710_202, Member {
        meaning: "同一次登录正在处理中，还没有结果。",
            "The same sign-in is still under way.",
        remedy: "请等几秒钟再刷新。",
            "Wait a few seconds and reload.",
    }
    /// The sign-in broke off here after its code was used up.
    BROKEN_OFF = 710_203, Member {
        meaning: "登录处理到一半中断了，登录码已经用掉。",
            "The sign-in broke off half-way, and its code is used up.",
        remedy: "请重新登录；若多次出现，请告诉运维人员。",
            "Sign in again; if it happens more than once, tell the operator.",
    }
    /// The service's own storage is out of reach, busy or full.
    STORAGE_UNAVAILABLE = 710_204, Operator {
        meaning: "登录服务暂时不能读写自己的数据。已经登录的人不会因此退出。",
            "The sign-in service cannot read or write its own data at the moment. Nobody is signed \
             out by that.",
        remedy: "请稍后重试；若持续出现，请运维人员查看 /readyz 和日志：是数据库、Redis 还是磁盘。",
            "Try again shortly. If it stays, the operator should look at /readyz and the log to see \
             whether it is the database, Redis or the disk.",
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
