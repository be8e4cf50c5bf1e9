//! What the handlers share.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono_tz::Tz;
use governor::{
    DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter, clock::Clock as _,
};
use serde::Serialize;
use tokio::sync::{Semaphore, broadcast};

use super::{
    error::ApiError,
    metrics::Metrics,
    settings::Settings,
    store::{Store, Terminal},
};
use crate::{
    chain,
    model::{SiteId, TerminalId},
    questionnaire::{Hospital, Site},
    sign::KeyPair,
};

/// Events a slow page may miss before it is told to look at everything again.
const EVENTS_KEPT: usize = 256;

/// Open pages: each holds a connection.
const PAGES_MAX: usize = 256;

/// Enrolments of all terminals together in a minute: guessing a code of fifteen digits then takes ten million years.
const ENROLMENTS_PER_MINUTE: u32 = 60;

/// Terminals whose site and rate are remembered before those idle for long are dropped.
const REMEMBERED_MAX: usize = 100_000;

/// Something a page wants to know at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    /// Counts changed.
    Scores {
        /// Where.
        site: SiteId,
    },
    /// A terminal was heard.
    Terminal {
        /// Where.
        site: SiteId,
        /// Which.
        terminal: TerminalId,
    },
    /// Something staff must know.
    Alarm {
        /// Where.
        site: SiteId,
    },
    /// Somebody called for help, or a call was answered.
    Help {
        /// Where.
        site: SiteId,
    },
    /// Central stops: pages connect again by themselves.
    Goodbye,
}

impl Event {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Scores { .. } => "scores",
            Self::Terminal { .. } => "terminal",
            Self::Alarm { .. } => "alarm",
            Self::Help { .. } => "help",
            Self::Goodbye => "goodbye",
        }
    }
}

/// The delivered configuration.
pub(super) struct Delivered {
    pub(super) etag: String,
    pub(super) text: Vec<u8>,
}

/// What the handlers share.
pub(super) struct App {
    pub(super) settings: Settings,
    pub(super) hospital: Arc<Hospital>,
    pub(super) store: Arc<dyn Store>,
    pub(super) key: KeyPair,
    pub(super) delivered: Option<Delivered>,
    pub(super) metrics: Metrics,
    pub(super) pages: Arc<Semaphore>,
    events: broadcast::Sender<Event>,
    serving: AtomicBool,
    by_terminal: DefaultKeyedRateLimiter<TerminalId>,
    enrolments: DefaultDirectRateLimiter,
    homes: Mutex<HashMap<TerminalId, SiteId>>,
}

impl App {
    pub(super) fn new(
        mut settings: Settings,
        hospital: Hospital,
        store: Arc<dyn Store>,
        key: KeyPair,
    ) -> Self {
        let delivered = settings
            .delivered
            .take()
            .map(|text| Delivered { etag: format!("\"{}\"", chain::sha256(&text)), text });
        Self {
            by_terminal: RateLimiter::keyed(quota(settings.config.limits.requests_per_minute)),
            enrolments: RateLimiter::direct(quota(
                NonZeroU32::new(ENROLMENTS_PER_MINUTE).unwrap_or(NonZeroU32::MIN),
            )),
            settings,
            hospital: Arc::new(hospital),
            store,
            key,
            delivered,
            metrics: Metrics::new(),
            pages: Arc::new(Semaphore::new(PAGES_MAX)),
            events: broadcast::Sender::new(EVENTS_KEPT),
            serving: AtomicBool::new(true),
            homes: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody may be looking.
        let _ = self.events.send(event);
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(super) fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Acquire)
    }

    /// Readiness goes off before the stop, and open pages are let go.
    pub(super) fn stop(&self) {
        self.serving.store(false, Ordering::Release);
        self.tell(Event::Goodbye);
    }

    /// Finds a terminal among the sites. Where it was found is remembered: names are never given twice.
    pub(super) async fn terminal(&self, id: &TerminalId) -> Result<Option<Terminal>, ApiError> {
        let home = self.homes.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(site) = home {
            return Ok(self.store.terminal(&site, id).await?);
        }
        for site in &self.hospital.sites {
            if let Some(terminal) = self.store.terminal(&site.id, id).await? {
                let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
                if homes.len() >= REMEMBERED_MAX {
                    homes.clear();
                }
                homes.insert(id.clone(), site.id.clone());
                return Ok(Some(terminal));
            }
        }
        Ok(None)
    }

    /// The site's time zone.
    pub(super) fn zone(&self, site: &SiteId) -> Tz {
        self.hospital.site(site).map_or(chrono_tz::UTC, |site| site.time_zone)
    }

    /// The sites a request is about: the one it names, or all.
    pub(super) fn sites(&self, wanted: Option<&str>) -> Result<Vec<&Site>, ApiError> {
        let Some(wanted) = wanted else { return Ok(self.hospital.sites.iter().collect()) };
        let found = self.hospital.sites.iter().find(|site| site.id.as_str() == wanted);
        found
            .map(|site| vec![site])
            .ok_or_else(|| ApiError::not_found(format!("there is no site `{wanted}`")))
    }

    /// Takes one request off a terminal's allowance.
    pub(super) fn allow(&self, terminal: &TerminalId) -> Result<(), ApiError> {
        if self.by_terminal.len() > REMEMBERED_MAX {
            self.by_terminal.retain_recent();
        }
        self.by_terminal.check_key(terminal).map_err(|until| too_many(&until))
    }

    /// Takes one enrolment off everybody's allowance.
    pub(super) fn allow_enrolment(&self) -> Result<(), ApiError> {
        self.enrolments.check().map_err(|until| too_many(&until))
    }
}

fn quota(per_minute: NonZeroU32) -> Quota {
    Quota::per_minute(per_minute)
}

fn too_many(
    until: &NotUntil<<governor::clock::DefaultClock as governor::clock::Clock>::Instant>,
) -> ApiError {
    let wait = until.wait_time_from(governor::clock::DefaultClock::default().now());
    let seconds = wait.saturating_add(Duration::from_millis(999)).as_secs().max(1);
    ApiError::too_many(u32::try_from(seconds).unwrap_or(u32::MAX))
}
