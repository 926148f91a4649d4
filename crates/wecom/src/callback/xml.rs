//! The subset of XML that WeCom sends: elements with text, CDATA or elements. Attributes are ignored, a DOCTYPE is
//! rejected (it can define exponentially expanding entities), depth and size are limited.
//!
//! A text with a fault of its own costs no other field: an `&` that begins no reference stands for itself. White space
//! around a value is no part of it, because receivers and gateways print the XML anew, with line breaks.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

const DEEPEST: usize = 8;
pub(super) const LARGEST: usize = 1024 * 1024;

/// The leaves of the document with their paths below the root, in order.
pub(super) fn leaves(document: &str) -> Option<Vec<(String, String)>> {
    if document.len() > LARGEST {
        return None;
    }
    let mut reader = Reader::from_str(document);
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<Element> = Vec::new();
    let mut leaves = Vec::new();
    let mut roots = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if open.len() >= DEEPEST || (open.is_empty() && roots > 0) {
                    return None;
                }
                if let Some(parent) = open.last_mut() {
                    parent.is_leaf = false;
                }
                open.push(Element::new(start.name().as_ref()));
            }
            Event::Empty(empty) => {
                let element = Element::new(empty.name().as_ref());
                match open.last_mut() {
                    Some(parent) => parent.is_leaf = false,
                    None => roots += 1,
                }
                open.push(element);
                close(&mut open, &mut leaves)?;
            }
            Event::End(_) => {
                close(&mut open, &mut leaves)?;
                roots += usize::from(open.is_empty());
            }
            Event::Text(text) => append(&mut open, &text.xml10_content())?,
            Event::CData(text) => append(&mut open, &text.into_inner())?,
            Event::GeneralRef(reference) => append(&mut open, &resolve(&reference))?,
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
            Event::DocType(_) => return None,
            Event::Eof => return (open.is_empty() && roots == 1).then_some(leaves),
        }
    }
}

struct Element {
    name: String,
    text: String,
    is_leaf: bool,
}

impl Element {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), text: String::new(), is_leaf: true }
    }
}

/// Text outside the root must be white space.
fn append(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

fn close(open: &mut Vec<Element>, leaves: &mut Vec<(String, String)>) -> Option<()> {
    let element = open.pop()?;
    if element.is_leaf && !open.is_empty() {
        let mut path: Vec<&str> = open.iter().skip(1).map(|element| element.name.as_str()).collect();
        path.push(&element.name);
        leaves.push((path.join("/"), element.text.trim().to_owned()));
    }
    Some(())
}

/// The five predefined entities, and character references; any other reference as it is written.
fn resolve(reference: &BytesRef<'_>) -> String {
    let name = reference.xml10_content();
    let character = if reference.is_char_ref() {
        reference.resolve_char_ref().ok().flatten()
    } else {
        match name.as_ref() {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "apos" => Some('\''),
            "quot" => Some('"'),
            _ => None,
        }
    };
    character.map_or_else(|| format!("&{name};"), String::from)
}
