//! The fonts of the screens: one family for each language, regular and bold, embedded or added by staff.
//!
//! A text is drawn in the family of its own language, because the same character has another shape in Chinese, Taiwanese and Japanese
//! print. Invariants:
//! - there is a family for every language: the first one serves those that no other one does, and has Latin letters and digits;
//! - every family here was readable ([`Family::read`]), so its glyphs can be looked up.

#[cfg(feature = "kiosk")]
mod collection;
mod family;
#[cfg(feature = "kiosk")]
mod ruler;

use std::sync::Arc;

#[cfg(feature = "kiosk")]
pub(crate) use collection::collect;
#[cfg(feature = "kiosk")]
pub(crate) use family::glyph_box;
pub use family::{Family, FontError, Lines};
#[cfg(feature = "kiosk")]
pub use ruler::Ruler;
#[cfg(feature = "kiosk")]
pub(crate) use ruler::TextExtent;

use skrifa::{
    FontRef, MetadataProvider as _,
    instance::{LocationRef, Size},
    outline::{DrawSettings, pen::NullPen},
};

use crate::{
    ending::{Panicked, contained},
    model::tags,
};
use family::CAPITAL_EM;

/// Every family a terminal has.
#[derive(Clone, Debug)]
pub struct Fonts {
    families: Vec<Family>,
}

impl Fonts {
    /// The families that come with the program.
    pub fn shipped() -> Self {
        let families = SHIPPED.iter().map(|(languages, name, lines, regular, bold)| Family {
            languages: languages.iter().map(ToString::to_string).collect(),
            name: (*name).to_owned(),
            lines: Lines::set(lines.0, lines.1, lines.2),
            regular: Arc::new(*regular),
            bold: Arc::new(*bold),
        });
        Self { families: families.collect() }
    }

    /// Adds a family. From now on its languages are drawn in it and in no other.
    pub fn add(&mut self, mut family: Family) {
        // The full font in place of the cut one has the same name, and both stay.
        if self.families.iter().any(|known| known.name == family.name) {
            family.name = format!("{} ({})", family.name, family.languages.join(", "));
        }
        for known in &mut self.families {
            known.languages.retain(|language| !family.languages.contains(language));
        }
        self.families.push(family);
    }

    /// Every family, the one for all other languages first.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// Only the families of some languages, and the first one, which stands in for what they lack.
    #[cfg(feature = "kiosk")]
    #[must_use]
    pub fn only<'a>(&self, languages: impl IntoIterator<Item = &'a str>) -> Self {
        let wanted: Vec<&str> = languages.into_iter().map(|language| self.family_for(language)).collect();
        let first = self.families.first().map(|family| family.name.as_str());
        let is_wanted =
            |family: &&Family| wanted.contains(&family.name.as_str()) || first == Some(family.name.as_str());
        Self { families: self.families.iter().filter(is_wanted).cloned().collect() }
    }

    /// The name of the family that a language is drawn in.
    pub(crate) fn family_for(&self, language: &str) -> &str {
        self.find(language).map_or("", |family| family.name.as_str())
    }

    /// How the lines of a language are set.
    pub fn lines_for(&self, language: &str) -> Lines {
        self.find(language).map_or(
            Lines { em: Lines::LEAST_EM, factor: 1.0, max_em: 16.0, low: 0.0, scale: 1.0 },
            |family| family.lines,
        )
    }

    /// The bytes of both weights that a language is drawn in.
    pub fn faces_for(&self, language: &str) -> [&[u8]; 2] {
        self.find(language).map_or([&[]; 2], Family::faces)
    }

    /// The characters of a text that its language's family lacks, in regular or in bold. Latin letters, digits and the signs that only say
    /// where a line may break are never missing: the first family stands in.
    pub fn missing(&self, language: &str, text: &str) -> Vec<char> {
        let Some(drawn) = self.find(language).map(Family::drawn) else { return Vec::new() };
        let drawn = |c| drawn(c) || c == '\n' || stands_in(c);
        let looked_up = contained(|| text.chars().filter(|c| !drawn(*c)).collect());
        // A font whose characters cannot be looked up has none.
        let mut missing: Vec<char> =
            looked_up.unwrap_or_else(|_| text.chars().filter(|c| !stands_in(*c) && *c != '\n').collect());
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Sets texts of a language and draws each of their glyphs, to learn whether the libraries that draw the pages survive the font.
    ///
    /// # Errors
    /// They do not.
    pub(crate) fn try_out(&self, language: &str, texts: &[&str]) -> Result<(), Panicked> {
        contained(|| {
            #[cfg(feature = "kiosk")]
            {
                let ruler = Ruler::new(self);
                for (text, bold) in texts.iter().flat_map(|text| [(text, false), (text, true)]) {
                    ruler.measure(language, text, bold, 20.0);
                }
            }
            for font in self.faces_for(language).into_iter().filter_map(|bytes| FontRef::new(bytes).ok()) {
                let (map, outlines) = (font.charmap(), font.outline_glyphs());
                let glyphs = texts.iter().flat_map(|text| text.chars()).filter_map(|c| map.map(c));
                for outline in glyphs.filter_map(|glyph| outlines.get(glyph)) {
                    // A glyph that cannot be drawn is a gap, which `missing` and the audit of the pages judge.
                    _ = outline
                        .draw(DrawSettings::unhinted(Size::new(32.0), LocationRef::default()), &mut NullPen);
                }
            }
        })
    }

    /// The family of a tag, else of what stands in for the tag: `zh-Hant-MO`, `zh-Hant`, `zh-TW`, `zh`.
    fn find(&self, language: &str) -> Option<&Family> {
        let serves = |tag: &String| {
            self.families.iter().find(|family| family.languages.iter().any(|known| tags::is(known, tag)))
        };
        tags::fallbacks(language).iter().find_map(serves).or(self.families.first())
    }
}

/// What the first family has and gives to a line of another one. A shipped family has these itself.
fn stands_in(c: char) -> bool {
    c.is_ascii_graphic()
        || matches!(c, ' ' | '\u{a0}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{2066}'..='\u{2069}')
}

/// Languages, name, lines, regular, bold. How the files are made: assets/fonts/subset.py. A family is not looked into before something is
/// drawn in it: what is touched of the program file is memory.
type Shipped = (&'static [&'static str], &'static str, Setting, &'static [u8], &'static [u8]);

/// How far apart lines are and how long, and how far letters stand below their middle; how far apart the font wants them; how high its
/// capital H is. All in em.
type Setting = ((f32, f32, f32), f32, f32);

/// Ideographs, and Latin letters beside them.
const HAN: Setting = ((1.31, 18.0, 0.06), 1.448, CAPITAL_EM);
/// Letters with marks above and below.
const UYGHUR: Setting = ((1.37, 14.5, 0.0), 1.62, 0.714);
/// Stacks of letters: nearer, and those of two lines touch.
const TIBETAN: Setting = ((1.82, 18.0, -0.12), 1.96, 0.714);

const SHIPPED: [Shipped; 5] = [
    (
        &["zh-CN", "zh", "en"],
        "Noto Sans SC",
        HAN,
        include_bytes!("../assets/fonts/NotoSansSC-Regular.ttf"),
        include_bytes!("../assets/fonts/NotoSansSC-Bold.ttf"),
    ),
    (
        &["zh-TW", "zh-HK", "zh-MO", "zh-Hant"],
        "Noto Sans TC",
        HAN,
        include_bytes!("../assets/fonts/NotoSansTC-Regular.ttf"),
        include_bytes!("../assets/fonts/NotoSansTC-Bold.ttf"),
    ),
    (
        &["ug"],
        "Xinsheng Uyghur",
        UYGHUR,
        include_bytes!("../assets/fonts/XinshengUyghur-Regular.ttf"),
        include_bytes!("../assets/fonts/XinshengUyghur-Bold.ttf"),
    ),
    (
        &["bo"],
        "Xinsheng Tibetan",
        TIBETAN,
        include_bytes!("../assets/fonts/XinshengTibetan-Regular.ttf"),
        include_bytes!("../assets/fonts/XinshengTibetan-Bold.ttf"),
    ),
    (
        &["ja"],
        "Noto Sans JP",
        HAN,
        include_bytes!("../assets/fonts/NotoSansJP-Regular.ttf"),
        include_bytes!("../assets/fonts/NotoSansJP-Bold.ttf"),
    ),
];

#[cfg(test)]
mod tests {
    use skrifa::raw::TableProvider as _;

    use super::*;

    /// `Xinsheng Uyghur`, because it is small.
    fn file(weight: &str) -> Vec<u8> {
        let [regular, bold] = Fonts::shipped().faces_for("ug").map(<[u8]>::to_vec);
        if weight == "bold" { bold } else { regular }
    }

    #[test]
    fn each_language_has_its_family_and_any_other_one_the_first() {
        let fonts = Fonts::shipped();
        for (language, family) in [
            ("zh-CN", "Noto Sans SC"),
            ("en-GB", "Noto Sans SC"),
            ("fr", "Noto Sans SC"),
            ("zh-TW", "Noto Sans TC"),
            ("zh-Hant-MO", "Noto Sans TC"),
            ("ug-CN", "Xinsheng Uyghur"),
            ("bo", "Xinsheng Tibetan"),
            ("ja-JP", "Noto Sans JP"),
        ] {
            assert_eq!(fonts.family_for(language), family, "{language}");
        }
    }

    #[test]
    fn a_shipped_font_is_what_its_entry_says_and_has_what_every_line_needs() {
        let common = (' '..='~').chain("·…“”’€°×±\u{a0}\u{200b}\u{2060}".chars());
        for family in Fonts::shipped().families() {
            let read = Family::read("xx", family.faces()[1].to_vec(), Some(family.faces()[0].to_vec()))
                .expect("a family");
            assert_eq!(read.name, family.name);
            assert_eq!(read.faces(), family.faces(), "regular and bold are where they belong");
            let natural = Lines::new(family.faces()[0]);
            let (em, set) = (family.lines.em, family.lines);
            assert!((em / set.factor - natural.em / natural.factor).abs() < 1e-3, "{}", family.name);
            assert!((set.scale - natural.scale).abs() < 1e-3, "{}: {natural:?}", family.name);
            let drawn = family.drawn();
            for c in common.clone() {
                assert!(drawn(c), "{}: {c:?}", family.name);
            }
            for bytes in family.faces() {
                let font = FontRef::new(bytes).expect("a font");
                let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
                for c in ['\u{200b}', '\u{2060}'] {
                    let glyph = font.charmap().map(c).expect("is there");
                    assert_eq!(
                        metrics.advance_width(glyph),
                        Some(0.0),
                        "{}: {c:?} takes no room",
                        family.name
                    );
                }
            }
        }
    }

    #[test]
    fn the_scripts_that_need_it_can_be_shaped() {
        let fonts = Fonts::shipped();
        let joining = ["ccmp", "init", "medi", "fina", "rlig"];
        let stacking = ["abvs", "blws"];
        for (language, features) in [("ug", &joining[..]), ("bo", &stacking[..])] {
            for bytes in fonts.faces_for(language) {
                let font = FontRef::new(bytes).expect("a font");
                let list = font.gsub().and_then(|table| table.feature_list()).expect("has substitutions");
                let tags: Vec<String> =
                    list.feature_records().iter().map(|record| record.feature_tag().to_string()).collect();
                assert!(features.iter().all(|tag| tags.iter().any(|has| has == tag)), "{language}: {tags:?}");
                assert!(font.gpos().is_ok(), "{language}: marks have their places");
            }
        }
    }

    #[test]
    fn a_character_is_looked_for_in_the_font_of_the_language_it_is_written_in() {
        let fonts = Fonts::shipped();
        let missing = |language, text| String::from_iter(fonts.missing(language, text));
        assert_eq!(missing("zh-CN", "药房\n24 h"), "");
        assert_eq!(missing("ug", "药房 24 h"), "房药");
        assert_eq!(missing("zh-CN", "دورا"), "ادرو");
        assert_eq!(missing("ja", "薬🙂🙂"), "🙂");
    }

    #[cfg(feature = "kiosk")]
    #[test]
    fn a_terminal_has_the_fonts_of_its_languages_and_the_one_that_stands_in() {
        let names = |languages: &[&str]| -> Vec<String> {
            let only = Fonts::shipped().only(languages.iter().copied());
            only.families().iter().map(|family| family.name.clone()).collect()
        };
        assert_eq!(names(&["en"]), ["Noto Sans SC"]);
        assert_eq!(names(&["bo", "zh-CN"]), ["Noto Sans SC", "Xinsheng Tibetan"]);
    }

    #[test]
    fn an_added_family_takes_its_language_over() {
        let mut fonts = Fonts::shipped();
        fonts.add(Family::read("en", file("regular"), None).expect("a family"));
        assert_eq!(fonts.family_for("en"), "Xinsheng Uyghur (en)", "two families never share a name");
        assert_eq!(fonts.family_for("zh-CN"), "Noto Sans SC");
        assert_eq!(fonts.missing("en", "药"), ['药']);
    }

    #[test]
    fn a_file_that_cannot_be_used_says_why() {
        let broken = Family::read("xx", b"<html>".to_vec(), None).map(|family| family.name);
        assert!(matches!(broken, Err(FontError::Unreadable(_))), "{broken:?}");
        let twice = Family::read("xx", file("regular"), Some(file("regular"))).map(|family| family.name);
        assert_eq!(twice, Err(FontError::SameWeight));
        let collection = Family::read("xx", b"ttcf\0\x01\0\0\0\0\0\x01\0\0\0\x10".to_vec(), None);
        assert!(matches!(collection, Err(FontError::Collection)), "{collection:?}");
    }

    /// What a terminal does with a font that staff put beside kiosk.toml: read it, look glyphs up, measure names with it.
    fn used(bytes: Vec<u8>) -> Result<String, FontError> {
        let family = Family::read("ug", bytes, None)?;
        let mut fonts = Fonts::shipped();
        fonts.add(family);
        let _ = fonts.missing("ug", "دورا 24 h");
        #[cfg(feature = "kiosk")]
        let _ = Ruler::new(&fonts).measure("ug", "دورا 24 h", false, 8.0);
        Ok(fonts.family_for("ug").to_owned())
    }

    #[test]
    fn a_font_cut_off_anywhere_is_refused_or_used_and_never_ends_the_program() {
        let font = file("regular");
        assert!(
            used(Vec::new()).is_err()
                && used(font[..4].to_vec()).is_err()
                && used(font[..300].to_vec()).is_err()
        );
        for part in 1..200 {
            let _ = used(font[..font.len() * part / 200].to_vec());
        }
    }

    /// Found by the fuzz target: a table of characters that claims more groups than the file has bytes.
    #[test]
    fn a_font_whose_table_claims_more_than_the_file_has_never_ends_the_program() {
        let _ = used(include_bytes!("../fuzz/corpus/font/more-groups-than-bytes").to_vec());
    }

    /// Found by the fuzz target: a slant of the least number there is, which cannot be negated.
    #[test]
    fn a_font_whose_slant_is_out_of_range_never_ends_the_program() {
        let _ = used(include_bytes!("../fuzz/corpus/font/least-slant").to_vec());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 300, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(17), ..Default::default() })]

        #[test]
        fn a_font_changed_anywhere_is_refused_or_used_and_never_ends_the_program(
            edits in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), 0..3_u8, proptest::prelude::any::<u8>()), 1..12),
        ) {
            let mut font = file("regular");
            for (at, part, byte) in edits {
                // The head, the tables that a font begins with, and all of it: most of a font is outlines, which hide the rest.
                let range = [300, 8_000, font.len()][usize::from(part)].min(font.len());
                let at = at.index(range);
                font[at] = byte;
            }
            let _ = used(font);
        }
    }
}
