//! What the handlers share.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::sync::{Semaphore, broadcast};

use super::{
    backup::InUse,
    certificate::ServedKey,
    clock::WallClock,
    events::{Event, Events},
    host::Names,
    in_force::InForce,
    metrics::Metrics,
    peer::Proxies,
    rate::Allowances,
    reload::Trouble,
    serve::seats::{Caps, Seats},
    settings::Settings,
    store::{Store, StoreError, Terminal},
    terminal_api::replays::Replays,
    terminal_registry::TerminalRegistry,
};
use crate::{
    config::Tls,
    model::{SiteId, TerminalId},
    questionnaire::Hospital,
    sign::KeyPair,
};

/// Open pages: each holds a connection.
const PAGES_MAX: usize = 256;

/// Exports of single answers at a time.
const EXPORTS_MAX: usize = 2;

/// What every handler gets.
pub(super) type Shared = Arc<App>;

/// What the handlers share.
pub(super) struct App {
    pub(super) settings: Settings,
    pub(super) store: Arc<dyn Store>,
    pub(super) key: KeyPair,
    pub(super) metrics: Metrics,
    /// Open pages.
    pub(super) pages: Arc<Seats>,
    pub(super) exports: Arc<Semaphore>,
    pub(super) names: Arc<Names>,
    /// Empty until central serves, and where it does not encrypt.
    pub(super) served_key: Arc<ServedKey>,
    pub(super) proxies: Proxies,
    pub(super) replays: Replays,
    events: Events,
    serving: AtomicBool,
    pub(super) allowances: Allowances,
    pub(super) clock: WallClock,
    registry: TerminalRegistry,
    in_force: RwLock<Arc<InForce>>,
    trouble: Mutex<Option<Trouble>>,
    _in_use: InUse,
}

impl App {
    pub(super) fn new(
        settings: Settings,
        hospital: Hospital,
        store: Arc<dyn Store>,
        key: KeyPair,
        in_use: InUse,
        clock: WallClock,
    ) -> Self {
        let in_force = InForce::new(&settings, Arc::new(hospital), Vec::new());
        Self {
            allowances: Allowances::new(settings.config.limits.requests_per_minute),
            pages: Seats::new(Caps {
                total: PAGES_MAX,
                per_address: usize::try_from(settings.config.limits.pages_per_address).unwrap_or(usize::MAX),
            }),
            names: Arc::new(Names::new(&settings)),
            served_key: Arc::default(),
            proxies: Proxies {
                on_this_machine: settings.config.tls == Tls::BehindProxy,
                named: settings.config.trusted_proxies.clone(),
            },
            replays: Replays::new(),
            settings,
            store,
            key,
            metrics: Metrics::new(clock.now()),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            events: Events::new(),
            serving: AtomicBool::new(true),
            registry: TerminalRegistry::default(),
            clock,
            in_force: RwLock::new(Arc::new(in_force)),
            trouble: Mutex::default(),
            _in_use: in_use,
        }
    }

    /// The configuration in force; a request looks once and keeps to it.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is asked where.
    pub(super) fn hospital(&self) -> Arc<Hospital> {
        Arc::clone(&self.in_force().hospital)
    }

    pub(super) fn exchange(&self, next: InForce) {
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// What is wrong with the configuration files as they stand.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_trouble(&self, trouble: Option<Trouble>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub(super) fn tell(&self, event: Event) {
        self.events.tell(event);
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.listen()
    }

    pub(super) fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Acquire)
    }

    /// Readiness goes off; requests are still answered.
    pub(super) fn announce_stop(&self) {
        self.serving.store(false, Ordering::Release);
    }

    /// Open pages are let go.
    pub(super) fn let_pages_go(&self) {
        self.tell(Event::Goodbye);
    }

    /// The time.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Finds a terminal among the sites.
    pub(super) async fn terminal(&self, id: &TerminalId) -> Result<Option<Terminal>, StoreError> {
        self.registry.find(self.store.as_ref(), &self.hospital(), id).await
    }

    /// The site's time zone.
    pub(super) fn zone(&self, site: &SiteId) -> Tz {
        self.hospital().site(site).map_or(chrono_tz::UTC, |site| site.time_zone)
    }
}
