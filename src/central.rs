//! Central, the hospital's server: stores every entry of the signed batches exactly once and publishes scores with their uncertainty.
//!
//! The way of a batch: `auth` proves who sent it, [`ingest`] (pure) decides what it means, [`store`] makes it durable in one
//! transaction, the receipt is signed. The way of a score: the store's exact counts, [`scores`] (pure) with intervals and the rule for small
//! counts, then the page, JSON or CSV. [`mod@verify`] recomputes all of it from what is stored.
//!
//! Invariants:
//! - a receipt is given only after the commit; what it names is durable;
//! - a batch is never refused for its content, only for its proof, its size, or another history under the same places;
//! - what is answered to a proven request is signed for that request alone, refusals too; nothing else is signed;
//! - a failing store is a 503: the terminal keeps everything and comes again.

mod auth;
mod backup;
mod code;
mod document;
mod error;
mod export;
mod fleet;
pub mod fuzzing;
mod help;
mod host;
mod in_force;
mod incidents;
pub mod ingest;
mod live;
mod metrics;
mod ops;
mod peer;
mod reload;
mod replays;
mod reports;
mod router;
pub mod scores;
mod serve;
mod settings;
mod shell;
mod signing_key;
mod state;
pub mod store;
mod terminals;
mod verify;

use std::{
    future::Future,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
};

use anyhow::Context as _;
use tokio::sync::oneshot;

pub use backup::{backup, restore};
pub use settings::Settings;
pub use verify::{Findings, verify};

use crate::{
    config::{CentralSetup, Loaded, Tls, Watch},
    durable,
    model::TouchpointId,
    questionnaire::Hospital,
};
use router::routes_of;
use state::App;
use store::{NewCode, Store, sqlite::SqliteStore};

/// Opens the store in a data folder, making both if need be.
pub fn open_store(data_dir: &Path) -> anyhow::Result<Arc<dyn Store>> {
    durable::make_folder(data_dir)
        .with_context(|| format!("cannot make the data folder {}", data_dir.display()))?;
    let path = data_dir.join(shell::DATABASE_FILE);
    Ok(Arc::new(SqliteStore::open(&path, shell::fresh_store_id(), shell::now())?))
}

/// Makes a one-time enrolment code for a touchpoint, good for 24 hours.
pub async fn new_code(
    store: &dyn Store,
    hospital: &Hospital,
    touchpoint: &TouchpointId,
) -> anyhow::Result<String> {
    let found = hospital.touchpoint(touchpoint);
    let site = &found
        .with_context(|| format!("there is no touchpoint `{touchpoint}` in the touchpoints file"))?
        .site;
    let code = code::new_code(shell::random());
    let made_at = shell::now();
    store
        .add_code(
            site,
            NewCode {
                code_hash: code::hash_of(&code),
                touchpoint: touchpoint.clone(),
                made_at,
                expires_at: made_at + code::LIFETIME,
            },
        )
        .await?;
    Ok(code)
}

/// Revokes a terminal's key at whichever site it belongs to; false if no site knows it.
pub async fn revoke(
    store: &dyn Store,
    hospital: &Hospital,
    terminal: &crate::model::TerminalId,
) -> anyhow::Result<bool> {
    for site in &hospital.sites {
        if store.revoke(&site.id, terminal, shell::now()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes every answer of all sites as CSV.
pub async fn export(
    store: Arc<dyn Store>,
    hospital: &Hospital,
    out: &mut dyn std::io::Write,
) -> anyhow::Result<()> {
    use tokio_stream::StreamExt as _;
    let part = |site: &crate::questionnaire::Site| export::Part {
        site: site.id.clone(),
        zone: site.time_zone,
        span: store::TimeSpan::ALL,
    };
    let parts = hospital.sites.iter().map(part).collect();
    let mut pages = std::pin::pin!(export::answers_csv(store, parts, None));
    while let Some(page) = pages.next().await {
        out.write_all(page?.as_bytes()).context("cannot write the export")?;
    }
    Ok(())
}

/// Serves until `shutdown` ends, then stops taking requests, lets those in flight end, and returns within ten seconds.
pub async fn serve(
    settings: Settings,
    hospital: Hospital,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let app = app_of(settings, hospital)?;
    serve::serve(app, listener, shutdown).await
}

/// Serves what a central.toml says and takes changes of it and of its touchpoints file into force while serving. `data` is where
/// database and key lie, if not where the file says.
pub async fn serve_file(
    path: PathBuf,
    loaded: Loaded<CentralSetup>,
    data: Option<PathBuf>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let app = app_of(Settings::of(&loaded, data.as_deref()), loaded.value.hospital.clone())?;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let watch = Watch::spawn_central(path, &loaded, move |change| {
        // Central is stopping if nobody hears it.
        let _ = tell.send(change);
    })
    .context("cannot watch the configuration")?;
    let changed = Arc::clone(&app);
    let taking = tokio::spawn(async move {
        while let Some(change) = told.recv().await {
            reload::take(&changed, &change, data.as_deref()).await;
        }
    });
    let served = serve::serve(app, listener, shutdown).await;
    taking.abort();
    // Its thread may be reading files; that takes a moment and is nobody's request.
    drop(watch);
    served
}

/// The router without a listener, for tests of the handlers, with the OpenAPI document.
pub fn router(
    settings: Settings,
    hospital: Hospital,
) -> anyhow::Result<(axum::Router, utoipa::openapi::OpenApi)> {
    Ok(routes_of(app_of(settings, hospital)?))
}

fn app_of(settings: Settings, hospital: Hospital) -> anyhow::Result<Arc<App>> {
    let in_use = backup::take_into_use(&settings.config.data_dir)?;
    let (store, key) = signing_key::open(&settings.config.data_dir)?;
    let app = Arc::new(App::new(settings, hospital, store, key, in_use));
    // Central is begun from threads with and without a runtime of their own.
    let begun = std::thread::scope(|scope| {
        let begin = || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            runtime.block_on(async {
                reload::put_in_force(&app, &app.settings, app.hospital()).await?;
                reload::say_lost_sites(&app).await;
                Ok(())
            })
        };
        scope.spawn(begin).join()
    });
    begun
        .map_err(|_| anyhow::anyhow!("central panicked at its start"))?
        .context("the store cannot be read")?;
    Ok(app)
}

/// A central on threads of its own: for the demo and for tests.
pub struct Central {
    address: SocketAddr,
    app: Arc<App>,
    runtime: tokio::runtime::Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Central {
    /// Starts on a listener; returns once requests are taken (the listener queues them until the first is served).
    pub fn start(settings: Settings, hospital: Hospital, listener: TcpListener) -> anyhow::Result<Self> {
        let address = listener.local_addr().context("the listener has no address")?;
        let app = app_of(settings, hospital)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("central")
            .enable_all()
            .build()
            .context("cannot start the threads of central")?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&app);
        let thread = std::thread::Builder::new().name("central-main".to_owned()).spawn(move || {
            runtime.block_on(serve::serve(served, listener, async {
                // A dropped handle stops central as well.
                let _ = stopped.await;
            }))
        })?;
        Ok(Self { address, app, runtime: handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base address, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if matches!(self.app.settings.config.tls, Tls::Files { .. }) { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Makes a one-time enrolment code for a touchpoint.
    pub fn new_code(&self, touchpoint: &TouchpointId) -> anyhow::Result<String> {
        self.runtime.block_on(new_code(self.app.store.as_ref(), &self.app.hospital(), touchpoint))
    }

    /// Recomputes every chain, signature and count.
    pub fn verify(&self) -> anyhow::Result<Findings> {
        Ok(self.runtime.block_on(verify(&self.app.store, &self.app.hospital()))?)
    }

    /// The store, for looking behind the API.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.app.store)
    }

    /// Stops and waits for the end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.end()
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.stop = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| anyhow::anyhow!("central panicked"))?
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(error = format!("{error:#}"), "central did not stop well");
        }
    }
}
