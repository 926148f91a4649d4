//! The colours of the style sheet against WCAG 2.2, success criteria 1.4.3 (text, 4.5:1) and 1.4.11 (borders of
//! controls and the focus ring, 3:1), in light and dark.
#![expect(clippy::expect_used, reason = "a style sheet that cannot be read fails the test")]

use std::collections::HashMap;

use proptest::prelude::*;
use wecom_login_pages::{Asset, Colour, assets, brand_style};

const TEXT: [(&str, &str); 15] = [
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
    ("ink", "warm-tint"),
];

const CONTROLS: [(&str, &str); 3] = [("edge", "sheet"), ("accent", "ground"), ("accent", "tint")];

type Palette = HashMap<String, String>;

/// The colours by name, of light and of dark.
fn palettes() -> Vec<Palette> {
    let style = assets().iter().find(|asset| asset.content_type.starts_with("text/css")).expect("a style");
    palettes_of(style)
}

fn palettes_of(style: &Asset) -> Vec<Palette> {
    let style = std::str::from_utf8(&style.bytes).expect("text");
    let sets = style.split(":root {").skip(1).map(|set| set.split_once('}').expect("a set ends").0);
    let colour = |line: &str| {
        let (name, value) = line.trim().strip_prefix("--")?.split_once(": ")?;
        Some((name.to_owned(), value.strip_prefix('#')?.strip_suffix(';')?.to_owned()))
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

fn assert_legible(palette: &Palette) {
    for (pairs, least) in [(TEXT.as_slice(), 4.5), (CONTROLS.as_slice(), 3.0)] {
        for (front, back) in pairs {
            let ratio = ratio(&palette[*front], &palette[*back]);
            assert!(ratio >= least, "{front} on {back}: {ratio:.2} in {palette:?}");
        }
    }
}

#[test]
fn colours_have_the_contrast_that_people_need() {
    let palettes = palettes();
    assert_eq!(palettes.len(), 2, "light and dark");
    palettes.iter().for_each(assert_legible);
}

/// The pages' colours with a company's own.
fn branded(colour: &str) -> Vec<Palette> {
    let own = palettes_of(&brand_style(Colour::parse(colour).expect("a colour")));
    assert_eq!(own.len(), 2);
    palettes().into_iter().zip(own).map(|(ours, own)| ours.into_iter().chain(own).collect()).collect()
}

#[test]
fn a_companys_colour_stays_itself_where_it_can_be_read() {
    let [light, dark] = &branded("#7a1f5c")[..] else { panic!("two schemes") };
    assert_eq!(light["accent"], "7a1f5c");
    assert_ne!(dark["accent"], "7a1f5c");
    let [light, dark] = &branded("#ffd24d")[..] else { panic!("two schemes") };
    assert_ne!(light["accent"], "ffd24d");
    assert_eq!(dark["accent"], "ffd24d");
}

proptest! {
    #[test]
    fn whatever_colour_a_company_has_its_pages_can_be_read(colour in "#[0-9a-f]{6}") {
        branded(&colour).iter().for_each(assert_legible);
    }
}

#[test]
fn the_plainest_colours_can_be_read_too() {
    for colour in ["#000000", "#ffffff", "#808080", "#ff0000", "#00ff00", "#0000ff", "#ffff00"] {
        branded(colour).iter().for_each(assert_legible);
    }
}
