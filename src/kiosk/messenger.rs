//! How other threads tell the screen something: news is put into a channel, and the event loop is woken to take it in.

use std::sync::mpsc;

use slint::ComponentHandle;

use crate::{
    lang::Text,
    model::ChainId,
    staff,
    survey::{self, JournalPlace, StoreOutcome},
    terminal::{Screen, Setup},
    ui::{AppWindow, Shell},
};

/// News for the screen from other threads.
pub(super) enum News {
    Kept(survey::Token, StoreOutcome),
    Saved(ChainId),
    Setup(Box<Setup>),
    Badge(Option<Text>),
    Delivered(JournalPlace),
    StaffStored(staff::Token, bool),
    StaffAnswer(staff::Token, staff::Answer),
}

/// Lets other threads tell the screen something. Cheap to clone.
#[derive(Clone)]
pub struct Messenger {
    news: mpsc::Sender<News>,
    window: slint::Weak<AppWindow>,
}

impl Messenger {
    pub(super) fn new(news: mpsc::Sender<News>, window: slint::Weak<AppWindow>) -> Self {
        Self { news, window }
    }

    pub(super) fn staff_stored(&self, token: staff::Token, durable: bool) {
        self.tell(News::StaffStored(token, durable));
    }

    pub(super) fn tell(&self, news: News) {
        // Either fails only when the window is gone, and then nobody is there to be told.
        if self.news.send(news).is_ok() {
            let _ = self.window.upgrade_in_event_loop(|window| window.global::<Shell>().invoke_news());
        }
    }
}

impl Screen for Messenger {
    fn setup(&self, setup: Setup) {
        self.tell(News::Setup(Box::new(setup)));
    }

    fn badge(&self, text: Option<Text>) {
        self.tell(News::Badge(text));
    }

    fn delivered(&self, through: JournalPlace) {
        self.tell(News::Delivered(through));
    }

    fn saved(&self, chain: ChainId) {
        self.tell(News::Saved(chain));
    }

    fn staff_answer(&self, token: staff::Token, answer: staff::Answer) {
        self.tell(News::StaffAnswer(token, answer));
    }

    fn close(&self) {
        // It fails only when there is no loop to end, and then the program ends anyhow.
        let _ = slint::quit_event_loop();
    }
}
