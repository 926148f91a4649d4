//! The colours of the style sheet against WCAG 2.2, success criteria 1.4.3 (text, 4.5:1) and 1.4.11 (borders of
//! controls and the focus ring, 3:1), in light and dark.
#![expect(clippy::expect_used, reason = "a style sheet that cannot be read fails the test")]

use std::collections::HashMap;

use wecom_login_pages::assets;

const TEXT: [(&str, &str); 14] = [
    ("ink", "ground"),
    ("ink", "sheet"),
    ("ink", "tint"),
    ("soft", "ground"),
    ("soft", "sheet"),
    ("soft", "tint"),
    ("accent", "ground"),
    ("accent", "sheet"),
    ("accent-strong", "sheet"),
    ("accent-strong", "tint"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("warm", "sheet"),
    ("warm", "warm-tint"),
];

const CONTROLS: [(&str, &str); 3] = [("edge", "sheet"), ("accent", "ground"), ("accent", "tint")];

/// The colours by name, of light and of dark.
fn palettes() -> Vec<HashMap<&'static str, &'static str>> {
    let style = assets().iter().find(|asset| asset.content_type.starts_with("text/css")).expect("a style");
    let style = std::str::from_utf8(style.bytes).expect("text");
    let sets = style.split(":root {").skip(1).map(|set| set.split_once('}').expect("a set ends").0);
    let colour = |line: &'static str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": ")?;
        Some((name, value.strip_prefix('#')?.strip_suffix(';')?))
    };
    sets.map(|set| set.lines().filter_map(colour).collect()).collect()
}

fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("two digits");
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn ratio(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn the_ratio_of_black_and_white_is_21() {
    assert!((ratio("000000", "ffffff") - 21.0).abs() < 1e-9);
}

#[test]
fn colours_have_the_contrast_that_people_need() {
    let palettes = palettes();
    assert_eq!(palettes.len(), 2, "light and dark");
    for palette in palettes {
        for (pairs, least) in [(TEXT.as_slice(), 4.5), (CONTROLS.as_slice(), 3.0)] {
            for (front, back) in pairs {
                let ratio = ratio(palette[front], palette[back]);
                assert!(ratio >= least, "{front} on {back}: {ratio:.2}");
            }
        }
    }
}
