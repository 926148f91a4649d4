//! The rows. WeCom 90313 has the official meaning of each number.

use super::{Actor, Explanation};
use crate::Bilingual;

/// One row: number and actor, then meaning and remedy in Chinese and in English, without their last full stop.
macro_rules! rows {
    ($($code:literal $who:ident: $meaning_zh:literal, $meaning_en:literal; $remedy_zh:literal, $remedy_en:literal.)*) => {
        &[$(Explanation {
            code: $code,
            meaning: Bilingual { zh: concat!($meaning_zh, "。"), en: concat!($meaning_en, ".") },
            who: Actor::$who,
            remedy: Bilingual { zh: concat!($remedy_zh, "。"), en: concat!($remedy_en, ".") },
        }),*]
    };
}

pub(super) const TABLE: &[Explanation] = rows! {
    -1 WeCom: "企业微信系统繁忙", "WeCom is busy";
        "稍后再试", "Try again in a moment".
    6000 WeCom: "数据正在被其他操作修改", "Another change to the same data was under way";
        "稍后重试", "Try again in a moment".
    40001 Administrator: "corpId 与 Secret 不匹配，或应用已停用", "corpId and secret do not belong together, or the app is disabled";
        "核对应用的 Secret，必要时在管理后台重置；确认应用已启用。不要反复重试，否则本机会被封禁一小时",
        "Check the app's secret, or reset it in the console, and see that the app is enabled. Do not keep \
            trying: WeCom locks the machine out for an hour".
    40003 Administrator: "成员账号不存在或格式不对", "The userid does not exist or is malformed";
        "确认该成员仍在通讯录中，且在应用的可见范围内",
        "See that the member is still in the contacts and inside the app's visible scope".
    40013 Administrator: "企业 ID 不正确", "The company ID is wrong";
        "在管理后台“我的企业”中复制企业 ID，填到 corpId",
        "Copy the company ID from \"My company\" in the console into corpId".
    40014 WeCom: "access_token 无效", "The access token is not valid";
        "系统会自动更换一次；若仍出现，检查是否有别的程序在用同一 Secret，或令牌是否属于别的应用",
        "It is replaced once by itself. If this stays, look for other programs that use the same secret, or \
            for a token of another app".
    40029 Member: "登录码无效、已使用或已过期", "The sign-in code is wrong, used or expired";
        "重新登录。登录码只能用一次，五分钟内有效",
        "Sign in again. A code works once and for five minutes".
    40056 Developer: "应用的 AgentId 不正确", "The agentid is not valid";
        "从管理后台的应用页面复制 AgentId，它是一个整数",
        "Copy the AgentId, a whole number, from the app's page in the console".
    40057 Operator: "回调地址无效，或未通过验证", "The callback URL is wrong or failed its check";
        "确认回调地址可从公网访问，Token 与 EncodingAESKey 与管理后台一致",
        "See that the callback URL is reachable from the internet, and that Token and EncodingAESKey are \
            those of the console".
    40058 Developer: "参数不合法", "A parameter is not valid";
        "核对请求方法、JSON 格式与字段长度",
        "Check the method, the JSON and the length of the fields".
    40063 Developer: "参数为空", "A parameter is empty";
        "补上该参数", "Give the parameter a value".
    40066 Developer: "部门列表不合法", "The list of departments is not valid";
        "核对部门 ID 是否存在", "Check that the department IDs exist".
    40068 Developer: "标签 ID 不合法", "The tag ID is not valid";
        "核对标签 ID 是否存在", "Check that the tag ID exists".
    40078 Member: "授权码 auth_code 不合法", "The auth_code is not valid";
        "重新发起授权，授权码只能用一次", "Start the authorization again; the code works once".
    40082 Developer: "第三方套件的 suite_token 不合法", "The suite token is not valid";
        "只与第三方应用有关；自建应用请勿使用套件接口",
        "It concerns third-party suites; a company's own app does not use it".
    40088 Developer: "异步任务不存在", "There is no such job";
        "核对 jobid", "Check the jobid".
    40089 Developer: "异步任务的结果已被清理", "The job's result is gone";
        "重新提交任务；只保留最近五个任务的结果",
        "Submit the job again; only the last five results are kept".
    40091 Administrator: "Secret 不合法", "The secret is not valid";
        "可能填了别的企业或别的应用的 Secret，请重新复制",
        "It may be another company's or app's secret; copy it again".
    40093 Developer: "JS-SDK 签名错误", "The JS-SDK signature is wrong";
        "核对 ticket、以秒计的时间戳和不含 # 的网址",
        "Check the ticket, the time in seconds and the URL without its # part".
    41001 Developer: "请求缺少 access_token", "The request has no access token";
        "把 access_token 放在网址参数里", "Put access_token into the URL".
    41002 Operator: "请求缺少 corpid", "The request has no corpid";
        "补上 corpId 配置", "Configure corpId".
    41004 Operator: "请求缺少 Secret", "The request has no secret";
        "补上 corpSecret 配置", "Configure corpSecret".
    41008 Member: "请求缺少登录码", "The request has no sign-in code";
        "重新登录", "Sign in again".
    41009 Developer: "请求缺少 userid", "The request has no userid";
        "补上 userid", "Give a userid".
    41011 Developer: "请求缺少 agentid", "The request has no agentid";
        "补上 agentId 配置", "Configure agentId".
    42001 WeCom: "access_token 已过期", "The access token has expired";
        "系统会自动更换一次，请稍后重试", "It is replaced once by itself; try again".
    42003 Member: "登录码已过期", "The sign-in code has expired";
        "重新登录，并在五分钟内完成", "Sign in again, within five minutes".
    42007 Developer: "预授权码已过期", "The pre-authorization code has expired";
        "只与第三方应用有关；重新获取预授权码", "It concerns third-party suites: get a new code".
    42009 Developer: "suite_access_token 已过期", "The suite access token has expired";
        "只与第三方应用有关，与登录无关", "It concerns third-party suites, not the sign-in".
    42012 Developer: "jsapi_ticket 不可用", "The jsapi_ticket cannot be used";
        "确认使用的是本应用对应类型的 ticket", "Use this app's ticket of the right kind".
    42013 Member: "小程序未登录或登录已过期", "The mini program is not signed in any more";
        "重新打开小程序并登录", "Open the mini program again and sign in".
    42022 Member: "登录码已被使用", "The sign-in code was used already";
        "重新登录；登录码只能用一次", "Sign in again; a code works once".
    43012 Administrator: "应用还没有配置回调地址", "The app has no callback URL";
        "在管理后台为应用设置接收消息的服务器", "Set up the app's message server in the console".
    45009 Operator: "企业微信限制的接口调用次数已经用完", "The number of calls that WeCom allows is used up";
        "等待限制解除（分钟级一分钟，小时级一小时），并降低调用频率；若曾多次用错 Secret，本机地址会被封禁一小时",
        "Wait (a minute's limit for a minute, an hour's for an hour) and call less often. After many wrong \
            secrets this machine's address is locked out for an hour".
    45024 Administrator: "账号数量超过上限", "The company has too many accounts";
        "联系企业微信扩大人数上限", "Ask WeCom for a higher head count".
    45029 Developer: "返回内容过大", "The answer would be too large";
        "按部门逐个读取成员，不要递归", "Read members department by department, without recursion".
    45031 Administrator: "Secret 不够安全", "The secret is not safe enough";
        "在管理后台重置应用的 Secret，再更新配置",
        "Reset the app's secret in the console and update the configuration".
    45033 Operator: "同时进行的调用过多", "Too many calls at a time";
        "降低并发后再试", "Make fewer calls at a time and try again".
    46004 Administrator: "没有这个成员", "There is no such member";
        "核对手机号或邮箱，并确认成员在可见范围内",
        "Check the mobile number or e-mail, and that the member is inside the visible scope".
    48002 Administrator: "该 Secret 无权调用这个接口", "This secret may not make this call";
        "换用有此权限的 Secret：读成员用应用的，写通讯录用通讯录同步的",
        "Use the secret that may: the app's to read members, the contact sync's to write contacts".
    48004 Administrator: "授权关系已失效", "The authorization is no longer valid";
        "重新授权应用", "Authorize the app again".
    48005 Developer: "接口已停用", "This call has been retired";
        "改用新的接口", "Use its successor".
    48006 Administrator: "应用的接口权限已被收回", "The app's right to call was withdrawn";
        "应用长期未使用所致；在管理后台重新启用",
        "The app was unused for long; enable it again in the console".
    48009 Operator: "通讯录同步的 Secret 不能再从新地址读取通讯录详情", "The contact sync's secret may no longer read details from a new address";
        "改用自建应用的 Secret 读取成员和部门",
        "Read members and departments with the app's own secret".
    50001 Administrator: "跳转域名未登记，或登录码属于别的应用", "The redirect's domain is not registered, or the code belongs to another app";
        "在管理后台把域名（含端口）登记为可信域名和授权回调域，并核对 AgentId 与 Secret 属于同一应用",
        "Register the exact host with its port as trusted domain and as login callback domain, and check \
            that agentId and secret belong to one app".
    50002 Administrator: "成员不在应用的可见范围内", "The member is outside the app's visible scope";
        "在管理后台把该成员加入应用的可见范围",
        "Add the member to the app's visible scope in the console".
    50003 Administrator: "应用已停用", "The app is disabled";
        "在管理后台启用应用", "Enable the app in the console".
    50006 Administrator: "系统应用已停用", "The system app is disabled";
        "在管理后台启用该系统应用", "Enable that system app in the console".
    60003 Operator: "部门不存在", "The department does not exist";
        "重新同步部门", "Sync the departments again".
    60011 Administrator: "应用无权查看该成员、部门或标签", "The app may not see this member, department or tag";
        "在管理后台把它加入应用的可见范围", "Add it to the app's visible scope in the console".
    60020 Administrator: "本服务器的 IP 不在应用的“企业可信IP”中", "This server's address is not among the app's trusted addresses";
        "在管理后台的应用页面，把错误中给出的来源 IP 加入“企业可信IP”，约一分钟后生效；地址不固定时请配置出口代理",
        "Add the caller address that the error names to the app's trusted addresses (企业可信IP); it works a \
            minute later. Where the address changes, configure a proxy with a fixed one".
    60021 Administrator: "成员不在应用的可见范围内", "The member is outside the app's visible scope";
        "在管理后台把该成员加入应用的可见范围",
        "Add the member to the app's visible scope in the console".
    60031 Administrator: "应用被禁止调用接口", "The app is barred from calling";
        "在管理后台查看应用状态，或联系企业微信",
        "Look at the app's state in the console, or ask WeCom".
    60102 Developer: "该 userid 已存在", "The userid exists already";
        "换一个 userid", "Take another userid".
    60103 Developer: "手机号格式不对", "The mobile number is malformed";
        "核对手机号与国家代码", "Check the number and its country code".
    60104 Developer: "手机号已被使用", "The mobile number is in use";
        "换一个手机号，或先修改原成员", "Take another number, or change the other member first".
    60111 Administrator: "成员不存在，或不在应用的可见范围内", "The member does not exist or is outside the app's visible scope";
        "确认成员在通讯录中，并把他加入应用的可见范围",
        "See that the member is in the contacts, and add them to the app's visible scope".
    60123 Operator: "部门 ID 无效", "The department ID is not valid";
        "重新同步部门", "Sync the departments again".
    80001 Administrator: "可信域名不正确，或没有备案", "The trusted domain is wrong or not filed (ICP)";
        "使用与企业主体一致且已备案的域名", "Use a domain that is filed under the company's name".
    81011 Developer: "标签全部无效", "No tag is valid";
        "核对标签 ID", "Check the tag IDs".
    81013 Developer: "成员、部门和标签全部无效", "No member, department or tag is valid";
        "核对接收者，并确认他们在可见范围内",
        "Check the receivers and that they are inside the visible scope".
    82001 Developer: "没有指定成员、部门或标签", "No member, department or tag is given";
        "至少指定一个", "Give at least one".
    84014 Member: "成员票据已过期", "The member's ticket has expired";
        "重新登录并授权；票据有效期半小时",
        "Sign in and consent again; a ticket lives half an hour".
    84015 Member: "成员票据无效", "The member's ticket is not valid";
        "重新登录并授权", "Sign in and consent again".
    84025 Developer: "state 参数不符合要求", "The state parameter is not allowed";
        "只用字母和数字，不超过 128 字节", "Use letters and digits only, at most 128 bytes".
    84090 Developer: "请求缺少成员票据", "The request has no member ticket";
        "补上 user_ticket", "Give a user_ticket".
    85005 Administrator: "域名没有通过归属校验", "The domain's ownership is not verified";
        "下载校验文件，放到域名的根目录，再在管理后台验证",
        "Download the verification file, put it at the domain's root and verify it in the console".
    91040 Developer: "获取 ticket 的类型无效", "The ticket's type is not valid";
        "核对 ticket 的类型参数", "Check the type parameter".
    301002 Administrator: "令牌无权操作该应用", "The token may not act for this app";
        "AgentId 与 Secret 属于不同的应用，请从同一应用页面复制两者",
        "agentId and secret belong to different apps; copy both from one app's page".
    301005 Developer: "不能删除企业创建者", "The company's creator cannot be deleted";
        "保留该成员", "Keep this member".
    301007 Administrator: "企业不可用，可能已解散或被封禁", "The company is not available; it may be dissolved or barred";
        "联系企业微信", "Ask WeCom".
    301021 Developer: "userid 参数无效", "A userid is not valid";
        "核对列表中的 userid", "Check the userids in the list".
    301036 Administrator: "不允许修改该成员的 userid", "This member's userid may not be changed";
        "userid 只有由系统生成时才能修改一次",
        "A userid can be changed once, and only if the system made it".
    2000002 Operator: "CorpId 参数无效", "The corpid is not valid";
        "核对 corpId 配置", "Check the configured corpId".
};
