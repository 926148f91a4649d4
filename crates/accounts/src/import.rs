//! Lists of accounts: CSV with a header, or JSON lines. Good lines are imported and bad ones are named; nothing is lost
//! without a word.
//!
//! Columns: `username`, and as wanted `mobile`, `email`, `corpId` and `userId`. Both of the last two bind the member. `corpId` alone
//! says that only sign-ins of this company's members find the account; where several companies are served it is required. A name that is there already is completed: what the line tells is written, what it leaves empty stays.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use serde::{Deserialize, Serialize};
use wecom_login_model::{CorpId, MemberRef, UserId, Username};
use wecom_login_store::{AuditEntry, AuditEvent, Error, Imported, NewAccount, OK};

use crate::Accounts;

const COLUMNS: [&str; 5] = ["username", "mobile", "email", "corpId", "userId"];

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a header; quotes as in RFC 4180.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// The format of a file's extension: `csv`, or `jsonl` or `ndjson`.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// Its number in the file; the first is 1.
    pub line: u64,
    /// Why not.
    pub reason: String,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Accounts that were made.
    pub created: u64,
    /// Accounts about which something new was written.
    pub updated: u64,
    /// Accounts about which all was known.
    pub unchanged: u64,
    /// The lines that were not imported.
    pub bad: Vec<Bad>,
}

/// A line's number, and what it says or why it says nothing.
type Line = (u64, Result<NewAccount, String>);

/// A list that is read; its lines may be bad one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    lines: Vec<Line>,
}

/// A list that cannot be read as a whole; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoList(String);

impl List {
    /// Reads a list in UTF-8, with a byte order mark or without.
    pub fn read(bytes: &[u8], format: Format) -> Result<Self, NoList> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let lines = match format {
            Format::Csv => csv_lines(bytes)?,
            Format::JsonLines => json_lines(bytes),
        };
        Ok(Self { lines })
    }

    /// Without the lines that name no company. Where several companies are served, the account of such a line would go to the
    /// first member of any of them who has its name or number.
    #[must_use]
    pub fn requiring_companies(self) -> Self {
        let required = |new: NewAccount| match new.company {
            Some(_) => Ok(new),
            None => Err("corpId is required: this server serves several companies".to_owned()),
        };
        let lines = self.lines.into_iter().map(|(line, read)| (line, read.and_then(required)));
        Self { lines: lines.collect() }
    }

    /// How many lines it has, without header and empty ones.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Accounts {
    /// Imports a list, line by line, each whole or not at all. With `dry_run` nothing is written, and what would come of
    /// it is told. `after_line` is called after each line with the number of lines that are done.
    ///
    /// A failure of the database ends it; the lines before stay imported, and the audit log has them.
    pub async fn import(
        &self,
        list: List,
        dry_run: bool,
        after_line: impl FnMut(usize) + Send,
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        let imported = self.import_lines(list, dry_run, after_line, &mut report).await;
        if !dry_run {
            let entry = AuditEntry::new(AuditEvent::AccountsImported, self.now())
                .outcome(if imported.is_ok() { OK } else { "failed" })
                .detail("created", report.created)
                .detail("updated", report.updated)
                .detail("unchanged", report.unchanged)
                .detail("bad", report.bad.len());
            if let Err(error) = self.store().audit(entry).await {
                tracing::error!(%error, "that accounts were imported is not in the audit table");
            }
        }
        imported.map(|()| report)
    }

    async fn import_lines(
        &self,
        list: List,
        dry_run: bool,
        mut after_line: impl FnMut(usize) + Send,
        report: &mut Report,
    ) -> Result<(), Error> {
        let (mut names, mut members) = (HashMap::new(), HashMap::new());
        for (done, (line, read)) in list.lines.into_iter().enumerate() {
            let outcome = match read.and_then(|new| first_time(new, line, &mut names, &mut members)) {
                Ok(new) => match self.store().import_account(&new, self.now(), dry_run).await? {
                    Imported::BoundElsewhere(username) => {
                        Err(format!("the member is bound to the account {username} already"))
                    }
                    Imported::Left => {
                        Err("the member has left, or is back and has not signed in yet; `wecom-login account bind` \
                             binds them when they are back"
                            .to_owned())
                    }
                    Imported::Unbound => {
                        Err("an administrator has unbound the member from this account; `wecom-login account bind` \
                             binds them again"
                            .to_owned())
                    }
                    outcome => Ok(outcome),
                },
                Err(reason) => Err(reason),
            };
            match outcome {
                Ok(Imported::Created) => report.created += 1,
                Ok(Imported::Updated) => report.updated += 1,
                Ok(_) => report.unchanged += 1,
                Err(reason) => report.bad.push(Bad { line, reason }),
            }
            after_line(done + 1);
        }
        Ok(())
    }
}

/// A name, and a member, stand in a list once: the second line would silently win over the first.
fn first_time(
    new: NewAccount,
    line: u64,
    names: &mut HashMap<String, u64>,
    members: &mut HashMap<MemberRef, u64>,
) -> Result<NewAccount, String> {
    match names.entry(new.username.folded()) {
        Slot::Occupied(first) => return Err(format!("the username stands in line {} already", first.get())),
        Slot::Vacant(slot) => slot.insert(line),
    };
    if let Some(member) = &new.member {
        match members.entry(member.clone()) {
            Slot::Occupied(first) => {
                return Err(format!("the member stands in line {} already", first.get()));
            }
            Slot::Vacant(slot) => slot.insert(line),
        };
    }
    Ok(new)
}

/// A line as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Written {
    username: Option<String>,
    mobile: Option<String>,
    email: Option<String>,
    corp_id: Option<String>,
    user_id: Option<String>,
}

impl Written {
    fn checked(self) -> Result<NewAccount, String> {
        let text = |field: Option<String>| field.map(|text| text.trim().to_owned()).unwrap_or_default();
        let username = Username::parse(text(self.username)).map_err(|error| error.to_string())?;
        let (mobile, email) = (text(self.mobile), text(self.email));
        if !mobile.is_empty() && !is_mobile(&mobile) {
            return Err("mobile must be 5 to 20 digits, with a + before them or without".to_owned());
        }
        if !email.is_empty() && !is_email(&email) {
            return Err("email must be an address such as zhangsan@example.com".to_owned());
        }
        let company = match text(self.corp_id) {
            corp_id if corp_id.is_empty() => None,
            corp_id => Some(CorpId::parse(corp_id).map_err(|error| error.to_string())?),
        };
        let member = match (&company, text(self.user_id)) {
            (_, user_id) if user_id.is_empty() => None,
            (None, user_id) => return Err(format!("userId {user_id:?} needs a corpId")),
            (Some(corp_id), user_id) => {
                let user_id = UserId::parse(user_id).map_err(|error| error.to_string())?;
                Some(MemberRef { corp_id: corp_id.clone(), user_id })
            }
        };
        Ok(NewAccount { username, mobile, email, company, member })
    }
}

fn is_mobile(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_email(text: &str) -> bool {
    let plain = text.len() <= 254 && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

fn csv_lines(bytes: &[u8]) -> Result<Vec<Line>, NoList> {
    // Flexible, so that a line with too many or too few fields is told as that line's fault.
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut next = |record: &mut csv::ByteRecord| reader.read_byte_record(record).unwrap_or(false);
    if !next(&mut record) {
        return Err(NoList(
            "the list is empty; its first line must be a header such as username,mobile,email".to_owned(),
        ));
    }
    let mut header = Vec::new();
    for name in &record {
        let name = String::from_utf8_lossy(name).trim().to_owned();
        let Some(column) = COLUMNS.iter().position(|column| column.eq_ignore_ascii_case(&name)) else {
            return Err(NoList(format!(
                "the header has no column {name:?}; known are {}",
                COLUMNS.join(", ")
            )));
        };
        if header.contains(&column) {
            return Err(NoList(format!("the header has the column {name} twice")));
        }
        header.push(column);
    }
    if !header.contains(&0) {
        return Err(NoList("the header must have a column username".to_owned()));
    }
    let (mut lines, mut counted, mut line) = (Vec::new(), 0, 1);
    while next(&mut record) {
        // The reader's own count is one short where lines end in CR LF: there the LF belongs to the next record.
        let begin = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
        let breaks = bytes[begin..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        // Each byte is looked at once.
        line += (1..)
            .zip(bytes[counted..begin + breaks].split(|byte| *byte == b'\n'))
            .last()
            .map_or(0, |(n, _)| n - 1);
        counted = begin + breaks;
        lines.push((line, csv_line(&header, &record)));
    }
    Ok(lines)
}

fn csv_line(header: &[usize], record: &csv::ByteRecord) -> Result<NewAccount, String> {
    if record.len() != header.len() {
        return Err(format!("there are {} fields, the header has {}", record.len(), header.len()));
    }
    let mut written = Written::default();
    for (column, value) in header.iter().zip(record) {
        let value = std::str::from_utf8(value).map_err(|_| "it is not in UTF-8".to_owned())?.to_owned();
        let field = match column {
            0 => &mut written.username,
            1 => &mut written.mobile,
            2 => &mut written.email,
            3 => &mut written.corp_id,
            _ => &mut written.user_id,
        };
        *field = Some(value);
    }
    written.checked()
}

fn json_lines(bytes: &[u8]) -> Vec<Line> {
    let lines = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    let full = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    full.map(|(number, line)| {
        let read = serde_json::from_slice::<Written>(line).map_err(|error| {
            // Without the place that serde_json adds: it counts lines from this one's begin.
            let text = error.to_string();
            text.split(" at line ").next().unwrap_or_default().to_owned()
        });
        (number, read.and_then(Written::checked))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: Format) -> Vec<Line> {
        List::read(text.as_bytes(), format).unwrap().lines
    }

    fn account(username: &str, mobile: &str, email: &str, member: Option<&str>) -> NewAccount {
        NewAccount {
            username: Username::parse(username).unwrap(),
            mobile: mobile.to_owned(),
            email: email.to_owned(),
            company: member.map(|member| member.parse::<MemberRef>().unwrap().corp_id),
            member: member.map(|member| member.parse().unwrap()),
        }
    }

    #[test]
    fn both_formats_tell_the_same() {
        let expected = [
            (2, Ok(account("zhangsan", "13800000001", "z@example.com", Some("wwA/ZhangSan")))),
            (3, Ok(account("lisi", "", "", None))),
        ];
        let csv = "\u{feff}email,Username,mobile,corpid,userId\r\n\"z@example.com\", zhangsan ,13800000001,wwA,ZhangSan\r\n,lisi,,,\r\n";
        assert_eq!(read(csv, Format::Csv), expected);
        let json = "\n{\"username\":\"zhangsan\",\"mobile\":\"13800000001\",\"email\":\"z@example.com\",\"corpId\":\"wwA\",\
                    \"userId\":\"ZhangSan\"}\r\n{\"username\":\"lisi\",\"mobile\":null}\n\n";
        assert_eq!(read(json, Format::JsonLines), expected);
    }

    #[test]
    fn each_bad_line_is_named_and_the_others_are_read() {
        let csv = "username,mobile,email,corpId,userId\n\
                   张三,,,,\n\
                   \"a\nb\",,,,\n\
                   a,12,,,\n\
                   b,,nobody,,\n\
                   c,,,wwA,\n\
                   d,,,,zhangsan\n\
                   e,1\n\
                   good,,,,\n";
        let lines = read(csv, Format::Csv);
        let bad: Vec<u64> = lines.iter().filter(|(_, read)| read.is_err()).map(|(line, _)| *line).collect();
        assert_eq!(bad, [2, 3, 5, 6, 8, 9], "a field may hold a line end");
        assert_eq!(lines.last().unwrap(), &(10, Ok(account("good", "", "", None))));
        let bytes = [b"username\n".as_slice(), b"\xff\xfe\n", b"good\n"].concat();
        let list = List::read(&bytes, Format::Csv).unwrap();
        assert_eq!(list.lines[0], (2, Err("it is not in UTF-8".to_owned())));
        assert_eq!(list.len(), 2);

        let json = "{\"username\":7}\n[]\n{\"username\":\"a\",\"password\":\"x\"}\n{\"username\":\"good\"}";
        let lines = read(json, Format::JsonLines);
        assert!(lines[..3].iter().all(|(_, read)| read.is_err()) && lines[3].1.is_ok());
        assert!(lines[2].1.as_ref().unwrap_err().contains("unknown field `password`"));
    }

    #[test]
    fn f19_lines_without_a_company_are_named_where_several_are_served() {
        let csv = "username,mobile,corpId,userId\na,13800000001,,\nb,13800000002,wwA,\nc,,wwA,zhangsan\nd,12,wwA,\n";
        let lines = List::read(csv.as_bytes(), Format::Csv).unwrap().requiring_companies().lines;
        let bad: Vec<_> =
            lines.iter().filter_map(|(line, read)| Some((*line, read.as_ref().err()?))).collect();
        let required = "corpId is required: this server serves several companies".to_owned();
        assert_eq!((bad[0], bad[1].0, bad.len()), ((2, &required), 5, 2));
        let companies: Vec<_> = lines
            .iter()
            .filter_map(|(_, read)| read.as_ref().ok()?.company.as_ref())
            .map(CorpId::as_str)
            .collect();
        assert_eq!(companies, ["wwA", "wwA"]);
    }

    #[test]
    fn a_header_that_is_none_is_told_before_anything_is_imported() {
        for (text, reason) in [
            ("", "the list is empty"),
            ("zhangsan,138\n", "no column \"zhangsan\""),
            ("username,password\n", "no column \"password\""),
            ("mobile,email\n", "must have a column username"),
            ("username,Username\n", "twice"),
        ] {
            let error = List::read(text.as_bytes(), Format::Csv).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[derive(Debug, Default)]
    struct Told(std::sync::Mutex<Vec<AuditEntry>>);

    impl wecom_login_store::AuditSink for Told {
        fn written(&self, entry: &AuditEntry) {
            self.0.lock().unwrap().push(entry.clone());
        }
    }

    #[tokio::test]
    async fn what_was_imported_before_the_database_failed_is_audited() {
        let told = std::sync::Arc::new(Told::default());
        let store = wecom_login_store::Store::open_sqlite(std::path::Path::new(":memory:")).await.unwrap();
        let store = store.with_audit_sink(told.clone());
        let clock = std::sync::Arc::new(wecom_login_model::SystemClock);
        let accounts = Accounts::new(store.clone(), clock, crate::Admins::default());
        let list = List::read(b"username\na\nb\nc\nd\n", Format::Csv).unwrap();
        let mut closing = Box::pin(store.close());
        let after_line = |done| {
            if done == 2 {
                // Closed from here on.
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                let _ = closing.as_mut().poll(&mut context);
            }
        };
        accounts.import(list, false, after_line).await.unwrap_err();
        let told = told.0.lock().unwrap();
        let (entry, created) = (&told[0], told[0].detail["created"].as_u64());
        assert_eq!((entry.event.as_str(), entry.outcome.as_str()), ("accounts_imported", "failed"));
        assert_eq!((told.len(), created), (1, Some(2)));
    }
}
