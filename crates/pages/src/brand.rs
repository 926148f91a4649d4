//! A company's own name, picture and colour on the pages.
//!
//! The colour is a wish: of its shades, the pages take those that people can read. Hue and saturation stay; the
//! lightness moves until text on its ground has 4.5:1 (WCAG 2.2, 1.4.3), in light and in dark.

mod colour;
mod logo;
mod style;

pub use colour::Colour;
pub use logo::{LARGEST_LOGO, logo};
pub use style::brand_style;

/// Whose sign-in this is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Brand<'a> {
    /// The name in the header and the title; `None` is 企业登录 or Company sign-in.
    pub name: Option<&'a str>,
    /// Path of the picture in the header, where the company has its own.
    pub logo: Option<&'a str>,
    /// Path of the sheet that sets the company's colour.
    pub style: Option<&'a str>,
}
