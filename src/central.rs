//! Central, the hospital's server: stores every entry of the signed batches exactly once and publishes scores with their uncertainty.
//!
//! The way of a batch: `auth` proves who sent it, [`store`] reads what its decision depends on, [`ingest`] (pure) decides what it means,
//! [`store`] makes that durable in the same transaction, the receipt is signed. The way of a score: the store's exact counts, [`scores`]
//! (pure) with intervals and the rule for small counts, then the page, JSON or CSV. [`mod@verify`] recomputes all of it from what is stored.
//!
//! Invariants:
//! - a receipt is given only after the commit; what it names is durable;
//! - a batch is never refused for its content, only for its proof, its size, or another history under the same places;
//! - what is answered to a proven request is signed for that request alone, refusals too; nothing else is signed;
//! - a failing store is a 503: the terminal keeps everything and comes again.

mod admin;
mod api;
mod app;
mod backup;
mod certificate;
mod clock;
mod data_dir;
mod domain;
mod embedded;
mod error;
mod events;
mod export;
pub mod fuzzing;
mod host;
mod in_force;
mod metrics;
mod own_certificate;
mod peer;
mod queries;
mod rate;
mod reload;
mod router;
mod serve;
mod service_manager;
mod settings;
mod signing_key;
pub mod store;
mod terminal_api;
mod terminal_registry;
mod verify;
mod web;

use std::{future::Future, net::TcpListener, path::PathBuf, sync::Arc};

use anyhow::Context as _;

pub use admin::{export, new_code, revoke};
pub use backup::{backup, restore};
pub use certificate::{CertificateFacts, certificate, new_certificate};
pub use clock::WallClock;
pub use data_dir::open_store;
#[cfg(feature = "load")]
pub(crate) use data_dir::{DATABASE_FILE, open_store_and_key};
pub use domain::{access, ingest, scores};
pub use embedded::Central;
pub use settings::Settings;
pub use verify::{Findings, verify};

use crate::{
    config::{CentralSetup, Loaded, Tls, Watch},
    questionnaire::Hospital,
};
use app::App;
use router::routes_of;

/// Serves until `shutdown` ends, then stops taking requests, lets those in flight end, and returns within ten seconds.
pub async fn serve(
    settings: Settings,
    hospital: Hospital,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let app = app_of(settings, hospital, WallClock::system())?;
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
    let app =
        app_of(Settings::of(&loaded, data.as_deref()), loaded.value.hospital.clone(), WallClock::system())?;
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
    router_at(settings, hospital, WallClock::system())
}

/// The same at the time that a clock says.
pub fn router_at(
    settings: Settings,
    hospital: Hospital,
    clock: WallClock,
) -> anyhow::Result<(axum::Router, utoipa::openapi::OpenApi)> {
    Ok(routes_of(app_of(settings, hospital, clock)?))
}

fn app_of(settings: Settings, hospital: Hospital, clock: WallClock) -> anyhow::Result<Arc<App>> {
    let in_use = backup::take_into_use(&settings.config.data_dir)?;
    let (store, key) = signing_key::open(&settings.config.data_dir)?;
    if settings.config.tls == Tls::Own {
        own_certificate::make_if_missing(&settings, clock.now())?;
    }
    let app = Arc::new(App::new(settings, hospital, store, key, in_use, clock));
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
