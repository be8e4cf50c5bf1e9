//! How much room a text takes: shaped and broken into lines by the same library as on the screen, without a screen.

use std::{cell::RefCell, collections::BTreeSet};

use parley::{
    FontContext, FontFamily, FontFamilyName, FontWeight, GenericFamily, Layout, LayoutContext, OverflowWrap,
    StyleProperty,
    fontique::{Collection, CollectionOptions, SourceCache},
};

use super::{Fonts, collect};

/// Texts are measured at this size, and told in em.
const EM: f32 = 100.0;

/// Measures texts in the fonts of a terminal.
pub struct Ruler {
    fonts: Fonts,
    inner: RefCell<Inner>,
}

struct Inner {
    fonts: FontContext,
    layouts: LayoutContext<()>,
    /// The families that something was measured in.
    known: BTreeSet<String>,
}

/// How much room a text takes, in em.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TextExtent {
    /// How many lines.
    pub lines: usize,
    /// The widest part that cannot be broken.
    pub word: f64,
    /// All of it on one line.
    pub whole: f64,
}

impl Ruler {
    /// Measures in these fonts.
    pub fn new(fonts: &Fonts) -> Self {
        let collection = Collection::new(CollectionOptions { shared: false, system_fonts: false });
        let context = FontContext { collection, source_cache: SourceCache::default() };
        let inner = Inner { fonts: context, layouts: LayoutContext::new(), known: BTreeSet::new() };
        Self { fonts: fonts.clone(), inner: RefCell::new(inner) }
    }

    /// How large a text is that wraps at a width.
    pub(crate) fn measure(&self, language: &str, text: &str, bold: bool, width_em: f64) -> TextExtent {
        let mut layout = self.layout(language, text, bold);
        let widths = layout.calculate_content_widths();
        #[expect(clippy::cast_possible_truncation, reason = "a width on a screen")]
        layout.break_all_lines(Some(width_em as f32 * EM));
        let em = |px: f32| f64::from(px / EM);
        TextExtent { lines: layout.len().max(1), word: em(widths.min), whole: em(widths.max) }
    }

    fn layout(&self, language: &str, text: &str, bold: bool) -> Layout<()> {
        let Inner { fonts, layouts, known } = &mut *self.inner.borrow_mut();
        if !known.contains(self.fonts.family_for(language)) {
            let needed = self.fonts.only([language]);
            collect(&needed, known, &mut fonts.collection, &[GenericFamily::SansSerif]);
        }
        let mut builder = layouts.ranged_builder(fonts, text, 1.0, false);
        let families = [
            FontFamilyName::named(self.fonts.family_for(language)),
            FontFamilyName::Generic(GenericFamily::SansSerif),
        ];
        builder.push_default(FontFamily::List(families.as_slice().into()));
        builder.push_default(StyleProperty::FontSize(EM));
        builder.push_default(StyleProperty::FontWeight(if bold {
            FontWeight::BOLD
        } else {
            FontWeight::NORMAL
        }));
        builder.push_default(StyleProperty::OverflowWrap(OverflowWrap::Normal));
        builder.build(text)
    }
}

impl std::fmt::Debug for Ruler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ruler").field("fonts", &self.fonts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::breakable;

    #[test]
    fn an_ideograph_is_an_em_and_breaks_where_it_may() {
        let ruler = Ruler::new(&Fonts::shipped());
        let extent = ruler.measure("zh-CN", "不满意", true, 2.0);
        assert_eq!((extent.lines, extent.whole), (2, 3.0));
        let held = ruler.measure("zh-CN", &breakable("非常\n不满意"), true, 4.0);
        assert_eq!((held.lines, held.word), (2, 3.0));
    }

    #[test]
    fn words_of_letters_are_not_broken() {
        let ruler = Ruler::new(&Fonts::shipped());
        let extent = ruler.measure("en", "Surgery waiting area", true, 5.0);
        assert_eq!(extent.lines, 3);
        assert!(extent.word > 3.0 && extent.word < 4.5, "{extent:?}");
    }

    #[test]
    fn joined_letters_take_less_room_than_single_ones() {
        let ruler = Ruler::new(&Fonts::shipped());
        let whole = |text: &str| ruler.measure("ug", text, false, 100.0).whole;
        let single: f64 = "دوختۇر".chars().map(|c| whole(&c.to_string())).sum();
        assert!(whole("دوختۇر") < single);
    }
}
