//! Our own error numbers at the HTTP border; those of a sign-in are in the login crate.

use wecom_login_model::{Actor, Bilingual, Explanation};

pub(crate) use wecom_login_element::number::{
    ADMINISTRATORS_ONLY, BAD_ARGUMENTS, NO_SUCH_FUNCTION as NO_FUNCTION, NOT_SIGNED_IN,
};

pub(crate) const CROSS_SITE: i64 = 710_302;
pub(crate) const TOO_MANY_FAILURES: i64 = 710_303;
pub(crate) const OVERLOADED: i64 = 710_304;
pub(crate) const NOT_FOUND: i64 = 710_305;
pub(crate) const BODY_TOO_LARGE: i64 = 710_306;
pub(crate) const BAD_CONTENT_TYPE: i64 = 710_307;
pub(crate) const RETURN_TO_REFUSED: i64 = 710_309;
pub(crate) const REDIRECT_NOT_OURS: i64 = 710_310;
pub(crate) const NO_INSTANCE: i64 = 710_311;
pub(crate) const METHOD_NOT_ALLOWED: i64 = 710_312;
pub(crate) const APP_REFUSED: i64 = 710_315;
pub(crate) const NO_PAIR_HERE: i64 = 710_316;
pub(crate) const REFRESH_TOKEN_REUSED: i64 = 710_317;
pub(crate) const BODY_TOO_SLOW: i64 = 710_318;

pub(crate) const PANEL_BLOCKED: i64 = 710_331;
pub(crate) const PANEL_FAILED: i64 = 710_332;
pub(crate) const REDIRECT_HOST_UNKNOWN: i64 = 710_333;
pub(crate) const PAGE_LOST: i64 = 710_334;

pub(crate) const NO_SUCH_ACCOUNT: i64 = 710_402;
pub(crate) const BOUND_ELSEWHERE: i64 = 710_403;
pub(crate) const NOT_BOUND: i64 = 710_404;
pub(crate) const NO_LIST: i64 = 710_405;
pub(crate) const SYNC_RUNNING: i64 = 710_406;
pub(crate) const NOTHING_HELD: i64 = 710_407;
pub(crate) const NO_SUCH_SESSION: i64 = 710_408;

/// Our own numbers at the HTTP border, in order.
pub fn explanations() -> &'static [Explanation] {
    TABLE
}

/// What a number means, be it ours, the sign-in's or WeCom's.
pub(crate) fn explain(code: i64) -> &'static Explanation {
    TABLE.iter().find(|row| row.code == code).unwrap_or_else(|| wecom_login_login::explain(code))
}

const TABLE: &[Explanation] = &[
    Explanation {
        code: NOT_SIGNED_IN,
        meaning: Bilingual {
            zh: "还没有登录，或登录已经结束。",
            en: "Not signed in, or the session has ended.",
        },
        who: Actor::Member,
        remedy: Bilingual { zh: "请登录。", en: "Sign in." },
    },
    Explanation {
        code: CROSS_SITE,
        meaning: Bilingual {
            zh: "这个请求来自另一个网站，已被拒绝。",
            en: "The request came from another site and was refused.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "请从登录服务自己的地址（public_url）发起请求，或把这个网站的来源加入配置项 origins（只开放登录用到的请求）。",
            en: "Send the request from the sign-in service's own address (public_url), or list the site's origin under \
                 origins in the settings, which opens what a sign-in needs.",
        },
    },
    Explanation {
        code: TOO_MANY_FAILURES,
        meaning: Bilingual {
            zh: "这个地址在一分钟内失败的次数太多。",
            en: "Too many failures from this address within a minute.",
        },
        who: Actor::Member,
        remedy: Bilingual { zh: "请等一分钟再试。", en: "Wait a minute and try again." },
    },
    Explanation {
        code: OVERLOADED,
        meaning: Bilingual {
            zh: "同时开始的登录太多，请求被暂时拒绝。",
            en: "Too many sign-ins were begun at once; the request was put off.",
        },
        who: Actor::Member,
        remedy: Bilingual { zh: "请等几秒钟再试。", en: "Wait a few seconds and try again." },
    },
    Explanation {
        code: NOT_FOUND,
        meaning: Bilingual { zh: "这个地址下没有页面。", en: "There is no page at this address." },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请检查地址有没有写错，或者从首页重新进入。",
            en: "Check the address, or start from the first page.",
        },
    },
    Explanation {
        code: BODY_TOO_LARGE,
        meaning: Bilingual { zh: "请求体超过 64 KiB。", en: "The request body is over 64 KiB." },
        who: Actor::Developer,
        remedy: Bilingual { zh: "请只发送函数的参数。", en: "Send the function's arguments only." },
    },
    Explanation {
        code: BAD_CONTENT_TYPE,
        meaning: Bilingual { zh: "请求体不是 JSON。", en: "The request body is not JSON." },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "请用 Content-Type: application/json 发送一个 JSON 对象。",
            en: "Send a JSON object with Content-Type: application/json.",
        },
    },
    Explanation {
        code: BAD_ARGUMENTS,
        meaning: Bilingual { zh: "函数的参数不对。", en: "The function's arguments are not right." },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "请按函数的说明传参数。",
            en: "Pass the arguments that the function declares.",
        },
    },
    Explanation {
        code: RETURN_TO_REFUSED,
        meaning: Bilingual {
            zh: "登录后要返回的地址（return_to）不被允许。",
            en: "The address to return to after the sign-in (return_to) is not allowed.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "return_to 必须是登录服务自己的地址，或配置项 return_origins 里的来源。",
            en: "return_to must be at the sign-in service's own address or at an origin listed in return_origins.",
        },
    },
    Explanation {
        code: REDIRECT_NOT_OURS,
        meaning: Bilingual {
            zh: "这个登录实例的 redirectUri 不能由本服务接收，所以它的浏览器登录已关闭。",
            en: "This service cannot take the instance's redirectUri, so its sign-in in the browser is off.",
        },
        who: Actor::Operator,
        remedy: Bilingual {
            zh: "让 redirectUri 与 public_url 同源（协议、主机、端口都相同）且不与本服务的地址冲突，或在实例里设置 callback 为 page。",
            en: "Give redirectUri the origin of public_url (scheme, host and port) and a path that is not one of this \
                 service's own, or set the instance's callback to page.",
        },
    },
    Explanation {
        code: NO_INSTANCE,
        meaning: Bilingual {
            zh: "没有找到这个登录实例。", en: "There is no such sign-in instance."
        },
        who: Actor::Operator,
        remedy: Bilingual {
            zh: "请检查应用目录里的 auths/loginTypes/<名称>/e.json 和 <名称>.json；启动日志列出了有问题的元素。",
            en: "Check auths/loginTypes/<Name>/e.json and <Name>.json in the app folder; the log of the start lists \
                 what is wrong.",
        },
    },
    Explanation {
        code: METHOD_NOT_ALLOWED,
        meaning: Bilingual {
            zh: "这个地址不接受这种请求方法。",
            en: "The address does not take this method.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "元素函数和退出登录用 POST，页面用 GET。",
            en: "Element functions and sign-out take POST, pages take GET.",
        },
    },
    Explanation {
        code: NO_FUNCTION,
        meaning: Bilingual {
            zh: "没有这个元素函数，或者它不能从外部调用。",
            en: "There is no such element function, or it cannot be called from outside.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "请检查地址：/api/{组织}/{应用}/{元素路径}/{函数}，组织和应用见 app.json。",
            en: "Check the address: /api/{org}/{app}/{element path}/{function}, with org and app as in app.json.",
        },
    },
    Explanation {
        code: ADMINISTRATORS_ONLY,
        meaning: Bilingual {
            zh: "只有管理员可以这样做。", en: "Only an administrator may do this."
        },
        who: Actor::Operator,
        remedy: Bilingual {
            zh: "请用管理员身份登录，或用 wecom-login apikey add 生成密钥并以 Authorization: Bearer 发送。管理员在配置项 admins 里以 corpId/userId 列出。",
            en: "Sign in as an administrator, or make a key with wecom-login apikey add and send it as Authorization: \
                 Bearer. Administrators are listed as corpId/userId under admins in the settings.",
        },
    },
    Explanation {
        code: APP_REFUSED,
        meaning: Bilingual {
            zh: "企业微信确认了你的身份，但这个应用没有让你登录。",
            en: "WeCom confirmed who you are, but this app did not let you in.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "请联系应用的开发者：应用自己的登录类型拒绝了这次登录。",
            en: "Ask the developer of the app: its own sign-in type refused the sign-in.",
        },
    },
    Explanation {
        code: NO_PAIR_HERE,
        meaning: Bilingual {
            zh: "这个网页不能得到访问令牌，只能用 Cookie 登录。",
            en: "This page cannot be given tokens; it signs in by cookie.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "登录服务自己的页面请用 session: \"cookie\"。令牌只发给配置项 origins 列出的来源，以及不是浏览器的程序。",
            en: "Use session: \"cookie\" on the sign-in service's own pages. Tokens are for origins that the settings list \
                 under origins, and for programs that are no browsers.",
        },
    },
    Explanation {
        code: REFRESH_TOKEN_REUSED,
        meaning: Bilingual {
            zh: "这个刷新令牌被使用了两次，可能已经泄露，所以这次登录已经结束。",
            en: "This refresh token was used twice and may have been stolen, so the session was ended.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请重新登录。如果经常出现，请开发者检查：每个刷新令牌只能用一次，每次都要保存新的。",
            en: "Sign in again. If it happens often, the developer should check that each refresh token is used once and \
                 the new one kept.",
        },
    },
    Explanation {
        code: BODY_TOO_SLOW,
        meaning: Bilingual {
            zh: "请求体没有在一分钟内传完。",
            en: "The request body did not arrive within a minute.",
        },
        who: Actor::Developer,
        remedy: Bilingual {
            zh: "请检查客户端和中间代理的网络，然后重试。",
            en: "Check the network of the client and of the proxies on the way, then try again.",
        },
    },
    Explanation {
        code: PANEL_BLOCKED,
        meaning: Bilingual {
            zh: "企业微信的登录面板没有加载出来：脚本被拦截，或浏览器访问不到企业微信的登录地址。",
            en: "WeCom's login panel did not load: its script is blocked, or the browser cannot reach WeCom's sign-in \
                 address.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请点下面的链接，在企业微信自己的页面上登录。如果那个页面也打不开，请把下面的地址告诉网络管理员。",
            en: "Follow the link below to sign in on WeCom's own page. If that does not open either, give the address \
                 below to whoever runs the network.",
        },
    },
    Explanation {
        code: PANEL_FAILED,
        meaning: Bilingual {
            zh: "企业微信的登录面板报告了一个错误。",
            en: "WeCom's login panel reported an error.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请再试一次；若仍然失败，请把下面的错误号交给企业微信管理员。",
            en: "Try again. If it stays, give the numbers below to your company's WeCom administrator.",
        },
    },
    Explanation {
        code: REDIRECT_HOST_UNKNOWN,
        meaning: Bilingual {
            zh: "登录完成后要返回的域名，与企业微信管理后台里这个应用的“授权回调域”不一致。",
            en: "The host that the sign-in returns to is not the one that WeCom's admin console has for this app \
                 (授权回调域).",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "在管理后台打开这个应用，进入“企业微信授权登录 → Web网页 → 设置授权回调域”，填写下面的域名（端口也要一致，不带协议）。",
            en: "In the admin console open the app and enter the domain below, with its port and without a scheme, under \
                 企业微信授权登录 → Web网页 → 设置授权回调域.",
        },
    },
    Explanation {
        code: PAGE_LOST,
        meaning: Bilingual {
            zh: "二维码十分钟后失效，而页面没能从登录服务取得新的。",
            en: "A QR code expires after ten minutes, and the page could not get a new one from the sign-in service.",
        },
        who: Actor::Member,
        remedy: Bilingual {
            zh: "请检查网络，然后再试一次；网络恢复后页面也会自己更新。",
            en: "Check the network, then try again. The page also mends itself once the network is back.",
        },
    },
    Explanation {
        code: NO_SUCH_ACCOUNT,
        meaning: Bilingual { zh: "没有这个账号。", en: "There is no such account." },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请检查用户名；wecom-login account list 列出全部账号。",
            en: "Check the username; wecom-login account list shows all of them.",
        },
    },
    Explanation {
        code: BOUND_ELSEWHERE,
        meaning: Bilingual {
            zh: "这个成员已经绑定到另一个账号，没有改动。",
            en: "The member is bound to another account; nothing was changed.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请先解除原来的绑定，再重新绑定。",
            en: "Unbind the member first, then bind again.",
        },
    },
    Explanation {
        code: NOT_BOUND,
        meaning: Bilingual {
            zh: "这个成员没有绑定任何账号。", en: "The member is bound to no account."
        },
        who: Actor::Administrator,
        remedy: Bilingual { zh: "请检查 corpId 和 userId。", en: "Check corpId and userId." },
    },
    Explanation {
        code: NO_LIST,
        meaning: Bilingual {
            zh: "这个账号清单无法读取，没有导入任何内容。",
            en: "The list of accounts cannot be read; nothing was imported.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请上传 UTF-8 的 CSV（text/csv，首行为列名）或 JSON Lines（application/x-ndjson），不超过 16 MiB。",
            en: "Send CSV with a header (text/csv) or JSON lines (application/x-ndjson) in UTF-8, up to 16 MiB.",
        },
    },
    Explanation {
        code: SYNC_RUNNING,
        meaning: Bilingual {
            zh: "这家企业的通讯录同步正在进行。",
            en: "A sync of this company is under way.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请等它结束后再试；谁在同步、从什么时候开始，见消息括号中的内容。",
            en: "Try again when it has ended; the message tells who is at it and since when.",
        },
    },
    Explanation {
        code: NOTHING_HELD,
        meaning: Bilingual {
            zh: "没有等待确认的移除。", en: "No removals wait for a confirmation."
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "请用 GET /console/api/sync 查看哪些实例有被暂缓的移除。",
            en: "See with GET /console/api/sync which instances have removals on hold.",
        },
    },
    Explanation {
        code: NO_SUCH_SESSION,
        meaning: Bilingual {
            zh: "没有这个会话，或它已经结束。",
            en: "There is no such session, or it has ended.",
        },
        who: Actor::Administrator,
        remedy: Bilingual {
            zh: "用 wecom-login session list 或 GET /console/api/sessions 查看还在使用的会话。",
            en: "See which ones live with wecom-login session list, or GET /console/api/sessions.",
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_apart_from_the_others() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        for row in TABLE {
            assert!(wecom_login_login::explanations().iter().all(|other| other.code != row.code));
            assert!(wecom::explain(row.code).is_none());
        }
        // The three tables stand side by side on pages and in errors.
        for row in TABLE.iter().chain(wecom_login_login::explanations()).chain(wecom::explanations()) {
            for text in [row.meaning, row.remedy] {
                assert!(text.zh.ends_with('。') && text.en.ends_with('.'), "{}", row.code);
            }
        }
    }
}
