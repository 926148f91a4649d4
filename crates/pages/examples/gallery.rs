//! Writes every page in both languages into a folder, to be looked at:
//! `cargo run -p wecom-login-pages --example gallery -- OUTDIR`.

use std::path::Path;
use std::{env, fs, io};

use wecom_login_model::{Actor, Bilingual, Explanation, Language, Timestamp};
use wecom_login_pages::{
    Brand, Choice, ChoosePage, Chrome, HomePage, LoginPage, Panel, ProblemPage, Retry, SignedOutPage, assets,
    title,
};

const IP_NOT_ALLOWED: Explanation = Explanation {
    code: 60020,
    meaning: Bilingual {
        zh: "企业微信收到了请求，但本服务器的 IP 地址不在应用的企业可信IP中。",
        en: "WeCom got the request, but this server's IP address is not among the app's trusted ones.",
    },
    who: Actor::Administrator,
    remedy: Bilingual {
        zh: "在管理后台打开“应用管理”里的这个应用，把下面的地址加到“企业可信IP”，一分钟后生效。",
        en: "In WeCom's console open the app and add the address below to its trusted IPs. It works a minute later.",
    },
};

const DECLINED: Explanation = Explanation {
    code: 51001,
    meaning: Bilingual { zh: "你在企业微信里选择了取消。", en: "You chose to cancel in WeCom." },
    who: Actor::Member,
    remedy: Bilingual {
        zh: "如果点错了，再试一次即可。", en: "If that was a slip, just try again."
    },
};

const BUSY: Explanation = Explanation {
    code: -1,
    meaning: Bilingual {
        zh: "企业微信说它现在很忙。", en: "WeCom says that it is busy at the moment."
    },
    who: Actor::WeCom,
    remedy: Bilingual { zh: "过一会儿再试。", en: "Try again in a little while." },
};

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).ok_or_else(|| io::Error::other("name a folder to write into"))?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder.join("assets"))?;
    for asset in assets() {
        fs::write(folder.join(asset.path.trim_start_matches('/')), &asset.bytes)?;
    }
    // Stands in for WeCom's page, in the frame of the sign-in page.
    fs::write(folder.join("frame.html"), "<!doctype html><title>frame</title><p>480 x 416 / 320 x 380")?;
    for language in [Language::Zh, Language::En] {
        for (name, page) in pages(language) {
            let page = page
                .replace("=\"/assets/", "=\"assets/")
                .replace(&format!("=\"/{name}?lang=zh\""), &format!("=\"{name}.zh-CN.html\""))
                .replace(&format!("=\"/{name}?lang=en\""), &format!("=\"{name}.en.html\""));
            fs::write(folder.join(format!("{name}.{}.html", language.tag())), page)?;
        }
    }
    Ok(())
}

fn pages(language: Language) -> Vec<(&'static str, String)> {
    let chrome =
        |name: &str| Chrome::new(language, &format!("/{name}")).with_request_id("01JD9Q6V3M8ZK4T7R2XW5YB0HC");
    let say = |zh: &'static str, en: &'static str| Bilingual { zh, en }.text(language);
    let title = say("报销系统", "Expenses");
    let restarted = Bilingual {
        zh: "上一次登录在另一个浏览器里打开，所以重新开始了。",
        en: "The sign-in began again, because it had come back in another browser.",
    };
    let login = |panel, notice| LoginPage {
        title,
        binding: None,
        panel,
        link_url: "frame.html",
        notice,
        troubles: vec![],
    };
    let frame = Some(Panel {
        element: "auths.loginTypes.QywxInnerExample",
        corp_id: "ww1436e0e65a779aee",
        agent_id: "1000002",
        redirect_uri: "frame.html",
        state: "state",
        renew_url: "/login",
        is_official: false,
    });
    let long = "a".repeat(64);
    vec![
        ("login", login(frame, None).html(&chrome("login"))),
        ("login-restarted", login(frame, Some(restarted)).html(&chrome("login-restarted"))),
        ("login-link", login(None, None).html(&chrome("login-link"))),
        (
            "login-long",
            LoginPage { title: &long, ..login(None, None) }.html(
                &chrome("login-long")
                    .with_brand(Brand { name: Some(&"Brand".repeat(12)), ..Brand::default() }),
            ),
        ),
        ("choose", choose(language).html(&chrome("choose"))),
        ("choose-none", ChoosePage { binding: None, choices: vec![] }.html(&chrome("choose-none"))),
        ("home", home(say("张三丰", "Ada Lovelace"), language).html(&chrome("home"))),
        ("home-crowded", crowded_home().html(&chrome("home-crowded"))),
        ("signed-out", SignedOutPage { sign_in_url: "/login" }.html(&chrome("signed-out"))),
        ("problem", problem(&IP_NOT_ALLOWED).html(&chrome("problem"))),
        (
            "problem-declined",
            ProblemPage {
                title: title::DECLINED,
                explanation: &DECLINED,
                details: vec![],
                retry: Some(Retry::again("/login")),
            }
            .html(&chrome("problem-declined")),
        ),
        (
            "problem-busy",
            ProblemPage {
                title: title::WECOM_BUSY,
                explanation: &BUSY,
                details: vec![],
                retry: Some(Retry::again("/login")),
            }
            .html(&chrome("problem-busy")),
        ),
    ]
}

fn choose(language: Language) -> ChoosePage<'static> {
    let choice = |zh, en, full_name| Choice {
        title: Bilingual { zh, en }.text(language),
        full_name,
        url: format!("/login?element={full_name}"),
    };
    ChoosePage {
        binding: None,
        choices: vec![
            choice("总部", "Head office", "auths.loginTypes.QywxInnerHeadOffice"),
            choice("上海分公司", "Shanghai branch", "auths.loginTypes.QywxInnerShanghai"),
            choice(
                "外包团队",
                "Contractors",
                "auths.loginTypes.contractors.QywxInnerContractorsOfTheSouthWestRegion",
            ),
        ],
    }
}

fn home(name: &'static str, language: Language) -> HomePage<'static> {
    static DEPARTMENTS: std::sync::LazyLock<[Vec<String>; 2]> = std::sync::LazyLock::new(|| {
        [vec!["研发中心".into(), "平台组".into()], vec!["Engineering".into(), "Platform".into()]]
    });
    let (english, position) = match language {
        Language::Zh => (0, "高级工程师"),
        Language::En => (1, "Senior engineer"),
    };
    HomePage {
        name,
        user_id: "zhangsan",
        position,
        departments: &DEPARTMENTS[english],
        corp_id: "ww1436e0e65a779aee",
        element: "auths.loginTypes.QywxInnerExample",
        signed_in_at: Timestamp::from_millis(1_795_332_305_000),
        session_end: Timestamp::from_millis(1_795_375_505_000),
        bound: None,
    }
}

fn crowded_home() -> HomePage<'static> {
    static DEPARTMENTS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        (1..=100).map(|number| format!("Department {number} \u{202e}部门")).collect()
    });
    static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "W".repeat(64));
    HomePage {
        name: "\u{202e}<script>alert(\"x\")</script> AVeryLongNameWithoutAnySpaceInItAtAllForTheLayout",
        user_id: &LONG,
        position: "Director of \"Everything\" & <b>more</b>",
        departments: &DEPARTMENTS,
        corp_id: "ww1436e0e65a779aee",
        element: "auths.loginTypes.some.deeply.nested.folder.of.elements.QywxInnerExampleWithAVeryLongName",
        ..home("", Language::En)
    }
}

fn problem(explanation: &Explanation) -> ProblemPage<'_> {
    ProblemPage {
        title: title::IP_NOT_ALLOWED,
        explanation,
        details: vec![
            (Bilingual { zh: "要添加的 IP 地址", en: "IP address to add" }, "203.0.113.7".to_owned()),
            (Bilingual { zh: "要填写的域名", en: "Host to paste" }, "login.example.com:8443".to_owned()),
        ],
        retry: Some(Retry::again("/login")),
    }
}
