use std::fmt;

/// A colour of the screen (sRGB).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    channels: [u8; 3],
}

impl Colour {
    pub(crate) const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { channels: [red, green, blue] }
    }

    /// Reads `#rrggbb` or `#rgb`; `None` for anything else.
    ///
    /// ```
    /// use wecom_login_pages::Colour;
    /// assert_eq!(Colour::parse("#07c"), Colour::parse("#0077CC"));
    /// assert_eq!(Colour::parse("blue"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let values = digits.bytes().map(value).collect::<Option<Vec<u8>>>()?;
        match values[..] {
            [red, green, blue] => Some(Self::new(red * 17, green * 17, blue * 17)),
            [r1, r2, g1, g2, b1, b2] => Some(Self::new(r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2)),
            _ => None,
        }
    }

    /// The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.channels.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// `share` of the other colour in this one; 0 is this one, 1 the other.
    pub(crate) fn mixed(self, other: Self, share: f64) -> Self {
        let mut channels = self.channels;
        for (channel, other) in channels.iter_mut().zip(other.channels) {
            *channel = byte(f64::from(*channel) * (1.0 - share) + f64::from(other) * share);
        }
        Self { channels }
    }

    /// Hue in sixths of the circle, saturation and lightness from 0 to 1 (CSS Color 4, 7.2).
    fn hsl(self) -> (f64, f64, f64) {
        let [red, green, blue] = self.channels.map(|channel| f64::from(channel) / 255.0);
        let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
        let (lightness, spread) = (f64::midpoint(most, least), most - least);
        if self.channels[0] == self.channels[1] && self.channels[1] == self.channels[2] {
            return (0.0, 0.0, lightness);
        }
        let hue = if red >= green && red >= blue {
            ((green - blue) / spread).rem_euclid(6.0)
        } else if green >= blue {
            (blue - red) / spread + 2.0
        } else {
            (red - green) / spread + 4.0
        };
        (hue, spread / (1.0 - (2.0 * lightness - 1.0).abs()), lightness)
    }

    /// The same hue and saturation at another lightness, 0 to 1.
    fn at(self, lightness: f64) -> Self {
        let (hue, saturation, _) = self.hsl();
        let reach = saturation * lightness.min(1.0 - lightness);
        let channel = |offset: f64| {
            let place = (offset + hue * 2.0).rem_euclid(12.0);
            byte(255.0 * (lightness - reach * (place - 3.0).min(9.0 - place).clamp(-1.0, 1.0)))
        };
        Self::new(channel(0.0), channel(8.0), channel(4.0))
    }

    /// The shade nearest to this one, going darker (or lighter), that is good enough. Black and white end the way.
    pub(crate) fn shade(self, darker: bool, is_good: impl Fn(Self) -> bool) -> Self {
        let step = if darker { -0.01 } else { 0.01 };
        let mut lightness = self.hsl().2;
        let mut shade = self;
        while !is_good(shade) && (0.0..=1.0).contains(&lightness) {
            lightness += step;
            shade = self.at(lightness.clamp(0.0, 1.0));
        }
        shade
    }

    /// The same hue, `by` lighter, or darker where it is negative.
    pub(crate) fn shifted(self, by: f64) -> Self {
        self.at((self.hsl().2 + by).clamp(0.0, 1.0))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a byte holds")]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.channels;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hexadecimal_colours_are_read() {
        assert_eq!(Colour::parse("#0E6269").unwrap().to_string(), "#0e6269");
        for text in ["", "#", "#12", "#1234", "#12345g", "0e6269", "#0e6269ff", "rgb(0,0,0)", "#１23", "teal"]
        {
            assert_eq!(Colour::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn lightness_is_there_and_back() {
        for text in ["#0e6269", "#ff0000", "#00ff80", "#123456", "#fedcba", "#7f007f", "#808080"] {
            let colour = Colour::parse(text).unwrap();
            assert_eq!(colour.at(colour.hsl().2), colour);
        }
    }

    #[test]
    fn black_and_white_are_furthest_apart() {
        let ratio = Colour::new(0, 0, 0).contrast(Colour::new(255, 255, 255));
        assert!((ratio - 21.0).abs() < 1e-9);
    }
}
