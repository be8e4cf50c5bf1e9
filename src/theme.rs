//! The colours of the pages: three palettes, and one accent of the hospital's own.
//!
//! Pure numbers. Every pair of colours that meets on a page is listed with the contrast it must have (`Palette::pairs`), so that a test and
//! the check of an accent hold the same list. Contrast is the ratio of WCAG 2.2, (L1 + 0.05) / (L2 + 0.05) of relative luminances.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text against its ground (WCAG 2.2 AAA).
pub(crate) const TEXT_CONTRAST: f64 = 7.0;
/// The edge of a control, a face or the ring against what is beside it (WCAG 1.4.11).
pub const EDGE_CONTRAST: f64 = 3.0;

/// A colour in sRGB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Color {
    /// `0xrrggbb`.
    pub const fn hex(rgb: u32) -> Self {
        let [_, r, g, b] = rgb.to_be_bytes();
        Self { r, g, b }
    }

    /// Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it.
    pub(crate) fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.r) + 0.7152 * linear(self.g) + 0.0722 * linear(self.b)
    }

    /// The contrast of two colours, 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// What a panel with 16 bits a pixel shows instead: 5 bits of red, 6 of green, 5 of blue.
    #[must_use]
    pub(crate) fn to_rgb565(self) -> Self {
        let five = |c: u8| (c & 0xf8) | (c >> 5);
        let six = |c: u8| (c & 0xfc) | (c >> 6);
        Self { r: five(self.r), g: six(self.g), b: five(self.b) }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.r, self.g, self.b)
    }
}

/// Not a colour.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a colour: write it like \"#0f5560\", two hexadecimal digits each for red, green and blue"
)]
pub struct ColorError(String);

impl FromStr for Color {
    type Err = ColorError;

    fn from_str(text: &str) -> Result<Self, ColorError> {
        let wrong = || ColorError(text.to_owned());
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or_else(wrong)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u32::from_str_radix(digits, 16).map(Self::hex).map_err(|_| wrong())
    }
}

/// How the pages look.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Warm paper, ink and white cards.
    #[default]
    Standard,
    /// Black on white with nothing between, for weak eyes and bright light.
    HighContrast,
    /// Light on dark, for wards at night.
    Night,
}

impl Theme {
    /// Every theme.
    pub const ALL: [Self; 3] = [Self::Standard, Self::HighContrast, Self::Night];

    /// The name used in config files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::HighContrast => "high_contrast",
            Self::Night => "night",
        }
    }

    /// The theme with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// Its colours. The accent is for the standard theme; the other two are what they are for a reason.
    pub const fn palette(self, accent: Option<Color>) -> Palette {
        match (self, accent) {
            (Self::Standard, None) => STANDARD,
            (Self::Standard, Some(accent)) => Palette {
                chosen: accent,
                on_chosen: WHITE,
                quiet_on_chosen: WHITE,
                primary: accent,
                on_primary: WHITE,
                quiet_on_primary: WHITE,
                ..STANDARD
            },
            (Self::HighContrast, _) => HIGH_CONTRAST,
            (Self::Night, _) => NIGHT,
        }
    }
}

/// Every colour a page takes; what each is for is said in `ui/theme.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "named and explained in ui/theme.slint")]
pub struct Palette {
    pub ground: Color,
    pub ink: Color,
    pub quiet: Color,
    pub card: Color,
    pub edge: Color,
    pub chosen: Color,
    pub on_chosen: Color,
    pub quiet_on_chosen: Color,
    pub primary: Color,
    pub on_primary: Color,
    pub quiet_on_primary: Color,
    pub ring: Color,
}

const WHITE: Color = Color::hex(0x00ff_ffff);

const STANDARD: Palette = Palette {
    ground: Color::hex(0x00f7_f5f0),
    ink: Color::hex(0x0012_243b),
    quiet: Color::hex(0x0033_475b),
    card: WHITE,
    edge: Color::hex(0x0012_243b),
    chosen: Color::hex(0x000f_5560),
    on_chosen: WHITE,
    quiet_on_chosen: Color::hex(0x00f6_fbfb),
    primary: Color::hex(0x0012_243b),
    on_primary: WHITE,
    quiet_on_primary: Color::hex(0x00ea_f3f4),
    ring: Color::hex(0x00b3_491d),
};

const HIGH_CONTRAST: Palette = Palette {
    ground: WHITE,
    ink: Color::hex(0),
    quiet: Color::hex(0),
    card: WHITE,
    edge: Color::hex(0),
    chosen: Color::hex(0),
    on_chosen: WHITE,
    quiet_on_chosen: WHITE,
    primary: Color::hex(0),
    on_primary: WHITE,
    quiet_on_primary: WHITE,
    ring: Color::hex(0x00b0_0020),
};

const NIGHT: Palette = Palette {
    ground: Color::hex(0x0010_151b),
    ink: Color::hex(0x00ec_e6d8),
    quiet: Color::hex(0x00bf_c5c9),
    card: Color::hex(0x001b_232c),
    edge: Color::hex(0x0093_9ea8),
    chosen: Color::hex(0x00e8_d3a2),
    on_chosen: Color::hex(0x0010_151b),
    quiet_on_chosen: Color::hex(0x0020_262c),
    primary: Color::hex(0x00cf_c9ba),
    on_primary: Color::hex(0x0010_151b),
    quiet_on_primary: Color::hex(0x0020_262c),
    ring: Color::hex(0x00f0_a35e),
};

/// Two colours that meet on a page.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct Pair {
    /// What it is.
    what: &'static str,
    /// In front.
    front: Color,
    /// Behind.
    behind: Color,
    /// The least contrast.
    least: f64,
}

#[cfg(test)]
impl Palette {
    /// Every pair of colours that meets on a page.
    const fn pairs(&self) -> [Pair; 16] {
        const fn text(what: &'static str, front: Color, behind: Color) -> Pair {
            Pair { what, front, behind, least: TEXT_CONTRAST }
        }
        const fn edge(what: &'static str, front: Color, behind: Color) -> Pair {
            Pair { what, front, behind, least: EDGE_CONTRAST }
        }
        [
            text("text on the ground", self.ink, self.ground),
            text("text on a card", self.ink, self.card),
            text("second language on the ground", self.quiet, self.ground),
            text("second language on a card", self.quiet, self.card),
            text("text on a chosen card", self.on_chosen, self.chosen),
            text("second language on a chosen card", self.quiet_on_chosen, self.chosen),
            text("text on the main button", self.on_primary, self.primary),
            text("second language on the main button", self.quiet_on_primary, self.primary),
            edge("edge of a card on the ground", self.edge, self.ground),
            edge("edge of a card on the card", self.edge, self.card),
            edge("chosen card on the ground", self.chosen, self.ground),
            edge("main button on the ground", self.primary, self.ground),
            edge("tick on a chosen card", self.on_chosen, self.chosen),
            edge("tick in its box", self.chosen, self.on_chosen),
            edge("ring on the ground", self.ring, self.ground),
            edge("ring on a card", self.ring, self.card),
        ]
    }
}

/// An accent that cannot be read on.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("white text on {accent} has a contrast of {contrast:.1}, {TEXT_CONTRAST} is the least")]
pub(crate) struct AccentError {
    /// The colour.
    pub accent: Color,
    /// White against it.
    pub contrast: f64,
    /// A darker shade of it that passes.
    pub darker: Color,
}

/// Whether white text can be read on an accent, also on a panel with 16 bits a pixel.
///
/// # Errors
/// It cannot; a shade that can is named.
pub(crate) fn check_accent(accent: Color) -> Result<(), AccentError> {
    let passes = |color: Color| {
        color.contrast(WHITE) >= TEXT_CONTRAST && color.to_rgb565().contrast(WHITE) >= TEXT_CONTRAST
    };
    if passes(accent) {
        return Ok(());
    }
    let mut darker = accent;
    while !passes(darker) {
        let down = |c: u8| c.saturating_sub(1 + c / 32);
        darker = Color { r: down(darker.r), g: down(darker.g), b: down(darker.b) };
    }
    Err(AccentError { accent, contrast: accent.contrast(WHITE), darker })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_wcag_computes() {
        let black = Color::hex(0);
        assert!((WHITE.contrast(black) - 21.0).abs() < 1e-9);
        assert!((Color::hex(0x0077_7777).contrast(WHITE) - 4.478).abs() < 0.001);
        assert!((Color::hex(0x00ff_0000).contrast(WHITE) - 3.998).abs() < 0.001);
    }

    #[test]
    fn every_pair_of_every_palette_has_its_contrast_in_24_and_in_16_bits() {
        let accents = [None, Some(Color::hex(0x007a_1f2b)), Some(Color::hex(0x0000_4f9e))];
        for theme in Theme::ALL {
            for accent in accents {
                for pair in theme.palette(accent).pairs() {
                    let full = pair.front.contrast(pair.behind);
                    let coarse = pair.front.to_rgb565().contrast(pair.behind.to_rgb565());
                    assert!(
                        full >= pair.least && coarse >= pair.least,
                        "{}: {} has {full:.2} ({coarse:.2}), {} is the least",
                        theme.name(),
                        pair.what,
                        pair.least
                    );
                }
            }
        }
    }

    #[test]
    fn a_pale_accent_is_refused_with_a_shade_that_passes() {
        assert!(check_accent(Color::hex(0x000f_5560)).is_ok());
        let error = check_accent(Color::hex(0x0030_a0ff)).unwrap_err();
        assert!(error.contrast < 3.0);
        assert!(check_accent(error.darker).is_ok(), "{}", error.darker);
        assert!(check_accent(WHITE).is_err());
    }

    #[test]
    fn colours_are_read_as_they_are_written() {
        assert_eq!("#0f5560".parse(), Ok(Color::hex(0x000f_5560)));
        assert_eq!(Color::hex(0x000f_5560).to_string(), "#0f5560");
        for wrong in ["0f5560", "#0f556", "#0f55600", "#0f55xx", "teal", "#+f5560"] {
            assert!(wrong.parse::<Color>().is_err(), "{wrong}");
        }
    }
}
