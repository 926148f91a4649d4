use serde_json::Value;

use super::{CallbackError, xml};
use crate::damage;

/// A decrypted message: its fields by path, the same for XML and JSON. Items of a list have the same path. Values have
/// no white space around them.
///
/// Bytes that are not UTF-8 (a name in GBK), lone surrogates, control characters and a bare `&` damage only the field that
/// holds them: bad bytes become U+FFFD.
///
/// ```
/// use wecom::callback::Message;
/// let message = Message::parse(
///     b"<xml><Event><![CDATA[change_contact]]></Event><BatchJob><JobId>7</JobId></BatchJob></xml>",
/// )?;
/// assert_eq!(message.get("Event"), Some("change_contact"));
/// assert_eq!(message.get("BatchJob/JobId"), Some("7"));
/// assert_eq!(message.get("UserID"), None);
/// # Ok::<(), wecom::callback::CallbackError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    fields: Vec<(String, String)>,
}

impl Message {
    /// Reads up to 1 MiB of XML (one root, at most 8 levels, no DOCTYPE) or JSON.
    pub fn parse(bytes: &[u8]) -> Result<Self, CallbackError> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_matches(|letter: char| letter == '\u{feff}' || letter.is_whitespace());
        let fields = if text.starts_with('{') { json_leaves(text) } else { xml::leaves(text) };
        fields.map(|fields| Self { fields }).ok_or(CallbackError::Envelope)
    }

    /// The first field at `path`, such as `ChangeType` or `ExtAttr/Item/Name`. An empty field gives an empty text.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.fields().find(|(name, _)| *name == path).map(|(_, text)| text)
    }

    /// Every field at `path`, in order.
    pub fn all<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields().filter(move |(name, _)| *name == path).map(|(_, text)| text)
    }

    /// All fields with their paths, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn json_leaves(text: &str) -> Option<Vec<(String, String)>> {
    if text.len() > xml::LARGEST {
        return None;
    }
    let mut leaves = Vec::new();
    let root: Value = serde_json::from_str(&damage::repaired(text.as_bytes())).ok()?;
    collect("", &root, &mut leaves);
    Some(leaves)
}

/// serde_json fails at 128 levels, which limits the recursion.
fn collect(path: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                collect(&path, value, leaves);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(path, item, leaves)),
        Value::String(text) => leaves.push((path.to_owned(), text.trim().to_owned())),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => leaves.push((path.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) {
        assert_eq!(Message::parse(text.as_bytes()), Err(CallbackError::Envelope), "{text:.80}");
    }

    #[test]
    fn cdata_text_and_entities_are_equal() {
        let message = Message::parse(
            "\u{feff}<?xml version=\"1.0\"?><!-- c --><xml><A>1 &lt;&amp;&#x4e2d;&#25991;</A><B><![CDATA[<&>]]></B>\
             <C/><D></D><L><I>x</I></L><L><I>y</I></L></xml>\n"
                .as_bytes(),
        )
        .unwrap();
        let fields: Vec<_> = message.fields().collect();
        let expected = [("A", "1 <&中文"), ("B", "<&>"), ("C", ""), ("D", ""), ("L/I", "x"), ("L/I", "y")];
        assert_eq!(fields, expected);
        assert_eq!(message.all("L/I").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn json_has_the_same_fields_as_xml() {
        let message =
            Message::parse(r#"{"MsgType":"event","Id":2,"L":[{"I":"x"},{"I":"y"}],"N":null}"#.as_bytes());
        let message = message.unwrap();
        assert_eq!((message.get("MsgType"), message.get("Id")), (Some("event"), Some("2")));
        assert_eq!(message.all("L/I").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(message.get("N"), None);
    }

    #[test]
    fn only_one_document_of_limited_size_is_accepted() {
        refused("");
        refused("<xml><A>1</A>");
        refused("<xml><A>1</B></xml>");
        refused("<xml/><xml/>");
        refused("<xml></xml>text");
        refused("<!DOCTYPE xml [<!ENTITY a \"b\">]><xml><A>&a;</A></xml>");
        refused("{\"a\":");
        refused(&format!("<xml>{}{}</xml>", "<a>".repeat(8), "</a>".repeat(8)));
        refused(&format!("<xml><a>{}</a></xml>", " ".repeat(xml::LARGEST)));
        refused(&"[".repeat(100_000));
        assert!(Message::parse(&[0xff, 0xfe]).is_err());
        refused("<xml><A>1<B</A></xml>");
    }

    /// F10: WeCom's events come through gateways that print XML anew, and names come in any encoding.
    #[rstest::rstest]
    #[case::line_breaks(
        b"\n<xml>\r\n <A>\n\t<![CDATA[ delete_user ]]>\n </A> <B> R&amp;D </B>\n</xml>\n",
        "R&D"
    )]
    #[case::gbk(b"<xml><B>\xd5\xc5</B><A>delete_user</A></xml>", "\u{fffd}\u{fffd}")]
    #[case::gbk_declared(
        b"<?xml version=\"1.0\" encoding=\"GBK\"?><xml><B>\xd5</B><A>delete_user</A></xml>",
        "\u{fffd}"
    )]
    #[case::bare_ampersand(b"<xml><B>R&D</B><A>delete_user</A></xml>", "R&D")]
    #[case::two_of_them(
        b"<xml><B>& a &b; &#xD800; &#x0; &</B><A>delete_user</A></xml>",
        "& a &b; &#xD800; &#x0; &"
    )]
    #[case::control_character(b"<xml><B>a\x08b</B><A>delete_user</A></xml>", "a\u{8}b")]
    #[case::json(
        b" \xef\xbb\xbf{\"B\":\"\xd5\\ud83d\x08\",\"A\":\" delete_user\\n\"}",
        "\u{fffd}\u{fffd}\u{8}"
    )]
    fn a_damaged_field_costs_no_other(#[case] text: &[u8], #[case] damaged: &str) {
        let message = Message::parse(text).unwrap();
        assert_eq!((message.get("A"), message.get("B")), (Some("delete_user"), Some(damaged)));
    }
}
