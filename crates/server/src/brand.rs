//! `[brand]` of the settings: name, picture and colour of the company whose pages these are.

use std::path::PathBuf;

use serde::Deserialize;
use wecom_login_pages::{Asset, Colour, LARGEST_LOGO, brand_style, logo};

/// Whose sign-in this is, ready to be served.
#[derive(Debug, Clone, Default)]
pub struct Brand {
    /// The name in the header and the titles of the pages.
    pub name: Option<String>,
    /// The picture in the header.
    pub logo: Option<Asset>,
    /// The sheet with the company's colour.
    pub style: Option<Asset>,
}

/// As it is written down.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    name: Option<String>,
    logo: Option<PathBuf>,
    colour: Option<String>,
}

impl Brand {
    /// The files to serve.
    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.logo.iter().chain(&self.style)
    }

    pub(crate) fn shown(&self) -> wecom_login_pages::Brand<'_> {
        wecom_login_pages::Brand {
            name: self.name.as_deref(),
            logo: self.logo.as_ref().map(|asset| asset.path.as_str()),
            style: self.style.as_ref().map(|asset| asset.path.as_str()),
        }
    }
}

impl Written {
    /// Reads the picture and works the colour out; what is wrong is told with its key.
    pub(crate) fn checked(self) -> Result<Brand, (&'static str, String)> {
        let colour = |text: &String| {
            Colour::parse(text).ok_or_else(|| {
                ("brand.colour", format!("must be a colour such as \"#0e6269\" or \"#07c\", not {text:?}"))
            })
        };
        let picture = |path: &PathBuf| {
            let bytes = std::fs::read(path)
                .map_err(|error| ("brand.logo", format!("cannot be read: {}: {error}", path.display())))?;
            logo(bytes).ok_or_else(|| {
                let (path, most) = (path.display(), LARGEST_LOGO / 1024);
                (
                    "brand.logo",
                    format!("must be an SVG, PNG, JPEG or WebP file of at most {most} KiB; {path} is not"),
                )
            })
        };
        if self.name.as_ref().is_some_and(|name| name.trim().is_empty() || name.chars().any(char::is_control))
        {
            return Err(("brand.name", "must be a line of text; leave it out for the usual one".to_owned()));
        }
        Ok(Brand {
            name: self.name,
            logo: self.logo.as_ref().map(picture).transpose()?,
            style: self.colour.as_ref().map(colour).transpose()?.map(brand_style),
        })
    }
}
