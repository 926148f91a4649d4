//! A reader of the strict HTML that our templates write. It is no HTML parser on purpose: what a browser would
//! repair (an unquoted attribute, a stray `<`, a tag left open) is an error here.
#![expect(clippy::expect_used, reason = "a page that is not strict fails the test that reads it")]

/// One element with its attributes and the text below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 6] = ["meta", "link", "img", "wbr", "br", "input"];

/// All elements in document order.
pub(crate) fn elements(html: &str) -> Vec<Element> {
    let mut rest = html.strip_prefix("<!doctype html>").expect("starts with the doctype");
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        for &element in &open {
            elements[element].text.push_str(&unescaped(text));
        }
        let end = tag.find('>').expect("a tag ends");
        let (inside, after) = (&tag[1..end], &tag[end + 1..]);
        rest = after;
        if let Some(name) = inside.strip_prefix('/') {
            let closed = open.pop().expect("an element is open");
            assert_eq!(elements[closed].name, name, "elements close in order");
        } else {
            let closes_itself = inside.ends_with('/');
            let inside = inside.trim_end_matches('/');
            let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
            if !VOID.contains(&name) && !closes_itself {
                open.push(elements.len());
            }
            elements.push(Element {
                name: name.to_owned(),
                attributes: self::attributes(attributes),
                text: String::new(),
            });
        }
    }
    assert!(open.is_empty(), "every element is closed");
    assert!(!rest.contains('>'), "no stray >");
    elements
}

/// The one element with this `data-testid`.
pub(crate) fn hook(html: &str, id: &str) -> Element {
    let mut found = hooks(html, id);
    assert_eq!(found.len(), 1, "{id} stands once");
    found.remove(0)
}

/// The elements with this `data-testid`.
pub(crate) fn hooks(html: &str, id: &str) -> Vec<Element> {
    elements(html).into_iter().filter(|element| element.attribute("data-testid") == Some(id)).collect()
}

fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return attributes;
        }
        let (name, value) = rest.split_once("=\"").expect("every attribute is quoted");
        let (value, after) = value.split_once('"').expect("the quote ends");
        assert!(!value.contains('<') && !name.contains(['\'', '"', '<', ' ']), "{name}={value}");
        attributes.push((name.to_owned(), unescaped(value)));
        rest = after;
    }
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').expect("an & starts an entity");
        let code = entity.strip_prefix('#').and_then(|number| number.parse().ok());
        plain.push(code.and_then(char::from_u32).expect("a numeric entity"));
        plain.push_str(after);
    }
    plain
}
