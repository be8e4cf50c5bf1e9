//! The texts of central's pages, named: the list that `central.po` of each language is checked against.

use super::{
    catalogue::{Catalogue, LangError},
    list::texts,
};

texts! {
    /// A text of central's pages, by what it is for.
    CentralText;
    /// Share of satisfied answers.
    Csat = "score", "satisfied";
    /// Share of those who found it easy.
    Ces = "score", "found it easy";
    /// Mean of the answers about effort.
    CesMean = "score", "mean ease";
    /// Promoters less detractors.
    Nps = "score", "NPS";
    /// Share of good answers to the Friends and Family Test.
    FftPositive = "score", "positive";
    /// Share of bad answers to the Friends and Family Test.
    FftNegative = "score", "negative";
    /// All answers on one scale from 0 to 100.
    Index = "score", "experience index";
    /// Share of smiling faces.
    Faces = "score", "smiling faces";
    /// Share of the three upper levels.
    GoodRate = "score", "good rating (levels 3–5)";
    /// Share of yes.
    SaidYes = "score", "said yes";
}

const SHIPPED: [(&str, &str); 2] = [
    ("zh-CN", include_str!("../../assets/lang/zh-CN/central.po")),
    ("en", include_str!("../../assets/lang/en/central.po")),
];

impl Catalogue<CentralText> {
    /// The languages of central's pages that come with the program.
    ///
    /// # Errors
    /// The program itself is broken.
    pub fn of_central() -> Result<Self, LangError> {
        Self::of(&SHIPPED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_central_has_every_text() {
        let catalogue = Catalogue::of_central().unwrap();
        for tag in catalogue.tags() {
            assert_eq!(catalogue.missing(tag), [], "{tag}");
        }
        assert_eq!(catalogue.text("zh-CN", CentralText::Csat), "满意率");
        assert_eq!(catalogue.text("en-GB", CentralText::Csat), "satisfied");
    }
}
