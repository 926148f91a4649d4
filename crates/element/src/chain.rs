//! From an element to its Meta, over the Types between.

use std::collections::BTreeMap;

/// What a `type` leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// To a full name that no element has.
    Unknown(String),
    /// To itself, over these.
    Loop(Vec<String>),
    /// To an element whose own `type` leads nowhere.
    Beyond(String),
}

/// The Types of an element, from its own to the Meta; none for a Meta. `types` holds the `type` of each element.
pub(crate) fn chain<'a>(
    types: &BTreeMap<&'a str, &'a str>,
    full_name: &'a str,
) -> Result<Vec<&'a str>, Broken> {
    let mut passed = vec![full_name];
    let mut at = full_name;
    while let Some(next) = types.get(at).copied().filter(|next| !next.is_empty()) {
        if let Some(start) = passed.iter().position(|name| *name == next) {
            let mut circle: Vec<String> = passed[start..].iter().map(ToString::to_string).collect();
            circle.push(next.to_owned());
            return Err(match start {
                0 => Broken::Loop(circle),
                _ => Broken::Beyond(passed[1].to_owned()),
            });
        }
        if !types.contains_key(next) {
            return Err(match passed.get(1) {
                None => Broken::Unknown(next.to_owned()),
                Some(own_type) => Broken::Beyond((*own_type).to_owned()),
            });
        }
        passed.push(next);
        at = next;
    }
    passed.remove(0);
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_ends_in_a_meta_or_tells_whose_fault_it_is() {
        let types = BTreeMap::from([
            ("meta", ""),
            ("base", "meta"),
            ("derived", "base"),
            ("instance", "derived"),
            ("self", "self"),
            ("a", "b"),
            ("b", "a"),
            ("into", "a"),
            ("lost", "nowhere"),
            ("behind", "lost"),
        ]);
        let chain = |name| chain(&types, name);
        assert_eq!(chain("meta"), Ok(vec![]));
        assert_eq!(chain("instance"), Ok(vec!["derived", "base", "meta"]));
        assert_eq!(chain("self"), Err(Broken::Loop(vec!["self".into(), "self".into()])));
        assert_eq!(chain("a"), Err(Broken::Loop(vec!["a".into(), "b".into(), "a".into()])));
        assert_eq!(chain("into"), Err(Broken::Beyond("a".into())));
        assert_eq!(chain("lost"), Err(Broken::Unknown("nowhere".into())));
        assert_eq!(chain("behind"), Err(Broken::Beyond("lost".into())));
    }
}
