//! The error numbers of the HTTP server. Each is declared once, with its status, its texts and the actor who can fix it. The
//! sign-in crate declares the numbers of a sign-in.

use axum::http::StatusCode;
use wecom_login_element::number as element;
use wecom_login_model::{Actor, Bilingual, Explanation};
use wecom_login_pages::title;
use wecom_login_sign_in::number;

/// The declaration of an error number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ErrorNumber {
    /// The HTTP status of the answer.
    pub(crate) status: StatusCode,
    /// The heading of the page.
    pub(crate) title: Bilingual,
    pub(crate) explanation: &'static Explanation,
}

/// The explanations of this crate's numbers, in order.
pub fn explanations() -> &'static [Explanation] {
    EXPLANATIONS
}

/// The explanation of a number, whether it is this crate's, the sign-in's or WeCom's.
pub(crate) fn explain(code: i64) -> &'static Explanation {
    of(code).explanation
}

/// The declaration of a number. Numbers of other crates are not declared here: a declined sign-in and errors of a sign-in's
/// state or of a limit are client errors, all other numbers are server errors.
pub(crate) fn of(code: i64) -> ErrorNumber {
    if let Some(index) = EXPLANATIONS.iter().position(|row| row.code == code) {
        let (status, title) = FORMS[index];
        return ErrorNumber { status, title, explanation: &EXPLANATIONS[index] };
    }
    let (status, title) = match code {
        number::DECLINED => (StatusCode::FORBIDDEN, title::DECLINED),
        number::COOKIES_BLOCKED => (StatusCode::BAD_REQUEST, title::COOKIES_BLOCKED),
        number::STATE_EXPIRED => (StatusCode::BAD_REQUEST, title::STATE_EXPIRED),
        number::STATE_UNKNOWN => (StatusCode::BAD_REQUEST, title::STATE_UNKNOWN),
        number::TOO_MANY_FAILURES => (StatusCode::TOO_MANY_REQUESTS, title::LIMIT_REACHED),
        number::BROKEN_OFF => (StatusCode::BAD_REQUEST, title::FAILED),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, title::FAILED),
    };
    ErrorNumber { status, title, explanation: wecom_login_sign_in::explain(code) }
}

/// `NAME = number, HTTP status, who can act { title: zh, en (or titled: a shared title; `title::FAILED` by default),
/// meaning: zh, en, remedy: zh, en }`
macro_rules! error_numbers {
    ($($name:ident = $number:expr, $status:ident, $who:ident {
        $(title: $title_zh:literal, $title_en:literal,)?
        $(titled: $title:expr,)?
        meaning: $meaning_zh:literal, $meaning_en:literal,
        remedy: $remedy_zh:literal, $remedy_en:literal,
    })+) => {
        $(pub(crate) const $name: i64 = $number;)+

        const EXPLANATIONS: &[Explanation] = &[$(Explanation {
            code: $name,
            meaning: Bilingual { zh: $meaning_zh, en: $meaning_en },
            who: Actor::$who,
            remedy: Bilingual { zh: $remedy_zh, en: $remedy_en },
        }),+];

        /// The status and title of each number, in the order of `EXPLANATIONS`.
        const FORMS: &[(StatusCode, Bilingual)] = &[$((StatusCode::$status, heading!($($title_zh, $title_en)? $($title)?))),+];
    };
}

macro_rules! heading {
    () => {
        title::FAILED
    };
    ($zh:literal, $en:literal) => {
        Bilingual { zh: $zh, en: $en }
    };
    ($title:expr) => {
        $title
    };
}

error_numbers! {
    NOT_SIGNED_IN = element::NOT_SIGNED_IN, UNAUTHORIZED, Member {
        title: "请先登录", "Please sign in first",
        meaning: "还没有登录，或登录已经结束。",
            "Not signed in, or the session has ended.",
        remedy: "请登录。",
            "Sign in.",
    }
    CROSS_SITE = 710_302, FORBIDDEN, Developer {
        title: "请求被拒绝", "The request was refused",
        meaning: "这个请求来自其他网站，已被拒绝。",
            "The request came from another site and was refused.",
        remedy: "请从登录服务自己的地址（public_url）发起请求，或把这个网站的来源加入配置项 origins（只开放登录用到的请求）。",
            "Send the request from the sign-in service's own address (public_url), or list the site's \
             origin under origins in the settings, which opens what a sign-in needs.",
    }
    NOT_FOUND = 710_305, NOT_FOUND, Member {
        title: "没有这个页面", "No such page",
        meaning: "这个地址下没有页面。",
            "There is no page at this address.",
        remedy: "请检查地址有没有写错，或者从首页重新进入。",
            "Check the address, or start from the first page.",
    }
    BODY_TOO_LARGE = 710_306, PAYLOAD_TOO_LARGE, Developer {
        meaning: "请求体超过 64 KiB。",
            "The request body is larger than 64 KiB.",
        remedy: "请只发送函数的参数。",
            "Send the function's arguments only.",
    }
    BAD_CONTENT_TYPE = 710_307, UNSUPPORTED_MEDIA_TYPE, Developer {
        meaning: "请求体不是 JSON。",
            "The request body is not JSON.",
        remedy: "请用 Content-Type: application/json 发送一个 JSON 对象。",
            "Send a JSON object with Content-Type: application/json.",
    }
    BAD_ARGUMENTS = element::BAD_ARGUMENTS, BAD_REQUEST, Developer {
        meaning: "函数的参数不对。",
            "The function's arguments are invalid.",
        remedy: "请按函数的说明传参数。",
            "Pass the arguments that the function declares.",
    }
    RETURN_TO_REFUSED = 710_309, BAD_REQUEST, Developer {
        title: "不能返回到这个地址", "Return to this address is not allowed",
        meaning: "登录后要返回的地址（return_to）不被允许。",
            "The address to return to after the sign-in (return_to) is not allowed.",
        remedy: "return_to 必须是登录服务自己的地址，或配置项 return_origins 里的来源。",
            "return_to must be at the sign-in service's own address or at an origin listed in \
             return_origins.",
    }
    REDIRECT_NOT_OURS = 710_310, SERVICE_UNAVAILABLE, Operator {
        titled: title::SET_UP_WRONG,
        meaning: "这个登录实例的 redirectUri 不能由本服务接收，所以它的浏览器登录已关闭。",
            "This service cannot take the instance's redirectUri, so its sign-in in the browser is off.",
        remedy: "让 redirectUri 与 public_url 同源（协议、主机、端口都相同）且不与本服务的地址冲突，或在实例里设置 callback 为 page。",
            "Give redirectUri the origin of public_url (scheme, host and port) and a path that is \
             not one of this service's own, or set the instance's callback to page.",
    }
    NO_INSTANCE = 710_311, NOT_FOUND, Operator {
        titled: title::SET_UP_WRONG,
        meaning: "没有找到这个登录实例。",
            "There is no such sign-in instance.",
        remedy: "请检查应用目录里的 auths/loginTypes/<名称>/e.json 和 <名称>.json；启动日志列出了有问题的元素。",
            "Check auths/loginTypes/<Name>/e.json and <Name>.json in the app folder; the startup log \
            lists the elements that have errors.",
    }
    METHOD_NOT_ALLOWED = 710_312, METHOD_NOT_ALLOWED, Developer {
        title: "请求方法不对", "Wrong method",
        meaning: "这个地址不接受这种请求方法。",
            "This address does not accept this method.",
        remedy: "元素函数和退出登录用 POST，页面用 GET。",
            "Element functions and sign-out take POST, pages take GET.",
    }
    NO_SUCH_FUNCTION = element::NO_SUCH_FUNCTION, NOT_FOUND, Developer {
        meaning: "没有这个元素函数，或者它不能从外部调用。",
            "There is no such element function, or it cannot be called from outside.",
        remedy: "请检查地址：/api/{组织}/{应用}/{元素路径}/{函数}，组织和应用见 app.json。",
            "Check the address: /api/{org}/{app}/{element path}/{function}, with org and app as in \
             app.json.",
    }
    ADMINISTRATORS_ONLY = element::ADMINISTRATORS_ONLY, FORBIDDEN, Operator {
        meaning: "只有管理员可以这样做。",
            "Only an administrator may do this.",
        remedy: "请用管理员身份登录，或用 wecom-login apikey add 生成密钥并以 Authorization: Bearer 发送。管理员在配置项 admins 里以 corpId/userId 列出；换了账号或曾经离职的，需要先运行 wecom-login admin confirm corpId/userId。",
            "Sign in as an administrator, or create a key with wecom-login apikey add and send it as \
             Authorization: Bearer. Administrators are listed as corpId/userId under admins in the \
             settings; one whose account has changed, or who was deleted in between, needs wecom-login admin \
             confirm corpId/userId first.",
    }
    APP_REFUSED = 710_315, FORBIDDEN, Developer {
        meaning: "企业微信确认了你的身份，但这个应用没有让你登录。",
            "WeCom confirmed your identity, but this app did not let you in.",
        remedy: "请联系应用的开发者：应用的自定义类型拒绝了这次登录。",
            "Contact the developer of the app: the app's own sign-in Type refused the sign-in.",
    }
    NO_PAIR_HERE = 710_316, FORBIDDEN, Developer {
        meaning: "这个网页不能获取访问令牌，只能用 Cookie 登录。",
            "This page cannot get tokens; it must sign in with a cookie.",
        remedy: "登录服务自己的页面请用 session: \"cookie\"。令牌只发给配置项 origins 列出的来源，以及不是浏览器的程序。",
            "Use session: \"cookie\" on the sign-in service's own pages. Tokens are issued only to \
            origins listed under origins in the settings, and to programs that are not browsers.",
    }
    REFRESH_TOKEN_REUSED = 710_317, UNAUTHORIZED, Member {
        meaning: "这个刷新令牌被使用了两次，可能已经泄露，所以这次登录已经结束。",
            "This refresh token was used twice and may have been stolen, so the session was ended.",
        remedy: "请重新登录。如果经常出现，请开发者检查：每个刷新令牌只能用一次，每次都要保存新的。",
            "Sign in again. If this happens often, the developer should check that each refresh token \
            is used only once and that the new one is stored.",
    }
    BODY_TOO_SLOW = 710_318, REQUEST_TIMEOUT, Developer {
        meaning: "请求体没有在一分钟内传完。",
            "The request body did not arrive within a minute.",
        remedy: "请检查客户端和中间代理的网络，然后重试。",
            "Check the network of the client and of the proxies in between, then try again.",
    }
    HEAD_TOO_LARGE = 710_319, REQUEST_HEADER_FIELDS_TOO_LARGE, Member {
        title: "请求头太大", "The request's headers are too large",
        meaning: "请求的地址和请求头合计超过 32 KiB，通常是因为 Cookie 太多。",
            "The request's address and headers exceed 32 KiB together, usually because of too many cookies.",
        remedy: "请清除这个网站的 Cookie，然后重新登录。程序请减少请求头。",
            "Delete the cookies of this site, then sign in again. Programs should send fewer headers.",
    }
    ADDRESS_TOO_LONG = 710_320, URI_TOO_LONG, Developer {
        title: "地址太长", "The address is too long",
        meaning: "请求的地址超过 32 KiB。",
            "The address of the request exceeds 32 KiB.",
        remedy: "请缩短地址里的参数，例如 return_to。",
            "Shorten the parameters in the address, such as return_to.",
    }
    NO_CALLBACK_HERE = 710_321, NOT_FOUND, Operator {
        meaning: "这个地址没有配置企业微信的事件回调。",
            "No WeCom callback is configured at this address.",
        remedy: "请核对地址 /wecom/callback/<实例名>，并在该实例里配置 callbackToken 与 callbackAesKey（或 contactCallbackToken 与 contactCallbackAesKey）。",
            "Check the address /wecom/callback/<instance>, and set callbackToken with callbackAesKey (or \
             contactCallbackToken with contactCallbackAesKey) in that instance.",
    }
    CALLBACK_NOT_SIGNED = 710_322, FORBIDDEN, Operator {
        meaning: "回调消息的签名不正确。",
            "The signature of the callback is wrong.",
        remedy: "请核对企业微信管理后台里填写的 Token 与实例里的 callbackToken 或 contactCallbackToken 是否一致。",
            "Compare the Token in WeCom's admin console with callbackToken or contactCallbackToken of the instance.",
    }
    CALLBACK_UNREADABLE = 710_323, BAD_REQUEST, Operator {
        meaning: "回调消息无法读取。",
            "The callback cannot be read.",
        remedy: "请核对 EncodingAESKey 与 corpId；日志写明了原因。",
            "Compare the EncodingAESKey and corpId; the log says what is wrong.",
    }
    PANEL_BLOCKED = 710_331, BAD_GATEWAY, Member {
        meaning: "企业微信的登录面板没有加载出来：脚本被拦截，或浏览器访问不到企业微信的登录地址。",
            "WeCom's login panel did not load: its script is blocked, or the browser cannot reach \
             WeCom's sign-in address.",
        remedy: "请点下面的链接，在企业微信自己的页面上登录。如果那个页面也打不开，请把下面的地址告诉网络管理员。",
            "Use the link below to sign in on WeCom's own page. If that page does not open either, \
            give the address below to your network administrator.",
    }
    PANEL_FAILED = 710_332, BAD_GATEWAY, Member {
        meaning: "企业微信的登录面板报告了一个错误。",
            "WeCom's login panel reported an error.",
        remedy: "请再试一次；如果仍然失败，请把下面的错误码发给企业微信管理员。",
            "Try again. If the error persists, send the numbers below to your company's WeCom administrator.",
    }
    REDIRECT_HOST_UNKNOWN = 710_333, BAD_GATEWAY, Administrator {
        meaning: "登录完成后要返回的域名，与企业微信管理后台里这个应用的“授权回调域”不一致。",
            "The host that the sign-in returns to differs from the callback domain (授权回调域) of this \
            app in WeCom's admin console.",
        remedy: "在管理后台打开这个应用，进入“企业微信授权登录 → Web网页 → 设置授权回调域”，填写下面的域名（端口也要一致，不带协议）。",
            "In the admin console, open the app and enter the domain below, with its port and without \
             a scheme, under 企业微信授权登录 → Web网页 → 设置授权回调域.",
    }
    PAGE_LOST = 710_334, BAD_GATEWAY, Member {
        meaning: "二维码十分钟后失效，页面没能从登录服务获取新的二维码。",
            "A QR code expires after ten minutes, and the page could not get a new one from the \
             sign-in service.",
        remedy: "请检查网络，然后再试一次；网络恢复后页面也会自己更新。",
            "Check the network, then try again. The page also recovers by itself once the network is back.",
    }
    NO_SUCH_ACCOUNT = 710_402, NOT_FOUND, Administrator {
        meaning: "没有这个账号。",
            "There is no such account.",
        remedy: "请检查用户名；wecom-login account list 列出全部账号。",
            "Check the username; wecom-login account list shows all accounts.",
    }
    BOUND_ELSEWHERE = 710_403, CONFLICT, Administrator {
        meaning: "这个成员已经绑定到另一个账号，没有改动。",
            "The member is bound to another account; nothing was changed.",
        remedy: "请先解除原来的绑定，再重新绑定。",
            "Unbind the member first, then bind again.",
    }
    NOT_BOUND = 710_404, NOT_FOUND, Administrator {
        meaning: "这个成员没有绑定任何账号。",
            "The member is not bound to any account.",
        remedy: "请检查 corpId 和 userId。",
            "Check corpId and userId.",
    }
    NO_LIST = 710_405, BAD_REQUEST, Administrator {
        meaning: "这个账号清单无法读取，没有导入任何内容。",
            "The list of accounts cannot be read; nothing was imported.",
        remedy: "请上传 UTF-8 的 CSV（text/csv，首行为列名）或 JSON Lines（application/x-ndjson），不超过 16 MiB。",
            "Send CSV with a header (text/csv) or JSON lines (application/x-ndjson) in UTF-8, up to \
             16 MiB.",
    }
    SYNC_RUNNING = 710_406, CONFLICT, Administrator {
        meaning: "这家企业的通讯录同步正在进行。",
            "A sync of this company is already running.",
        remedy: "请等它结束后再试；由谁同步、从什么时候开始，见消息括号中的内容。",
            "Try again when it has finished; the message names who runs it and since when.",
    }
    NOTHING_HELD = 710_407, NOT_FOUND, Administrator {
        meaning: "没有暂缓的移除。",
            "There are no held removals.",
        remedy: "请用 GET /console/api/sync 查看哪些实例有暂缓的移除。",
            "GET /console/api/sync lists the instances that have held removals.",
    }
    NO_SUCH_SESSION = 710_408, NOT_FOUND, Administrator {
        meaning: "没有这个会话，或它已经结束。",
            "There is no such session, or it has ended.",
        remedy: "用 wecom-login session list 或 GET /console/api/sessions 查看还在使用的会话。",
            "wecom-login session list and GET /console/api/sessions list the active sessions.",
    }
    LEFT_THE_COMPANY = 710_409, CONFLICT, Administrator {
        meaning: "这个成员已经离职，没有改动。",
            "The member has left the company; nothing was changed.",
        remedy: "请等成员回到企业通讯录并同步之后再绑定。",
            "Bind the member when they are back in the company's contacts and synchronised.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_apart_from_the_others() {
        assert!(EXPLANATIONS.windows(2).all(|pair| pair[0].code < pair[1].code));
        for row in EXPLANATIONS {
            assert!(wecom_login_sign_in::explanations().iter().all(|other| other.code != row.code));
            assert!(wecom::explain(row.code).is_none());
        }
        // Pages and errors show texts of all three tables.
        for row in EXPLANATIONS.iter().chain(wecom_login_sign_in::explanations()).chain(wecom::explanations())
        {
            for text in [row.meaning, row.remedy] {
                assert!(text.zh.ends_with('。') && text.en.ends_with('.'), "{}", row.code);
            }
        }
    }
}
