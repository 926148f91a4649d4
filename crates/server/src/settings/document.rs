//! What is generated from the declarations: the tables of docs/settings.md, and the JSON schema of the file.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use wecom_login_model::{Bilingual, Language};

use super::declaration::{Declaration, Shape};

/// The headings of the sections and their keys, in the order of the docs.
pub(super) type Sections = [(Bilingual, &'static [Declaration])];

const HEAD: Bilingual = Bilingual {
    en: "# Settings

<!-- Generated from the declarations in crates/server/src/settings: UPDATE_DOCS=1 cargo test -p wecom-login-server settings -->

The program reads its settings from three places. A later place overrides an earlier one:

1. `wecom-login.toml` in the working folder, or the file that `--config` names;
2. environment variables: `WECOM_LOGIN_` and the name of the key in capitals, with `_` for `.`
   (`public_url` is `WECOM_LOGIN_PUBLIC_URL`, `retention.audit` is `WECOM_LOGIN_RETENTION_AUDIT`);
3. options of the command line (`--listen`, `--public-url`, `--app`, `--app-path`, `--data`).

Values are trimmed, and a blank value counts as not set. An unknown key in the file is an error. An unknown variable is a
warning, and the variables that Kubernetes sets for a Service are ignored. `wecom-login config check` lists everything that
is wrong, and `wecom-login config schema` prints the JSON schema of the file, which is also
[wecom-login.schema.json](wecom-login.schema.json).

| type | how it is written |
|---|---|
| duration | a whole number and `s`, `m`, `h` or `d`: `90s`, `15m`, `24h`, `7d` |
| switch | `true` or `false`; also `1`, `0`, `yes`, `no`, `on`, `off`, in any case, in quotes where TOML needs them |
| list | in the file `[\"first\", \"second\"]`, in a variable `first,second` |
| secret | never shown in messages or logs |

Keys of a table stand below its header in the file: `retention.audit` is `audit` below `[retention]`.
",
    zh: "# 配置项

<!-- 由 crates/server/src/settings 中的声明生成：UPDATE_DOCS=1 cargo test -p wecom-login-server settings -->

程序从三个地方读取配置，后面的优先：

1. 工作目录中的 `wecom-login.toml`，或 `--config` 指定的文件；
2. 环境变量：`WECOM_LOGIN_` 加大写的键名，`.` 写作 `_`
   （`public_url` 对应 `WECOM_LOGIN_PUBLIC_URL`，`retention.audit` 对应 `WECOM_LOGIN_RETENTION_AUDIT`）；
3. 命令行选项（`--listen`、`--public-url`、`--app`、`--app-path`、`--data`）。

值的首尾空白会被去掉，空值等于未配置。文件里有未知的键会报错；未知的环境变量只警告，Kubernetes 为 Service 注入的变量会被忽略。`wecom-login config check` 列出所有问题，`wecom-login config schema` 输出文件的 JSON Schema，即 [wecom-login.schema.json](wecom-login.schema.json)。

| 类型 | 写法 |
|---|---|
| 时长 | 整数加 `s`（秒）、`m`（分）、`h`（小时）或 `d`（天）：`90s`、`15m`、`24h`、`7d` |
| 开关 | `true` 或 `false`，也可以写 `1`、`0`、`yes`、`no`、`on`、`off`，不分大小写；TOML 中需要时加引号 |
| 列表 | 文件中写 `[\"第一项\", \"第二项\"]`，环境变量中写 `第一项,第二项` |
| 机密 | 不会出现在提示和日志中 |

表中的键在文件里写在表头下面：`retention.audit` 就是 `[retention]` 下面的 `audit`。
",
};

/// docs/settings.md, or docs/settings.zh-CN.md: every key with its type, default and meaning.
pub(super) fn text(sections: &Sections, language: Language) -> String {
    let pick = |text: Bilingual| text.text(language);
    let mut text = pick(HEAD).to_owned();
    let columns =
        pick(Bilingual { en: "key | type | default | meaning", zh: "键 | 类型 | 默认值 | 含义" });
    for (title, keys) in sections {
        let _ = write!(text, "\n## {}\n\n| {columns} |\n|---|---|---|---|\n", pick(*title));
        for key in *keys {
            let (meaning, kind) = (meaning(key, language), kind(key, language));
            let _ = writeln!(text, "| `{}` | {kind} | {} | {meaning} |", key.name, default(key, language));
        }
    }
    let _ = write!(text, "\n## {}\n\n", pick(Bilingual { en: "Former names", zh: "旧名称" }));
    let columns = pick(Bilingual {
        en: "former key | key | value\n|---|---|---|",
        zh: "旧键 | 现在的键 | 值\n|---|---|---|",
    });
    text.push_str(pick(Bilingual {
        en: "This version still reads them, with a warning. The former and the new name together are an error.\n\n",
        zh: "本版本仍会读取并给出警告；新旧名称同时出现会报错。\n\n",
    }));
    let _ = writeln!(text, "| {}", columns.replacen('\n', " |\n", 1));
    for key in keys(sections) {
        if let Some(former) = key.formerly {
            let _ = writeln!(text, "| `{}` | `{}` | `24` → `\"24{}\"` |", former.name, key.name, former.unit);
        }
    }
    text
}

/// The JSON schema of `wecom-login.toml` (JSON Schema 2020-12).
pub(super) fn schema(sections: &Sections) -> Value {
    let mut root = Map::new();
    for key in keys(sections) {
        match key.name.split_once('.') {
            None => {
                root.insert(key.name.to_owned(), property(key));
            }
            Some((table, name)) => {
                let table = root.entry(table).or_insert_with(
                    || json!({"type": "object", "additionalProperties": false, "properties": {}}),
                );
                table["properties"][name] = property(key);
            }
        }
        if let Some(former) = key.formerly {
            let description = format!("Former name of {}; a whole number.", key.name);
            let former_property = json!({
                "type": "integer", "minimum": 0, "deprecated": true, "description": description,
            });
            root.insert(former.name.to_owned(), former_property);
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wecom-login.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": root,
    })
}

fn keys(sections: &Sections) -> impl Iterator<Item = &'static Declaration> {
    sections.iter().flat_map(|(_, keys)| *keys)
}

fn kind(key: &Declaration, language: Language) -> String {
    let label = key.kind.label.text(language);
    let secret = Bilingual { en: ", secret", zh: "，机密" }.text(language);
    format!("{label}{}", if key.secret { secret } else { "" })
}

fn default(key: &Declaration, language: Language) -> String {
    if key.default.is_empty() { key.without.text(language).to_owned() } else { format!("`{}`", key.default) }
}

fn meaning(key: &Declaration, language: Language) -> String {
    let text = match language {
        Language::En => key.en.to_owned(),
        // Table cells of the docs end like sentences.
        Language::Zh => format!("{}。", key.zh),
    };
    let space = Bilingual { en: " ", zh: "" }.text(language);
    let bound = |bound: &str, label: Bilingual| {
        if bound.is_empty() { String::new() } else { format!("{space}{} `{bound}`", label.text(language)) }
    };
    let least = bound(key.least, Bilingual { en: "At least", zh: "最小" });
    let most = bound(key.most, Bilingual { en: "At most", zh: "最大" });
    let stop =
        |text: &str| if text.is_empty() { "" } else { Bilingual { en: ".", zh: "。" }.text(language) };
    format!("{text}{least}{}{most}{}", stop(&least), stop(&most)).replace('|', "\\|")
}

fn property(key: &Declaration) -> Value {
    let kind = key.kind;
    let mut property = match kind.shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Number => json!({"type": "integer"}),
        Shape::List => json!({"type": "array", "items": {"type": "string"}}),
    };
    if !kind.pattern.is_empty() {
        let texts = if kind.shape == Shape::List { &mut property["items"] } else { &mut property };
        texts["pattern"] = kind.pattern.into();
    }
    if kind.shape == Shape::Number {
        for (name, bound) in [("minimum", key.least), ("maximum", key.most)] {
            if let Ok(number) = bound.parse::<u32>() {
                property[name] = number.into();
            }
        }
    }
    property["description"] = key.en.into();
    if key.secret {
        property["writeOnly"] = true.into();
    }
    if !key.default.is_empty() {
        property["default"] = match kind.shape {
            // Written as in TOML, where both are as in JSON.
            Shape::Flag | Shape::Number => key.default.parse().unwrap_or_default(),
            Shape::Text | Shape::List => key.default.into(),
        };
    }
    property
}
