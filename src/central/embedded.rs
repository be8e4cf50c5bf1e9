//! Central in a program that does more than serve: the demo, and tests.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
};

use anyhow::Context as _;
use tokio::sync::oneshot;

use super::{
    admin::new_code,
    app::App,
    app_of,
    clock::WallClock,
    own_certificate,
    serve::serve,
    settings::Settings,
    store::Store,
    verify::{Findings, verify},
};
use crate::{model::TouchpointId, questionnaire::Hospital};

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
        let app = app_of(settings, hospital, WallClock::system())?;
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
            runtime.block_on(serve(served, listener, async {
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
        let scheme = if self.app.settings.config.tls.encrypts_here() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Makes a one-time enrolment code for a touchpoint.
    pub fn new_code(&self, touchpoint: &TouchpointId) -> anyhow::Result<String> {
        let tls_key = own_certificate::key_of(&self.app.settings)?;
        self.runtime.block_on(new_code(self.app.store.as_ref(), &self.app.hospital(), touchpoint, tls_key))
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
