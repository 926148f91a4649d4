use axum::http::HeaderMap;

use super::words::{Language, Words};
use crate::query::Query;

/// How a link wants its pages to look: `lang` and `color_scheme` (WeCom 98171).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(super) language: Language,
    /// As CSS spells it.
    pub(super) color_scheme: &'static str,
}

impl Look {
    pub(super) fn of(query: &Query, headers: &HeaderMap) -> Self {
        let color_scheme = match query.get("color_scheme") {
            Some("light") => "light",
            Some("dark") => "dark",
            _ => "light dark",
        };
        Self { language: Language::of(query.get("lang"), headers), color_scheme }
    }

    pub(super) const fn words(self) -> &'static Words {
        self.language.words()
    }
}
