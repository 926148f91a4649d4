//! Sections: a key is added by adding one entry to its section. The `section!` macro makes the typed field and the
//! [`Declaration`] from the same lines.

use wecom_login_model::Bilingual;

use super::declaration::Declaration;
use super::raw::RawSettings;

/// Keys that belong together: a struct of their values.
pub(crate) trait Section: Sized {
    /// The heading in the docs.
    const TITLE: Bilingual;
    /// The keys, in the order of the docs.
    const KEYS: &'static [Declaration];
    /// Takes the values, or the defaults of keys that are not set or wrong.
    fn read(raw: &mut RawSettings) -> Self;
}

/// Declares a section: `table` is empty, or the name of its TOML table and a dot. Each key has its documentation, its
/// name, the type of its value and the properties of its [`Declaration`].
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $section:ident in $table:literal, $title_zh:literal / $title_en:literal;

        $( $(#[doc = $help:literal])+ $key:ident: $value:ty { $($property:tt)* } )+
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        pub struct $section {
            $( $(#[doc = $help])+ pub $key: $value, )+
        }

        impl $crate::settings::section::Section for $section {
            const TITLE: wecom_login_model::Bilingual =
                wecom_login_model::Bilingual { zh: $title_zh, en: $title_en };
            const KEYS: &'static [$crate::settings::declaration::Declaration] = &[
                $( $crate::settings::declaration::Declaration {
                    name: concat!($table, stringify!($key)),
                    kind: <$value as $crate::settings::value::Value>::KIND,
                    en: concat!($($help),+).trim_ascii(),
                    $($property)*
                    ..$crate::settings::declaration::Declaration::UNSET
                }, )+
            ];

            fn read(raw: &mut $crate::settings::raw::RawSettings) -> Self {
                Self { $( $key: raw.read(concat!($table, stringify!($key))), )+ }
            }
        }
    };
}
pub(crate) use section;
