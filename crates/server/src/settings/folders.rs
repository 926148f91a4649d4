//! Where the app and the data are.

use std::path::PathBuf;

use super::section::section;

section! {
    /// Where the app and the data are.
    pub struct Folders in "", "目录" / "Folders";

    /// The app folder.
    app: PathBuf { zh: "应用目录", default: ".", }

    /// Folders with the apps that it extends, as `<org>/<name>/<version with _>`.
    app_path: Vec<PathBuf> { zh: "被继承的应用所在的目录，结构为 `<组织>/<名称>/<版本，点换成下划线>`", }

    /// The folder of the SQLite database, the key and the domain ownership files.
    data: PathBuf { zh: "SQLite 数据库、密钥和域名校验文件所在的目录", default: "data", }
}
