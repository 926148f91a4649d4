//! Name, picture and colour of the company whose pages these are.

use wecom_login_model::Bilingual;
use wecom_login_pages::{Asset, Colour, LARGEST_LOGO, brand_style, logo};

use super::declaration::{Declaration, Kind, Shape};
use super::section::section;
use super::source::shown;
use super::value::{Problem, Scalar};

section! {
    /// Whose pages these are.
    pub struct Brand in "brand.", "品牌" / "Brand";

    /// The company's name, in the header and the titles of pages.
    name: Option<String> { zh: "公司名称，显示在页眉和页面标题中", }

    /// The picture in the header: an SVG, PNG, JPEG or WebP file of at most 512 KiB.
    logo: Option<Asset> { zh: "页眉中的图片：SVG、PNG、JPEG 或 WebP 文件，不超过 512 KiB", }

    /// The colour of buttons and links.
    colour: Option<BrandStyle> { zh: "按钮和链接的颜色", }
}

/// The style sheet with a company's colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandStyle(pub Asset);

impl Brand {
    /// The files to serve.
    pub(crate) fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.logo.iter().chain(self.colour.as_ref().map(|style| &style.0))
    }

    pub(crate) fn shown(&self) -> wecom_login_pages::Brand<'_> {
        wecom_login_pages::Brand {
            name: self.name.as_deref(),
            logo: self.logo.as_ref().map(|asset| asset.path.as_str()),
            style: self.colour.as_ref().map(|style| style.0.path.as_str()),
        }
    }
}

impl Scalar for Asset {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "图片的路径", en: "path of a picture" },
        rule: "the path of a picture",
        pattern: "",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        let bytes = std::fs::read(text)
            .map_err(|error| Problem::other(format!("cannot be read: {}: {error}", shown(text))));
        let most = LARGEST_LOGO / 1024;
        let rule = format!("an SVG, PNG, JPEG or WebP file of at most {most} KiB");
        logo(bytes?).ok_or_else(|| Problem::must(&rule, text))
    }
}

impl Scalar for BrandStyle {
    const KIND: &'static Kind = &Kind {
        shape: Shape::Text,
        label: Bilingual { zh: "颜色", en: "colour" },
        rule: "a colour such as #0e6269 or #07c",
        pattern: "^\\s*#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\\s*$",
    };

    fn read(text: &str, _: &Declaration) -> Result<Self, Problem> {
        match Colour::parse(text) {
            Some(colour) => Ok(Self(brand_style(colour))),
            None => Err(Problem::breaks(<Self as Scalar>::KIND, text)),
        }
    }
}
