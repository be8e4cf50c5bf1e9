//! Every page that one terminal shows, as its configuration makes it: its questions, reasons and places, in its languages.
//!
//! The [`Gallery`](super::gallery::Gallery) has every page there is; a [`Tour`] has those of one terminal and knows which key of the
//! configuration each comes from.

use std::collections::BTreeSet;

use super::{gallery::staff::Sheet, stage::Stage};
use crate::{
    config::{KeyAt, KioskSetup},
    fonts::Fonts,
    kiosk::{
        look,
        pages::{self, ChoicePage, Glass, Speaker, View},
        second_below,
    },
    lang::{Languages, Text, unbroken, unmarked},
    model::Lang,
    panel::{Corner, Grid, Panel},
    questionnaire::{Question, Questionnaire, Texts, Touchpoint},
    survey::{HeldStage, HelpStage, OutOfHours, OutOfService, Page, Plan},
    terminal::{Setup, setup_of},
    theme::Palette,
};

/// Entries that are held in memory on the page that is judged: as many digits as there can be.
pub(super) const HELD_SHOWN: u64 = 500;

/// The countdowns of the pages begin with so much.
const LEFT_MS: u64 = 20_000;

/// The pages of a terminal.
pub struct Tour {
    setup: Setup,
    languages: Languages,
    /// A choice of reasons: cards that are chosen and cards that are not.
    some: BTreeSet<usize>,
}

/// A page in one language.
#[derive(Debug)]
pub struct Stop<'a> {
    /// For people, such as "question `overall` of `ward@1`".
    pub name: String,
    /// The visitor's language.
    pub lang: &'a Lang,
    /// Its layout and its drawings show here for the first time: what does not depend on words need not be looked at again.
    pub first: bool,
    /// What of the configuration decides how much there is on the page; `None`: nothing, its words are the program's own.
    pub key: Option<KeyAt>,
    texts: Vec<(KeyAt, &'a Texts)>,
    content: Content<'a>,
    place: Option<&'a Touchpoint>,
}

/// What shows.
#[derive(Clone, Debug)]
enum Content<'a> {
    Patient(Page<'a>),
    /// A page of the list of places, from 0.
    Places(usize),
    Staff(Sheet),
}

impl Tour {
    /// The pages of a configuration.
    pub fn of(setup: &KioskSetup, languages: Languages) -> Self {
        Self { setup: setup_of(setup), languages, some: [0, 2].into() }
    }

    /// The fonts, for the stage.
    pub fn fonts(&self) -> &Fonts {
        &self.languages.fonts
    }

    /// The glass.
    pub fn panel(&self) -> &Panel {
        &self.setup.panel
    }

    /// Targets in the lower part of the glass.
    pub fn low_reach(&self) -> bool {
        self.setup.low_reach
    }

    /// Languages on offer, the default first.
    pub(crate) fn langs(&self) -> &[Lang] {
        &self.plan().languages
    }

    /// What shows smaller below a language.
    pub fn second(&self, lang: &Lang) -> Option<&Lang> {
        second_below(lang, self.langs(), self.setup.second_language.as_ref())
    }

    /// Whether lines of a language run from right to left.
    pub fn right_to_left(&self, lang: &Lang) -> bool {
        self.languages.catalogue.right_to_left(lang.as_str())
    }

    /// The colours by day, and at night where there are others.
    pub(crate) fn palettes(&self) -> Vec<Palette> {
        let look = &self.setup.look;
        let night = look.night.map(|_| crate::theme::Theme::Night).filter(|night| *night != look.theme);
        [Some(look.theme), night].into_iter().flatten().map(|theme| theme.palette(look.accent)).collect()
    }

    /// Makes a stage this terminal.
    pub fn furnish(&self, stage: &mut Stage) {
        stage.lay_out(self.panel(), self.low_reach());
        look::set_logo(stage.window(), &self.setup.look);
    }

    /// Every page in every language, for a furnished stage.
    pub fn stops<'a>(&'a self, glass: &Glass) -> Vec<Stop<'a>> {
        let mut stops: Vec<Stop<'a>> = Vec::new();
        for lang in self.langs() {
            stops.extend(self.places_stops(glass, lang));
            stops.extend(self.asked_stops(lang));
            stops.extend(self.other_stops(lang));
        }
        let mut seen = BTreeSet::new();
        for stop in &mut stops {
            stop.first = seen.insert(stop.layout());
        }
        stops
    }

    /// Puts a page on a furnished stage.
    pub fn show(&self, stage: &Stage, stop: &Stop<'_>) {
        stage.clear();
        let (plan, speaker) = (self.plan(), self.speaker(stop.lang));
        let choice = match &stop.content {
            Content::Places(number) => {
                ChoicePage { number: *number, grid: self.grid(stage.glass(), stop.lang) }
            }
            Content::Patient(_) | Content::Staff(_) => {
                ChoicePage { number: 0, grid: Grid { columns: 1, rows: 1 } }
            }
        };
        let page = match &stop.content {
            Content::Patient(page) => page.clone(),
            Content::Places(_) => Page::Choice(self.places().collect()),
            // The self-test marks the buttons of the question that it finds on the page.
            Content::Staff(Sheet::SelfTest) => self.first_question().unwrap_or(Page::Attract),
            Content::Staff(_) => Page::Attract,
        };
        let view = View {
            page,
            speaker,
            place: stop.place,
            hospital: self.site().map(|site| &site.name),
            languages: &plan.languages,
            choice,
            help: plan.help,
            left_ms: LEFT_MS,
            badge: None,
        };
        match &stop.content {
            Content::Staff(sheet) => sheet.show(view, &plan.hospital, stage.window(), stage.glass()),
            Content::Patient(_) | Content::Places(_) => pages::show(&view, stage.window()),
        }
        stage.settle();
    }

    fn plan(&self) -> &Plan {
        &self.setup.plan
    }

    fn speaker<'a>(&'a self, lang: &'a Lang) -> Speaker<'a> {
        let Languages { catalogue, fonts, .. } = &self.languages;
        Speaker { catalogue, fonts, lang, second: self.second(lang) }
    }

    fn places(&self) -> impl Iterator<Item = &Touchpoint> {
        self.plan().touchpoints.iter().filter_map(|id| self.plan().hospital.touchpoint(id))
    }

    fn site(&self) -> Option<&crate::questionnaire::Site> {
        self.plan().hospital.site(&self.places().next()?.site)
    }

    fn asked(&self, place: &Touchpoint) -> Option<&Questionnaire> {
        self.plan().hospital.questionnaire(&place.questionnaire)
    }

    fn first_question(&self) -> Option<Page<'_>> {
        let question = self.asked(self.places().next()?)?.questions.first()?;
        Some(Page::Question { question, number: (1, 1), pressed: None })
    }

    /// How the list of places lies, as the running screen works it out.
    fn grid(&self, glass: &Glass, lang: &Lang) -> Grid {
        let speaker = self.speaker(lang);
        let names: Vec<String> = self.places().map(|place| place.name.get(lang).to_owned()).collect();
        let corner = Corner::Patient(self.plan().help.then_some(speaker.text(Text::HelpButton)));
        speaker.grid(glass, Text::ChoiceTitle, &names, corner)
    }

    /// The invitation and the list, where they show at all.
    fn places_stops<'a>(&'a self, glass: &Glass, lang: &'a Lang) -> Vec<Stop<'a>> {
        if self.plan().rests_on_question() {
            return Vec::new();
        }
        let named =
            self.site().map(|site| (KeyAt::hospital(&["site", site.id.as_str(), "name"]), &site.name));
        let attract = Stop {
            texts: named.into_iter().collect(),
            ..Stop::new("page `attract`".to_owned(), lang, Content::Patient(Page::Attract))
        };
        let (count, per_page) = (self.places().count(), self.grid(glass, lang).per_page());
        let lists = if count > 1 { count.div_ceil(per_page.max(1)) } else { 0 };
        let list = |number| Stop {
            key: Some(KeyAt::kiosk(&["touchpoints"])),
            texts: self.places().map(name_of).collect(),
            ..Stop::new(format!("page {} of the list of places", number + 1), lang, Content::Places(number))
        };
        [attract].into_iter().chain((0..lists).map(list)).collect()
    }

    /// Questions and reasons of every place.
    fn asked_stops<'a>(&'a self, lang: &'a Lang) -> Vec<Stop<'a>> {
        let mut stops = Vec::new();
        for place in self.places() {
            let Some(asked) = self.asked(place) else { continue };
            let of = asked.id.to_string();
            let key = KeyAt::hospital(&["questionnaire", &of, "question"]);
            for (i, question) in asked.questions.iter().enumerate() {
                let (key, name) = (key.then(&question.id), format!("question `{}` of `{of}`", question.id));
                let page = Page::Question { question, number: (i + 1, asked.questions.len()), pressed: None };
                stops.push(Stop {
                    key: Some(key.then("scale")),
                    texts: vec![(key.then("text"), &question.text), name_of(place)],
                    place: Some(place),
                    ..Stop::new(name.clone(), lang, Content::Patient(page))
                });
                stops.extend(self.reasons_stops(&key, &name, question, place, lang));
            }
        }
        stops
    }

    fn reasons_stops<'a>(
        &'a self,
        key: &KeyAt,
        name: &str,
        question: &'a Question,
        place: &'a Touchpoint,
        lang: &'a Lang,
    ) -> Vec<Stop<'a>> {
        let stop = |(i, group): (usize, &'a crate::questionnaire::ReasonGroup)| {
            let key = key.then("reasons").then(&i);
            let reasons = group
                .reasons
                .iter()
                .map(|reason| (KeyAt::hospital(&["reason", reason.id.as_str(), "text"]), &reason.text));
            let values: Vec<String> = group.values.iter().map(ToString::to_string).collect();
            let page = Page::Reasons { group, selected: &self.some, saving: false };
            let name = format!("reasons for {} at {name}", values.join(", "));
            Stop {
                key: Some(key.then("choices")),
                texts: [(key.then("prompt"), &group.prompt), name_of(place)]
                    .into_iter()
                    .chain(reasons)
                    .collect(),
                place: Some(place),
                ..Stop::new(name, lang, Content::Patient(page))
            }
        };
        question.reasons.iter().enumerate().map(stop).collect()
    }

    /// What every terminal shows, as far as this one does. At the head stands the longest name of a place.
    fn other_stops<'a>(&'a self, lang: &'a Lang) -> Vec<Stop<'a>> {
        let plan = self.plan();
        let longest = self.places().max_by_key(|place| unbroken(place.name.get(lang)).chars().count());
        let mut pages = vec![
            ("thanks", Page::Thanks { another: plan.touchpoints.len() > 1 }),
            ("still-there", Page::StillThere { until_ms: 0 }),
            ("cleaning", Page::Cleaning { until_ms: 0 }),
            ("still-saving", Page::StillSaving),
            ("held", Page::Held(HeldStage::Sending)),
            ("held-received", Page::Held(HeldStage::Received)),
            ("held-waiting", Page::Held(HeldStage::Waiting { unsaved: HELD_SHOWN })),
            ("not-stored", Page::NotStored),
            ("out-of-service", Page::OutOfService(OutOfService::Storage)),
            ("not-set-up", Page::OutOfService(OutOfService::NotSetUp)),
        ];
        if plan.languages.len() > 1 {
            pages.push(("language", Page::Language(&plan.languages)));
        }
        if plan.help {
            pages.push(("help-calling", Page::Help(HelpStage::Calling)));
            pages.push(("help-told", Page::Help(HelpStage::Told)));
            pages.push(("help-untold", Page::Help(HelpStage::Untold)));
        }
        match plan.out_of_hours {
            OutOfHours::Ask => {}
            OutOfHours::Offer => pages.push(("closed", Page::Closed { rate: true })),
            OutOfHours::Close => pages.push(("closed", Page::Closed { rate: false })),
        }
        let patient = pages.into_iter().map(|(name, page)| Stop {
            texts: longest.map(name_of).into_iter().collect(),
            place: longest,
            ..Stop::new(format!("page `{name}`"), lang, Content::Patient(page))
        });
        // The self-test shows this terminal's own question, whatever it is asked on.
        let sheets = Sheet::all().filter(|sheet| *sheet != Sheet::SelfTestKeys);
        let staff = sheets
            .map(|sheet| Stop::new(format!("staff page `{}`", sheet.name()), lang, Content::Staff(sheet)));
        patient.chain(staff).collect()
    }
}

impl<'a> Stop<'a> {
    /// A page whose words are the program's own.
    fn new(name: String, lang: &'a Lang, content: Content<'a>) -> Self {
        Self { name, lang, first: false, key: None, texts: Vec::new(), content, place: None }
    }

    /// The text of the configuration that was measured, by its words as they were drawn or are spoken.
    pub(crate) fn text_key(&self, words: &str, second: Option<&Lang>) -> Option<KeyAt> {
        let wanted = letters(words);
        let in_lang = |lang: &Lang| {
            let same = |(_, texts): &&(KeyAt, &Texts)| letters(texts.get(lang)) == wanted;
            self.texts.iter().find(same).map(|(key, _)| key.then(lang))
        };
        if wanted.is_empty() { None } else { in_lang(self.lang).or_else(|| second.and_then(in_lang)) }
    }

    /// What there could be less of on the page, as advice.
    pub fn fewer(&self) -> Option<&'static str> {
        match &self.content {
            Content::Patient(Page::Question { question, .. }) if question.scale.levels().len() > 2 => {
                Some("ask on a scale with fewer levels")
            }
            Content::Patient(Page::Reasons { group, .. }) if group.reasons.len() > 2 => {
                Some("offer fewer reasons")
            }
            Content::Places(_) => Some("rate fewer places here"),
            Content::Patient(_) | Content::Staff(_) => None,
        }
    }

    /// What pages have in common that differ in nothing but words.
    fn layout(&self) -> String {
        match &self.content {
            Content::Patient(Page::Question { question, .. }) => question.scale.name().to_owned(),
            Content::Patient(Page::Reasons { .. }) => "reasons".to_owned(),
            Content::Places(_) => "places".to_owned(),
            Content::Patient(_) | Content::Staff(_) => self.name.clone(),
        }
    }
}

/// A place's name and where it is configured.
fn name_of(place: &Touchpoint) -> (KeyAt, &Texts) {
    (KeyAt::hospital(&["touchpoint", place.id.as_str(), "name"]), &place.name)
}

/// A text without marks and spaces, which differ between the file, the page and what is spoken.
fn letters(text: &str) -> String {
    unmarked(text).split_whitespace().collect()
}
