//! Which copies of an element count.
//!
//! A private copy is seen in its own app only. Whatever stands before a protected copy would override it, and is
//! refused. The order is that of the lineage; between two parents that do not extend each other it is the order of
//! `extends`.

use crate::e_json::Modifier;

/// What resolution needs to know of a copy.
pub(crate) trait Candidate {
    fn modifier(&self) -> Modifier;
    /// Whether it belongs to the app that was opened.
    fn is_own(&self) -> bool;
}

/// The copies of one element.
#[derive(Debug)]
pub(crate) struct Resolved<T> {
    /// Those that count, most derived first.
    pub(crate) effective: Vec<T>,
    /// Those that would override a protected one.
    pub(crate) refused: Vec<T>,
    /// Those of other apps that are private there.
    pub(crate) hidden: Vec<T>,
}

pub(crate) fn resolve<T: Candidate>(copies: Vec<T>) -> Resolved<T> {
    let (mut seen, hidden): (Vec<T>, Vec<T>) =
        copies.into_iter().partition(|copy| copy.is_own() || copy.modifier() != Modifier::Private);
    let first = seen.iter().rposition(|copy| copy.modifier() == Modifier::Protected).unwrap_or(0);
    let effective = seen.split_off(first);
    Resolved { effective, refused: seen, hidden }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Plain(usize, Modifier);

    impl Candidate for Plain {
        fn modifier(&self) -> Modifier {
            self.1
        }
        fn is_own(&self) -> bool {
            self.0 == 0
        }
    }

    fn modifiers() -> impl Strategy<Value = Vec<Option<Modifier>>> {
        let modifier = prop::sample::select(vec![
            None,
            Some(Modifier::Private),
            Some(Modifier::Protected),
            Some(Modifier::Public),
        ]);
        prop::collection::vec(modifier, 0..8)
    }

    proptest! {
        /// The naive model asks of each copy by itself: may it be seen, and is no protected copy behind it?
        #[test]
        fn each_copy_counts_when_it_is_seen_and_overrides_nothing_protected(apps in modifiers()) {
            let copies: Vec<Plain> = apps
                .iter()
                .enumerate()
                .filter_map(|(app, modifier)| modifier.map(|modifier| Plain(app, modifier)))
                .collect();
            let seen = |copy: &Plain| copy.0 == 0 || copy.1 != Modifier::Private;
            let protected_behind = |copy: &Plain| {
                copies.iter().any(|other| other.0 > copy.0 && seen(other) && other.1 == Modifier::Protected)
            };
            let resolved = resolve(copies.clone());
            for copy in &copies {
                prop_assert_eq!(resolved.hidden.contains(copy), !seen(copy));
                prop_assert_eq!(resolved.refused.contains(copy), seen(copy) && protected_behind(copy));
                prop_assert_eq!(resolved.effective.contains(copy), seen(copy) && !protected_behind(copy));
            }
            prop_assert!(resolved.effective.is_sorted_by_key(|copy| copy.0));
            prop_assert_eq!(
                resolved.effective.is_empty(),
                !copies.iter().any(seen),
                "what is seen at all is never lost"
            );
        }
    }
}
