//! docs/error-codes.md is generated from the error tables; the test fails when the committed file differs.

use std::fmt::Write as _;
use std::path::Path;

use wecom_login_model::Explanation;

const HEAD: &str = "# Error codes

What the `errcode` of an element function and the number on a page mean. WeCom's own numbers pass through unchanged; ours
begin with 710. This page is generated from the program's tables: `UPDATE_DOCS=1 cargo test -p wecom-login-server error_codes`.

元素函数返回的 `errcode` 和页面上的错误码的含义。企业微信的错误码原样返回，我们自己的以 710 开头。

";

fn rows(text: &mut String, title: &str, rows: &[&Explanation]) {
    let cell = |text: &str| text.replace('|', "\\|");
    writeln!(text, "## {title}\n\n| number | what happened | who can fix it | how |\n|---|---|---|---|")
        .unwrap();
    for row in rows {
        let who = row.who.name();
        writeln!(
            text,
            "| {} | {}<br>{} | {}<br>{} | {}<br>{} |",
            row.code,
            cell(row.meaning.en),
            cell(row.meaning.zh),
            who.en,
            who.zh,
            cell(row.remedy.en),
            cell(row.remedy.zh)
        )
        .unwrap();
    }
    text.push('\n');
}

#[test]
fn the_documented_error_codes_are_those_of_the_tables() {
    let mut ours: Vec<&Explanation> =
        wecom_login_sign_in::explanations().iter().chain(wecom_login_server::explanations()).collect();
    ours.sort_by_key(|row| row.code);
    let mut text = HEAD.to_owned();
    rows(&mut text, "Ours", &ours);
    rows(&mut text, "WeCom's", &wecom::explanations().iter().collect::<Vec<_>>());
    let text = text.trim_end().to_owned() + "\n";

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/error-codes.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/error-codes.md is stale; see its head for the command");
}
