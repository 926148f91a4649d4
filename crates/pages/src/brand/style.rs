use crate::Asset;
use crate::brand::Colour;

/// Least contrast of text on its ground.
const LEGIBLE: f64 = 4.5;

/// What the style sheet has for one scheme: the grounds that accents stand on, and the words in quiet ink.
struct Scheme {
    ground: Colour,
    sheet: Colour,
    soft: Colour,
    is_dark: bool,
}

/// As in `web/assets/style.css`, which a test compares.
const LIGHT: Scheme = Scheme {
    ground: Colour::new(0xf5, 0xf2, 0xeb),
    sheet: Colour::new(0xff, 0xfd, 0xf9),
    soft: Colour::new(0x56, 0x65, 0x6a),
    is_dark: false,
};
const DARK: Scheme = Scheme {
    ground: Colour::new(0x12, 0x18, 0x1a),
    sheet: Colour::new(0x1b, 0x23, 0x26),
    soft: Colour::new(0xa3, 0xb1, 0xb3),
    is_dark: true,
};

impl Scheme {
    fn colours(&self, wish: Colour) -> String {
        let Self { ground, sheet, soft, is_dark } = self;
        // The wash behind tags and under the pointer: as much of the colour as quiet words can stand on.
        let tint = (1..=12)
            .rev()
            .map(|percent| sheet.mixed(wish, f64::from(percent) / 100.0))
            .find(|tint| soft.contrast(*tint) >= LEGIBLE)
            .unwrap_or(*sheet);
        let is_legible =
            |shade: Colour| [*ground, *sheet, tint].iter().all(|back| shade.contrast(*back) >= LEGIBLE);
        let accent = wish.shade(!is_dark, is_legible);
        let strong = accent.shifted(if *is_dark { 0.1 } else { -0.1 }).shade(!is_dark, is_legible);
        // The accent is legible on the lightest (darkest) ground, so that ground is legible on it.
        let on_accent = if *is_dark { ground } else { sheet };
        format!(
            "--accent: {accent};\n--accent-strong: {strong};\n--on-accent: {on_accent};\n--tint: {tint};\n"
        )
    }
}

/// The sheet that gives the pages a company's colour, in shades that can be read.
///
/// ```
/// use wecom_login_pages::{Colour, brand_style};
/// let sheet = brand_style(Colour::parse("#ffcc00").unwrap());
/// assert!(sheet.path.starts_with("/assets/brand-") && sheet.path.ends_with(".css"));
/// ```
pub fn brand_style(colour: Colour) -> Asset {
    let (light, dark) = (LIGHT.colours(colour), DARK.colours(colour));
    let text =
        format!(":root {{\n{light}}}\n@media (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n");
    Asset::new("brand", "css", "text/css; charset=utf-8", text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_are_those_of_the_style_sheet() {
        let sheet = include_str!("../../../../web/assets/style.css");
        let sets: Vec<&str> = sheet.split(":root {").skip(1).collect();
        for (scheme, set) in [LIGHT, DARK].iter().zip(&sets) {
            let set = set.split_once('}').unwrap().0;
            for (name, colour) in [("ground", scheme.ground), ("sheet", scheme.sheet), ("soft", scheme.soft)]
            {
                assert!(set.contains(&format!("--{name}: {colour};")), "{name} {colour}");
            }
        }
        assert_eq!(sets.len(), 2);
    }
}
