//! A picture of every page, taken while a scripted visitor walks through them.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a scripted visitor looks for one page; all others are the wrong one"
)]

use std::{
    cell::Cell,
    collections::BTreeSet,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
};

use anyhow::{Context, anyhow};

use super::{SimPanel, visitor::Visitor};
use crate::{
    clock::SimClock,
    kiosk::{Parts, look::Look},
    lang::{Catalogue, Text, unbroken},
    model::{Lang, Polarity, Scale, TouchpointId},
    panel::Panel,
    questionnaire::Hospital,
    survey::{OutOfHours, Page, Plan, Start, Timing},
};

/// Writes one PNG a page and language into a folder, and returns their paths. Runs on a thread of its own, since a thread has one
/// screen.
///
/// # Errors
/// A page that cannot be reached or a file that cannot be written.
pub fn save_all(
    hospital: Arc<Hospital>,
    panel: Panel,
    clock: Arc<SimClock>,
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let folder = folder.to_owned();
    let walk = std::thread::spawn(move || {
        let mut paths = Vec::new();
        let mut gallery = Gallery::new(&hospital, panel, clock, folder)?;
        for language in 0..hospital.languages.len() {
            gallery.walk(language)?;
        }
        paths.append(&mut gallery.paths);
        anyhow::Ok(paths)
    });
    walk.join().map_err(|_| anyhow!("the walk through the pages panicked"))?
}

struct Gallery {
    panel: SimPanel,
    words: Catalogue,
    fails: Rc<Cell<bool>>,
    folder: PathBuf,
    paths: Vec<PathBuf>,
    places: Vec<(TouchpointId, Scale)>,
}

impl Gallery {
    fn new(
        hospital: &Arc<Hospital>,
        panel: Panel,
        clock: Arc<SimClock>,
        folder: PathBuf,
    ) -> anyhow::Result<Self> {
        let fails = Rc::new(Cell::new(false));
        let failing = fails.clone();
        let plan = Plan {
            hospital: hospital.clone(),
            touchpoints: hospital.touchpoints.iter().map(|place| place.id.clone()).collect(),
            languages: hospital.languages.clone(),
            start: Start::Attract,
            timing: Timing::default(),
            out_of_hours: OutOfHours::default(),
            help: true,
        };
        let second_language = hospital.languages.get(1).cloned();
        let panel = SimPanel::new(panel, clock, |clock| Parts {
            plan,
            catalogue: Catalogue::shipped().unwrap_or_default(),
            fonts: crate::fonts::Fonts::shipped(),
            second_language,
            panel,
            low_reach: false,
            look: Look::default(),
            full_screen: false,
            clock,
            staff: crate::kiosk::staff::StaffParts::none(),
            sound: crate::sound::SoundHandle::silent(),
            store: Box::new(move |_, reply| reply(!failing.get())),
        })?;
        Ok(Self {
            panel,
            words: Catalogue::shipped()?,
            fails,
            folder,
            paths: Vec::new(),
            places: one_place_a_scale(hospital),
        })
    }

    fn walk(&mut self, language: usize) -> anyhow::Result<()> {
        let lang = self.choose_language(language)?;
        self.shoot(&lang, "1-attract")?;
        self.tap(Text::AttractStart)?;
        self.shoot(&lang, "2-choice")?;
        for (n, (place, scale)) in self.places.clone().into_iter().enumerate() {
            if n > 0 {
                self.tap(Text::ThanksAnother)?;
            }
            self.visit(&lang, &place, scale, n == 0)?;
        }
        self.shoot(&lang, "5-thanks")?;
        self.panel.advance(Timing::default().undo_ms);
        self.tap_if_attract()?;
        self.panel.advance(Timing::default().idle_ms);
        self.shoot(&lang, "6-still-there")?;
        self.panel.advance(Timing::default().warning_ms);
        self.not_stored(&lang)
    }

    /// Opens the list of languages, takes its picture, and chooses.
    fn choose_language(&mut self, language: usize) -> anyhow::Result<Lang> {
        self.tap(Text::LanguageButton)?;
        let lang = self
            .panel
            .kiosk()
            .with_survey(|survey| survey.plan().languages.get(language).cloned())
            .context("no such language")?;
        self.shoot(&lang, "7-language")?;
        let name = self.words.name(lang.as_str()).to_owned();
        self.panel.tap(&name)?;
        Ok(lang)
    }

    fn visit(
        &mut self,
        lang: &Lang,
        place: &TouchpointId,
        scale: Scale,
        reasons: bool,
    ) -> anyhow::Result<()> {
        let mut visitor = Visitor::new(&mut self.panel, &self.words, &|| Ok(()));
        visitor.pick(place)?;
        self.shoot(lang, &format!("3-question-{scale}"))?;
        let levels = scale.levels();
        let worst = levels.iter().find(|level| level.polarity == Polarity::Negative).map(|level| level.value);
        let mut visitor = Visitor::new(&mut self.panel, &self.words, &|| Ok(()));
        visitor.answer(worst.context("a scale without a bad end")?)?;
        let asked_why =
            self.panel.kiosk().with_survey(|survey| matches!(survey.page(), Page::Reasons { .. }));
        if reasons && asked_why {
            self.choose_some_reasons()?;
            self.shoot(lang, "4-reasons")?;
        }
        Visitor::new(&mut self.panel, &self.words, &|| Ok(())).finish()
    }

    fn choose_some_reasons(&mut self) -> anyhow::Result<()> {
        let some: Vec<String> = self.panel.kiosk().with_survey(|survey| match survey.page() {
            Page::Reasons { group, .. } => {
                group.reasons.iter().step_by(2).take(2).map(|r| unbroken(r.text.get(survey.lang()))).collect()
            }
            _ => Vec::new(),
        });
        for reason in some {
            self.panel.advance(1_000);
            self.panel.tap(&reason)?;
        }
        Ok(())
    }

    fn not_stored(&mut self, lang: &Lang) -> anyhow::Result<()> {
        self.panel.advance(Timing::default().idle_ms);
        self.tap_if_attract()?;
        let (place, scale) = self.places.first().cloned().context("no touchpoint")?;
        Visitor::new(&mut self.panel, &self.words, &|| Ok(())).pick(&place)?;
        self.fails.set(true);
        let level = scale.levels().first().map(|level| level.value).context("an empty scale")?;
        Visitor::new(&mut self.panel, &self.words, &|| Ok(())).answer(level)?;
        self.panel.settle();
        self.shoot(lang, "8-not-stored")?;
        self.fails.set(false);
        self.panel.advance(Timing::default().not_stored_ms);
        Ok(())
    }

    fn tap_if_attract(&mut self) -> anyhow::Result<()> {
        self.panel.settle();
        if self.panel.kiosk().with_survey(|survey| survey.page() == Page::Attract) {
            self.tap(Text::AttractStart)?;
        }
        Ok(())
    }

    fn tap(&mut self, text: Text) -> anyhow::Result<()> {
        let label =
            self.panel.kiosk().with_survey(|survey| unbroken(self.words.text(survey.lang().as_str(), text)));
        self.panel.advance(1_000);
        self.panel.tap(&label)
    }

    fn shoot(&mut self, lang: &Lang, page: &str) -> anyhow::Result<()> {
        self.panel.settle();
        let path = self.folder.join(format!("{lang}-{page}.png"));
        self.panel.save_png(&path)?;
        self.paths.push(path);
        Ok(())
    }
}

/// For each scale that is asked first somewhere, one touchpoint; those that ask for reasons come first.
fn one_place_a_scale(hospital: &Hospital) -> Vec<(TouchpointId, Scale)> {
    let mut asked: Vec<(bool, TouchpointId, Scale)> = hospital
        .touchpoints
        .iter()
        .filter_map(|place| {
            let first = hospital.questionnaire(&place.questionnaire)?.questions.first()?;
            Some((first.reasons.is_empty(), place.id.clone(), first.scale))
        })
        .collect();
    asked.sort_by_key(|(without_reasons, _, _)| *without_reasons);
    let mut seen = BTreeSet::new();
    asked.into_iter().filter(|(_, _, scale)| seen.insert(*scale)).map(|(_, id, scale)| (id, scale)).collect()
}
