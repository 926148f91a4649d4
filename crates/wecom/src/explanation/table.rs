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
    6000 WeCom: "数据正在被其他操作修改", "Another change to the same data was in progress";
        "稍后重试", "Try again in a moment".
    40001 Administrator: "corpId 与 Secret 不匹配，或应用已停用", "corpId and secret do not match, or the app is disabled";
        "核对应用的 Secret，必要时在管理后台重置；确认应用已启用。不要反复重试，否则本机会被封禁一小时",
        "Check the app's secret, or reset it in the admin console, and make sure that the app is enabled. Do not \
        retry repeatedly: WeCom blocks this machine for an hour".
    40003 Administrator: "成员账号不存在或格式不对", "The userid does not exist or is malformed";
        "确认该成员仍在通讯录中，且在应用的可见范围内",
        "Make sure that the member is still in the contacts and inside the app's visible scope".
    40013 Administrator: "企业 ID 不正确", "The company ID is wrong";
        "在管理后台“我的企业”中复制企业 ID，填到 corpId",
        "Copy the company ID from \"My company\" in the admin console into corpId".
    40014 WeCom: "access_token 无效", "The access token is not valid";
        "系统会自动更换一次；如果仍然出现，检查是否有别的程序在用同一 Secret，或令牌是否属于别的应用",
        "The token is replaced once automatically. If the error persists, check whether another program uses the \
        same secret, or whether the token belongs to another app".
    40029 Member: "授权码无效、已使用或已过期", "The authorization code is invalid, used or expired";
        "重新登录。授权码只能用一次，五分钟内有效",
        "Sign in again. An authorization code works once and is valid for five minutes".
    40056 Developer: "应用的 AgentId 不正确", "The agentid is not valid";
        "从管理后台的应用页面复制 AgentId，它是一个整数",
        "Copy the AgentId, an integer, from the app's page in the admin console".
    40057 Operator: "事件接收地址无效，或未通过验证", "The callback URL is invalid or failed verification";
        "确认事件接收地址可从公网访问，Token 与 EncodingAESKey 和管理后台一致",
        "Make sure that the callback URL is reachable from the internet, and that Token and EncodingAESKey match \
        the admin console".
    40058 Developer: "参数不合法", "A parameter is not valid";
        "核对请求方法、JSON 格式与字段长度",
        "Check the request method, the JSON and the lengths of the fields".
    40063 Developer: "参数为空", "A parameter is empty";
        "补上该参数", "Provide a value for the parameter".
    40066 Developer: "部门列表不合法", "The list of departments is not valid";
        "核对部门 ID 是否存在", "Check that the department IDs exist".
    40068 Developer: "标签 ID 不合法", "The tag ID is not valid";
        "核对标签 ID 是否存在", "Check that the tag ID exists".
    40078 Member: "授权码 auth_code 不合法", "The auth_code is not valid";
        "重新发起授权，授权码只能用一次", "Start the authorization again; the code works once".
    40082 Developer: "第三方套件的 suite_token 不合法", "The suite token is not valid";
        "只与第三方应用有关；自建应用请勿使用套件接口",
        "This concerns third-party apps only; a self-built app must not use the suite API".
    40088 Developer: "异步任务不存在", "There is no such job";
        "核对 jobid", "Check the jobid".
    40089 Developer: "异步任务的结果已被清理", "The job's result is gone";
        "重新提交任务；只保留最近五个任务的结果",
        "Submit the job again; WeCom keeps only the results of the last five jobs".
    40091 Administrator: "Secret 不合法", "The secret is not valid";
        "可能填了别的企业或别的应用的 Secret，请重新复制",
        "It may be the secret of another company or app; copy it again".
    40093 Developer: "JS-SDK 签名错误", "The JS-SDK signature is wrong";
        "核对 ticket、以秒计的时间戳和不含 # 的网址",
        "Check the ticket, the timestamp in seconds and the URL without its fragment (#)".
    41001 Developer: "请求缺少 access_token", "The request has no access token";
        "把 access_token 放在网址参数里", "Put access_token into the query of the URL".
    41002 Operator: "请求缺少 corpid", "The request has no corpid";
        "补上 corpId 配置", "Configure corpId".
    41004 Operator: "请求缺少 Secret", "The request has no secret";
        "补上 corpSecret 配置", "Configure corpSecret".
    41008 Member: "请求缺少授权码", "The request has no authorization code";
        "重新登录", "Sign in again".
    41009 Developer: "请求缺少 userid", "The request has no userid";
        "补上 userid", "Provide a userid".
    41011 Developer: "请求缺少 agentid", "The request has no agentid";
        "补上 agentId 配置", "Configure agentId".
    42001 WeCom: "access_token 已过期", "The access token has expired";
        "系统会自动更换一次，请稍后重试", "The token is replaced once automatically; try again".
    42003 Member: "授权码已过期", "The authorization code has expired";
        "重新登录，并在五分钟内完成", "Sign in again and finish within five minutes".
    42007 Developer: "预授权码已过期", "The pre-authorization code has expired";
        "只与第三方应用有关；重新获取预授权码", "This concerns third-party apps only; get a new code".
    42009 Developer: "suite_access_token 已过期", "The suite access token has expired";
        "只与第三方应用有关，与登录无关", "This concerns third-party apps only, not sign-in".
    42012 Developer: "jsapi_ticket 不可用", "The jsapi_ticket cannot be used";
        "确认使用的是本应用对应类型的 ticket", "Use this app's ticket of the correct type".
    42013 Member: "小程序未登录或登录已过期", "The mini program is not signed in, or its sign-in has expired";
        "重新打开小程序并登录", "Open the mini program again and sign in".
    42022 Member: "授权码已被使用", "The authorization code was already used";
        "重新登录；授权码只能用一次", "Sign in again; an authorization code works only once".
    43012 Administrator: "应用还没有配置事件接收地址", "The app has no callback URL";
        "在管理后台为应用设置接收消息的服务器", "Set up the app's server for receiving messages in the admin console".
    45009 Operator: "企业微信限制的接口调用次数已经用完", "WeCom's limit on API calls has been reached";
        "等待限制解除（分钟级一分钟，小时级一小时），并降低调用频率；如果曾多次用错 Secret，本机地址会被封禁一小时",
        "Wait until the limit is lifted (one minute for a per-minute limit, one hour for an hourly limit) and call \
        less often. After many calls with a wrong secret, WeCom blocks this machine's address for an hour".
    45024 Administrator: "账号数量超过上限", "The company has too many accounts";
        "联系企业微信提高人数上限", "Ask WeCom to raise the limit on members".
    45029 Developer: "返回内容过大", "The response would be too large";
        "按部门逐个读取成员，不要递归", "Read members department by department, without recursion".
    45031 Administrator: "Secret 不够安全", "The secret is not strong enough";
        "在管理后台重置应用的 Secret，再更新配置",
        "Reset the app's secret in the admin console and update the configuration".
    45033 Operator: "同时进行的调用过多", "Too many concurrent calls";
        "降低并发后再试", "Reduce the number of concurrent calls and try again".
    46004 Administrator: "没有这个成员", "There is no such member";
        "核对手机号或邮箱，并确认成员在可见范围内",
        "Check the mobile number or e-mail address, and make sure that the member is inside the visible scope".
    48002 Administrator: "该 Secret 无权调用这个接口", "This secret is not allowed to call this API";
        "换用有此权限的 Secret：读成员用应用的，写通讯录用通讯录同步的",
        "Use a secret that has the permission: the app's secret to read members, the secret of contact sync to \
        write contacts".
    48004 Administrator: "授权关系已失效", "The authorization is no longer valid";
        "重新授权应用", "Authorize the app again".
    48005 Developer: "接口已停用", "This API has been retired";
        "改用新的接口", "Use its successor".
    48006 Administrator: "应用的接口权限已被收回", "The app's API permission was withdrawn";
        "应用长期未使用所致；在管理后台重新启用",
        "The app has not been used for a long time; enable it again in the admin console".
    48009 Operator: "通讯录同步的 Secret 不能再从新的 IP 地址读取通讯录详情", "The secret of contact sync can no longer read contact details from a new IP address";
        "改用自建应用的 Secret 读取成员和部门",
        "Read members and departments with the secret of a self-built app".
    50001 Administrator: "登录回调的域名未登记，或授权码属于别的应用", "The redirect's domain is not registered, or the authorization code belongs to another app";
        "在管理后台把域名（含端口）登记为可信域名和授权回调域，并核对 AgentId 与 Secret 属于同一应用",
        "In the admin console, register the exact host with its port as trusted domain and as login callback \
        domain, and check that agentId and secret belong to the same app".
    50002 Administrator: "成员不在应用的可见范围内", "The member is outside the app's visible scope";
        "在管理后台把该成员加入应用的可见范围",
        "Add the member to the app's visible scope in the admin console".
    50003 Administrator: "应用已停用", "The app is disabled";
        "在管理后台启用应用", "Enable the app in the admin console".
    50006 Administrator: "系统应用已停用", "The system app is disabled";
        "在管理后台启用该系统应用", "Enable this system app in the admin console".
    60003 Operator: "部门不存在", "The department does not exist";
        "重新同步部门", "Sync the departments again".
    60011 Administrator: "应用无权查看该成员、部门或标签", "The app may not see this member, department or tag";
        "在管理后台把它加入应用的可见范围", "Add it to the app's visible scope in the admin console".
    60020 Administrator: "本服务器的 IP 不在应用的“企业可信IP”中", "This server's IP address is not among the app's trusted IPs";
        "在管理后台的应用页面，把错误中给出的来源 IP 加入“企业可信IP”，约一分钟后生效；地址不固定时请配置出口代理",
        "On the app's page in the admin console, add the source IP that the error names to the trusted IPs \
        (企业可信IP); the change takes effect in about a minute. If the address changes, configure an \
        outgoing proxy with a fixed address".
    60021 Administrator: "成员不在应用的可见范围内", "The member is outside the app's visible scope";
        "在管理后台把该成员加入应用的可见范围",
        "Add the member to the app's visible scope in the admin console".
    60031 Administrator: "应用被禁止调用接口", "The app is not allowed to call the API";
        "在管理后台查看应用状态，或联系企业微信",
        "Check the app's status in the admin console, or contact WeCom".
    60102 Developer: "该 userid 已存在", "The userid already exists";
        "换一个 userid", "Use another userid".
    60103 Developer: "手机号格式不对", "The mobile number is malformed";
        "核对手机号与国家代码", "Check the number and its country code".
    60104 Developer: "手机号已被使用", "The mobile number is in use";
        "换一个手机号，或先修改原成员", "Use another number, or change the other member first".
    60111 Administrator: "成员不存在，或不在应用的可见范围内", "The member does not exist or is outside the app's visible scope";
        "确认成员在通讯录中，并把他加入应用的可见范围",
        "Make sure that the member is in the contacts, and add them to the app's visible scope".
    60123 Operator: "部门 ID 无效", "The department ID is not valid";
        "重新同步部门", "Sync the departments again".
    80001 Administrator: "可信域名不正确，或没有备案", "The trusted domain is wrong or has no ICP filing";
        "使用与企业主体一致且已备案的域名", "Use a domain with an ICP filing under the company's name".
    81011 Developer: "标签全部无效", "None of the tags is valid";
        "核对标签 ID", "Check the tag IDs".
    81013 Developer: "成员、部门和标签全部无效", "None of the members, departments and tags is valid";
        "核对接收者，并确认他们在可见范围内",
        "Check the recipients, and make sure that they are inside the visible scope".
    82001 Developer: "没有指定成员、部门或标签", "No member, department or tag is specified";
        "至少指定一个", "Specify at least one".
    84014 Member: "成员票据已过期", "The member's ticket has expired";
        "重新登录并授权；票据有效期半小时",
        "Sign in and consent again; a ticket is valid for half an hour".
    84015 Member: "成员票据无效", "The member's ticket is not valid";
        "重新登录并授权", "Sign in and consent again".
    84025 Developer: "state 参数不符合要求", "The state parameter is not allowed";
        "只用字母和数字，不超过 128 字节", "Use letters and digits only, at most 128 bytes".
    84090 Developer: "请求缺少成员票据", "The request has no member ticket";
        "补上 user_ticket", "Provide a user_ticket".
    85005 Administrator: "域名没有通过归属校验", "The domain's ownership is not verified";
        "下载校验文件，放到域名的根目录，再在管理后台验证",
        "Download the verification file, put it at the domain's root, then verify the domain in the admin console".
    91040 Developer: "获取 ticket 的类型无效", "The ticket's type is not valid";
        "核对 ticket 的类型参数", "Check the type parameter".
    301002 Administrator: "令牌无权操作该应用", "The token is not valid for this app";
        "AgentId 与 Secret 属于不同的应用，请从同一应用页面复制两者",
        "agentId and secret belong to different apps; copy both from the same app's page".
    301005 Developer: "不能删除企业创建者", "The company's creator cannot be deleted";
        "保留该成员", "Keep this member".
    301007 Administrator: "企业不可用，可能已解散或被封禁", "The company is not available; it may have been dissolved or blocked";
        "联系企业微信", "Contact WeCom".
    301021 Developer: "userid 参数无效", "A userid is not valid";
        "核对列表中的 userid", "Check the userids in the list".
    301036 Administrator: "不允许修改该成员的 userid", "This member's userid may not be changed";
        "userid 只有由系统生成时才能修改一次",
        "A userid can be changed only once, and only if the system generated it".
    2000002 Operator: "CorpId 参数无效", "The corpid is not valid";
        "核对 corpId 配置", "Check the configured corpId".
};
