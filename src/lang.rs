//! The words of the pages in every language: gettext files `assets/lang/<tag>/kiosk.po` and `central.po`, embedded.
//!
//! Two languages show at once, and a language can be added beside the program, so the pages hold no text of their own: each takes its
//! lines from here. The source text is English and stands in for whatever a language lacks. A `\n` in a text marks where a line may
//! break: by meaning, never inside a word. A text of the pages may hold `{n}`, which [`Words::with`] fills in.
//!
//! Pure but for `added`, which reads the folders that staff put beside kiosk.toml (feature `terminal`). No bytes of a file make anything here
//! panic: a file with a mistake is refused with its line.

#[cfg(feature = "terminal")]
mod added;
mod catalogue;
mod central;
mod kiosk;
mod list;
#[cfg(feature = "terminal")]
mod phrases;
mod po;
#[cfg(feature = "terminal")]
mod words;

#[cfg(feature = "terminal")]
pub use added::Languages;
pub use catalogue::{Catalogue, LangError};
pub use central::CentralText;
pub use kiosk::Text;
pub use list::Texts;
#[cfg(feature = "terminal")]
pub use phrases::{breakable, loose, unbroken, unmarked};
pub use po::{PoError, read as read_po};
#[cfg(feature = "terminal")]
pub use words::Words;

#[cfg(feature = "terminal")]
const SHIPPED: [(&str, &str); 6] = [
    ("zh-CN", include_str!("../assets/lang/zh-CN/kiosk.po")),
    ("zh-TW", include_str!("../assets/lang/zh-TW/kiosk.po")),
    ("en", include_str!("../assets/lang/en/kiosk.po")),
    ("ug", include_str!("../assets/lang/ug/kiosk.po")),
    ("bo", include_str!("../assets/lang/bo/kiosk.po")),
    ("ja", include_str!("../assets/lang/ja/kiosk.po")),
];

#[cfg(feature = "terminal")]
impl Catalogue<Text> {
    /// The languages of the terminal's pages that come with the program.
    ///
    /// # Errors
    /// The program itself is broken.
    pub fn shipped() -> Result<Self, LangError> {
        Self::of(&SHIPPED)
    }
}

#[cfg(all(test, feature = "terminal"))]
mod tests;
