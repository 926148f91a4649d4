use std::fmt;

use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// A text that is never printed: corpsecret, access token, key.
///
/// It has no `Display` and no `Serialize`, its `Debug` is redacted, it compares in constant time and is erased from
/// memory when dropped. [`Secret::expose`] is the only access; use its result in one call and do not keep it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True if the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_print_it() {
        let secret = Secret::new("s3cr3t");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[secret] Some([secret])");
        assert_eq!(secret, Secret::from("s3cr3t"));
        assert_ne!(secret, Secret::from("s3cr3T"));
    }
}
