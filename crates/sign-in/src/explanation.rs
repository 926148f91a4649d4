use wecom_login_model::{Actor, Bilingual, Explanation};

use crate::number;

/// What an error number means, be it ours or WeCom's. A number that nobody documents is told as an unforeseen error.
pub fn explain(code: i64) -> &'static Explanation {
    TABLE.iter().find(|row| row.code == code).or_else(|| wecom::explain(code)).unwrap_or(&UNFORESEEN)
}

/// Our own numbers, in order.
pub fn explanations() -> &'static [Explanation] {
    TABLE
}

const UNFORESEEN: Explanation = Explanation {
    code: 50000,
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

const TABLE: &[Explanation] = &[
    UNFORESEEN,
    Explanation {
        code: number::DECLINED,
        meaning: Bilingual {
            zh: "你在企业微信里取消了这次登录。", en: "You declined the sign-in in WeCom."
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "如果要继续，请重新登录并在企业微信里点“确认”。",
            en: "To go on, sign in again and confirm it in WeCom.",
        },
    },
    Explanation {
        code: number::STATE_MISSING,
        meaning: Bilingual {
            zh: "这次登录没有带上 state 参数，无法确认它是从这个浏览器发起的。",
            en: "The sign-in came without its state, so it cannot be told whether this browser began it.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "把 getLoginConfig 返回的 state 放进登录链接，并原样传给 getLoginCode；成员请从登录页重新开始。",
            en: "Put the state of getLoginConfig into the sign-in link and hand it to getLoginCode unchanged. \
                 Members: start again from the sign-in page.",
        },
    },
    Explanation {
        code: number::STATE_UNKNOWN,
        meaning: Bilingual {
            zh: "这次登录不是从这里发起的，或者已经过去太久。",
            en: "This sign-in was not begun here, or was begun too long ago.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请从登录页重新开始，不要使用收藏的或别人发来的登录链接。",
            en: "Start again from the sign-in page; do not use a saved link or one that somebody sent you.",
        },
    },
    Explanation {
        code: number::STATE_EXPIRED,
        meaning: Bilingual {
            zh: "这次登录超过 10 分钟没有完成，已经失效。",
            en: "The sign-in was not finished within 10 minutes and has expired.",
        },
        who: Actor::Member,
        remedy: Bilingual { zh: "请重新登录。", en: "Sign in again." },
    },
    Explanation {
        code: number::STATE_USED,
        meaning: Bilingual {
            zh: "这个登录链接已经用过了，每个链接只能用一次。",
            en: "This sign-in link was used before; each works once.",
        },
        who: Actor::Member,
        remedy: Bilingual { zh: "请重新登录。", en: "Sign in again." },
    },
    Explanation {
        code: number::STATE_OF_ANOTHER_BROWSER,
        meaning: Bilingual {
            zh: "这次登录是在另一个浏览器里发起的，不能在这里完成。",
            en: "This sign-in was begun in another browser and cannot be finished here.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请在这个浏览器里重新登录。如果链接是别人发给你的，请不要继续，并告诉管理员。",
            en: "Sign in again in this browser. If somebody sent you the link, do not go on and tell your \
                 administrator.",
        },
    },
    Explanation {
        code: number::STATE_OF_LIBRARY,
        meaning: Bilingual {
            zh: "这个 state 是程序内部调用产生的，不能用于浏览器登录。",
            en: "This state was issued to a library call and is not valid in a browser.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "在浏览器里调用 getLoginConfig，使用它返回的 state。",
            en: "Call getLoginConfig from the browser and use the state that it gives.",
        },
    },
    Explanation {
        code: number::COOKIES_BLOCKED,
        meaning: Bilingual {
            zh: "登录重新开始了两次，浏览器仍然没有带回 Cookie。",
            en: "The sign-in was started again twice, and the browser still brought no cookie back.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请允许本网站使用 Cookie，或换一个浏览器；不要在登录中途切换浏览器或无痕窗口。",
            en: "Allow cookies for this site or take another browser, and do not change the browser or a private \
                 window half-way.",
        },
    },
    Explanation {
        code: number::NOT_A_MEMBER,
        meaning: Bilingual {
            zh: "扫码的人不是这家企业的成员。",
            en: "Whoever scanned the code is not a member of this company.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请用加入了本企业的企业微信账号扫码；还没有加入的，请管理员在通讯录里添加成员。",
            en: "Scan with a WeCom account that has joined this company. Who has not joined yet must be added to the \
                 contacts by the administrator.",
        },
    },
    Explanation {
        code: number::MEMBER_OF_ANOTHER_COMPANY,
        meaning: Bilingual {
            zh: "扫码的人是关联企业的成员，本应用只允许本企业成员登录。",
            en: "Whoever scanned the code is a member of a linked company; this app lets in members of its own \
                 company only.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请用本企业的账号扫码，或请管理员把你加入本企业通讯录。",
            en: "Scan with an account of this company, or ask the administrator to add you to its contacts.",
        },
    },
    Explanation {
        code: number::MEMBER_DISABLED,
        meaning: Bilingual {
            zh: "你的企业微信账号已被管理员禁用。",
            en: "Your WeCom account has been disabled by the administrator.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请管理员在企业微信管理后台的通讯录里启用该成员。",
            en: "The administrator can enable the member in the contacts of WeCom's admin console.",
        },
    },
    Explanation {
        code: number::MEMBER_LEFT,
        meaning: Bilingual {
            zh: "你已经不是这家企业的成员。",
            en: "You are no longer a member of this company.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "如果这不对，请管理员把你重新加入企业通讯录。",
            en: "If that is wrong, the administrator can add you to the company's contacts again.",
        },
    },
    Explanation {
        code: number::NO_ACCOUNT,
        meaning: Bilingual {
            zh: "企业微信确认了你的身份，但这里没有与你对应的账号。",
            en: "WeCom confirmed who you are, but no account here is yours.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请管理员用 wecom-login account bind 把你的成员身份绑定到一个账号，或打开这个登录实例的 autoRegister。",
            en: "The administrator can bind the member to an account with wecom-login account bind, or turn on \
                 autoRegister of this sign-in instance.",
        },
    },
    Explanation {
        code: number::BOUND_TO_ANOTHER,
        meaning: Bilingual {
            zh: "这个企业微信身份已经绑定到另一个账号，没有改动。",
            en: "This WeCom identity is bound to another account already; nothing was changed.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "如果它应当属于当前账号，请管理员先解除原来的绑定，再重新绑定。",
            en: "If it should belong to this account, the administrator can unbind it first; then bind it again.",
        },
    },
    Explanation {
        code: number::BINDING_WITHOUT_SESSION,
        meaning: Bilingual {
            zh: "发起绑定的登录会话已经结束，没有绑定任何身份。",
            en: "The session that began the binding has ended; nothing was bound.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请先登录要绑定的账号，再重新发起绑定。",
            en: "Sign in to the account first, then begin the binding again.",
        },
    },
    Explanation {
        code: number::WECOM_UNAVAILABLE,
        meaning: Bilingual {
            zh: "企业微信没有及时作出有效的回答。",
            en: "WeCom gave no usable answer in time.",
        },
        who: Actor::WeCom,
        remedy: Bilingual {
            zh: "请稍后重试；若持续出现，请运维人员检查服务器到企业微信接口的网络和代理设置。",
            en: "Try again shortly. If it stays, the operator should check the server's network and proxy towards \
                 WeCom's API.",
        },
    },
    Explanation {
        code: number::STILL_UNDER_WAY,
        meaning: Bilingual {
            zh: "同一次登录正在处理中，还没有结果。",
            en: "The same sign-in is still under way.",
        },
        who: Actor::Member,
        remedy: Bilingual { zh: "请等几秒钟再刷新。", en: "Wait a few seconds and reload." },
    },
    Explanation {
        code: number::BROKEN_OFF,
        meaning: Bilingual {
            zh: "登录处理到一半中断了，登录码已经用掉。",
            en: "The sign-in broke off half-way, and its code is used up.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请重新登录；若多次出现，请告诉运维人员。",
            en: "Sign in again; if it happens more than once, tell the operator.",
        },
    },
    Explanation {
        code: number::STORAGE_UNAVAILABLE,
        meaning: Bilingual {
            zh: "登录服务暂时不能读写自己的数据。已经登录的人不会因此退出。",
            en: "The sign-in service cannot read or write its own data at the moment. Nobody is signed out by that.",
        },
        who: Actor::Operator,
        remedy: Bilingual {
            zh: "请稍后重试；若持续出现，请运维人员查看 /readyz 和日志：是数据库、Redis 还是磁盘。",
            en: "Try again shortly. If it stays, the operator should look at /readyz and the log to see whether it is the \
                 database, Redis or the disk.",
        },
    },
];

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
