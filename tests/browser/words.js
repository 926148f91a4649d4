// What the problem pages say about each number, first in Chinese, then in English.

const WHO = {
  member: ["你自己", "You"],
  administrator: ["企业微信管理员", "Your company's WeCom administrator"],
  developer: ["应用的开发者", "The developer of the app"],
  operator: ["登录服务的运维人员", "The operator of this sign-in service"],
  wecom: ["企业微信（稍后会恢复）", "WeCom (it passes with time)"],
};

const PROBLEMS = {
  [-1]: {
    who: "wecom",
    title: ["企业微信正忙", "WeCom is busy"],
    meaning: ["企业微信系统繁忙。", "WeCom is busy."],
    how: ["稍后再试。", "Try again in a moment."],
  },
  45009: {
    who: "operator",
    title: ["企业微信限制了调用次数", "WeCom's call limit is used up"],
    meaning: ["企业微信限制的接口调用次数已经用完。", "WeCom's limit on API calls has been reached."],
    how: [
      "等待限制解除（分钟级一分钟，小时级一小时），并降低调用频率；如果曾多次用错 Secret，本机地址会被封禁一小时。",
      "Wait until the limit is lifted (one minute for a per-minute limit, one hour for an hourly limit) and call less often. After many calls with a wrong secret, WeCom blocks this machine's address for an hour.",
    ],
  },
  60020: {
    who: "administrator",
    title: ["企业微信不接受本服务器的 IP 地址", "WeCom does not accept this server's IP address"],
    meaning: ["本服务器的 IP 不在应用的“企业可信IP”中。", "This server's IP address is not among the app's trusted IPs."],
    how: [
      "在管理后台的应用页面，把错误中给出的来源 IP 加入“企业可信IP”，约一分钟后生效；地址不固定时请配置出口代理。",
      "On the app's page in the admin console, add the source IP that the error names to the trusted IPs (企业可信IP); the change takes effect in about a minute. If the address changes, configure an outgoing proxy with a fixed address.",
    ],
  },
  60111: {
    who: "administrator",
    title: ["你还不能使用这个应用", "You cannot use this app yet"],
    meaning: ["成员不存在，或不在应用的可见范围内。", "The member does not exist or is outside the app's visible scope."],
    how: [
      "确认成员在通讯录中，并把他加入应用的可见范围。",
      "Make sure that the member is in the contacts, and add them to the app's visible scope.",
    ],
  },
  710001: {
    who: "member",
    title: ["你取消了登录", "You cancelled the sign-in"],
    meaning: ["你在企业微信里取消了这次登录。", "You declined the sign-in in WeCom."],
    how: ["如果要继续，请重新登录并在企业微信里点“确认”。", "To continue, sign in again and confirm in WeCom."],
  },
  710003: {
    who: "member",
    title: ["无法识别这次登录", "This sign-in is unknown here"],
    meaning: ["这次登录不是从这里发起的，或者已经过去太久。", "This sign-in was not started here, or was started too long ago."],
    how: [
      "请从登录页重新开始，不要使用收藏的或别人发来的登录链接。",
      "Start again from the sign-in page; do not use a saved link or a link that someone sent you.",
    ],
  },
  710005: {
    who: "member",
    title: ["这次登录已经用过了", "This sign-in was already used"],
    meaning: ["这个登录链接已经用过了，每个链接只能用一次。", "This sign-in link was already used; each link works only once."],
    how: ["请重新登录。", "Sign in again."],
  },
  710006: {
    who: "member",
    title: ["请在同一个浏览器里完成登录", "Please finish in the browser where you began"],
    meaning: [
      "这次登录是在另一个浏览器里发起的，不能在这里完成。",
      "This sign-in was started in another browser and cannot be finished here.",
    ],
    how: [
      "请在这个浏览器里重新登录。如果链接是别人发给你的，请不要继续，并联系管理员。",
      "Sign in again in this browser. If someone sent you the link, do not continue, and tell your administrator.",
    ],
  },
  710008: {
    who: "member",
    title: ["浏览器没有保存 Cookie", "Your browser keeps no cookies"],
    meaning: [
      "登录重新开始了两次，浏览器仍然没有带回 Cookie。",
      "The sign-in was restarted twice, and the browser still sent no cookie.",
    ],
    how: [
      "请允许本网站使用 Cookie，或换一个浏览器；不要在登录中途切换浏览器或无痕窗口。",
      "Allow cookies for this site or use another browser, and do not switch browsers or private windows during the sign-in.",
    ],
  },
  710101: {
    who: "administrator",
    title: ["你不是这家企业的成员", "You are not a member of this company"],
    meaning: ["扫码的人不是这家企业的成员。", "The person who scanned the code is not a member of this company."],
    how: [
      "请用加入了本企业的企业微信账号扫码；还没有加入的，请管理员在通讯录里添加成员。",
      "Scan with a WeCom account that has joined this company. If you have not joined it yet, ask the administrator to add you to the contacts.",
    ],
  },
  710103: {
    who: "administrator",
    title: ["你的企业微信账号已被禁用", "Your WeCom account is not active"],
    meaning: ["你的企业微信账号已被管理员禁用。", "Your WeCom account has been disabled by the administrator."],
    how: [
      "请管理员在企业微信管理后台的通讯录里启用该成员。",
      "The administrator can enable the member in the contacts of WeCom's admin console.",
    ],
  },
  710106: {
    who: "administrator",
    title: ["没有绑定", "Nothing was bound"],
    meaning: [
      "这个企业微信身份已经绑定到另一个账号，没有改动。",
      "This WeCom identity is already bound to another account; nothing was changed.",
    ],
    how: [
      "如果它应当属于当前账号，请管理员先解除原来的绑定，再重新绑定。",
      "If it should belong to this account, ask the administrator to unbind it first, then bind it again.",
    ],
  },
  710107: {
    who: "member",
    title: ["没有绑定", "Nothing was bound"],
    meaning: [
      "发起绑定的登录会话已经结束，没有绑定任何身份。",
      "The session that started the binding has ended; nothing was bound.",
    ],
    how: ["请先登录要绑定的账号，再重新发起绑定。", "Sign in to the account first, then start the binding again."],
  },
  710108: {
    who: "member",
    title: ["没有绑定", "Nothing was bound"],
    meaning: [
      "这次绑定的信息已经丢失，没有绑定任何身份，也没有登录。",
      "The details of this binding are lost; nothing was bound, and nobody was signed in.",
    ],
    how: [
      "请在发起绑定的浏览器里重新发起绑定，并在 15 分钟内完成。",
      "Start the binding again in the browser in which you started it, and finish it within 15 minutes.",
    ],
  },
  710201: {
    who: "wecom",
    title: ["暂时联系不上企业微信", "WeCom cannot be reached right now"],
    meaning: ["企业微信没有及时返回有效的结果。", "WeCom gave no usable answer in time."],
    how: [
      "请稍后重试；如果持续出现，请运维人员检查服务器到企业微信接口的网络和代理设置。",
      "Try again shortly. If the error persists, the operator should check the server's network and proxy towards WeCom's API.",
    ],
  },
  710305: {
    who: "member",
    title: ["没有这个页面", "No such page"],
    meaning: ["这个地址下没有页面。", "There is no page at this address."],
    how: ["请检查地址有没有写错，或者从首页重新进入。", "Check the address, or start from the first page."],
  },
  710309: {
    who: "developer",
    title: ["不能返回到这个地址", "Return to this address is not allowed"],
    meaning: [
      "登录后要返回的地址（return_to）不被允许。",
      "The address to return to after the sign-in (return_to) is not allowed.",
    ],
    how: [
      "return_to 必须是登录服务自己的地址，或配置项 return_origins 里的来源。",
      "return_to must be at the sign-in service's own address or at an origin listed in return_origins.",
    ],
  },
  710331: {
    who: "member",
    title: ["二维码没有加载出来", "The QR code did not load"],
    meaning: [
      "企业微信的登录面板没有加载出来：脚本被拦截，或浏览器访问不到企业微信的登录地址。",
      "WeCom's login panel did not load: its script is blocked, or the browser cannot reach WeCom's sign-in address.",
    ],
    how: [
      "请点下面的链接，在企业微信自己的页面上登录。如果那个页面也打不开，请把下面的地址告诉网络管理员。",
      "Use the link below to sign in on WeCom's own page. If that page does not open either, give the address below to your network administrator.",
    ],
  },
  710332: {
    who: "member",
    title: ["登录没有成功", "The sign-in did not succeed"],
    meaning: ["企业微信的登录面板报告了一个错误。", "WeCom's login panel reported an error."],
    how: [
      "请再试一次；如果仍然失败，请把下面的错误码发给企业微信管理员。",
      "Try again. If the error persists, send the numbers below to your company's WeCom administrator.",
    ],
  },
  710333: {
    who: "administrator",
    title: ["登录设置有误", "The sign-in is not set up right"],
    meaning: [
      "登录完成后要返回的域名，与企业微信管理后台里这个应用的“授权回调域”不一致。",
      "The host that the sign-in returns to differs from the callback domain (授权回调域) of this app in WeCom's admin console.",
    ],
    how: [
      "在管理后台打开这个应用，进入“企业微信授权登录 → Web网页 → 设置授权回调域”，填写下面的域名（端口也要一致，不带协议）。",
      "In the admin console, open the app and enter the domain below, with its port and without a scheme, under 企业微信授权登录 → Web网页 → 设置授权回调域.",
    ],
  },
  710334: {
    who: "member",
    title: ["这个二维码已经失效", "This QR code has expired"],
    meaning: [
      "二维码十分钟后失效，页面没能从登录服务获取新的二维码。",
      "A QR code expires after ten minutes, and the page could not get a new one from the sign-in service.",
    ],
    how: [
      "请检查网络，然后再试一次；网络恢复后页面也会自己更新。",
      "Check the network, then try again. The page also recovers by itself once the network is back.",
    ],
  },
};

/** What the page of that number must say in that language, and the hook's name of who can fix it. */
export function problem(code, language) {
  const { who, title, meaning, how } = PROBLEMS[code];
  const at = language === "en" ? 1 : 0;
  return { who, title: title[at], meaning: meaning[at], whoName: WHO[who][at], how: how[at] };
}
