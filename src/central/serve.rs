//! Connections: who may have one, for how long, and how central stops.
//!
//! Invariants:
//! - a connection that has not brought a whole request head within the head deadline, counted from accept and TLS included, is closed; so is
//!   one that stays idle between requests, one whose body takes longer than a request may, and one that does not read its answer;
//! - there are never more connections than the caps of [`seats`]; who finds none is told 503 and closed at once;
//! - a plain central behind a proxy talks to the proxies it trusts and to this machine, to nobody else;
//! - a stop takes less than ten seconds: readiness goes off, for the time of notice everybody is still served, then nobody new is, and
//!   requests in flight end.

mod certificate;
pub(super) mod seats;
mod stall;

use std::{
    convert::Infallible,
    future::Future,
    io::Write as _,
    net::{IpAddr, SocketAddr, TcpListener},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response},
};
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{mpsc, watch},
    time::{MissedTickBehavior, Sleep, interval, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{app::App, own_certificate, router::routes_of, service_manager};
use crate::config::Tls;
use certificate::Certificate;
use seats::{Answering, Caps, Counted, Seat, Seats, State};
use stall::Stalling;

/// A stop from its announcement until the last request is given up; two more seconds are left for writing down what was accepted.
const STOP_MAX: Duration = Duration::from_secs(8);

/// After a failed accept, until the next: mostly all file handles are in use.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How often measurements are summed up; a busy minute between them is some megabytes.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// File handles beside those of connections: database, log, certificate.
const OTHER_HANDLES: u64 = 128;

/// Most bytes of a request head; ours have about one thousand.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// What somebody hears for whom there is no seat.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What somebody hears who should come through the proxy.
const NOT_HERE: &[u8] = b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Connections that may wait to be accepted; the kernel may allow fewer. With the usual 128 a crowd that comes at once is dropped by the kernel,
/// and tries again only after seconds.
const WAITING_MAX: i32 = 4_096;

/// Serves until `shutdown` ends.
pub(super) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    anyhow::ensure!(
        !app.settings.would_be_plain_on(address.ip()),
        "{address} is reachable from other machines: what is served there must be encrypted; leave [tls] and behind_proxy out of central.toml, or name certificate and key under [tls], or set behind_proxy = true and trusted_proxies"
    );
    listener.set_nonblocking(true).context("the listener cannot be used")?;
    rustix::net::listen(&listener, WAITING_MAX).context("the listener cannot be used")?;
    let listener = tokio::net::TcpListener::from_std(listener).context("the listener cannot be used")?;
    let certificate = match &app.settings.config.tls {
        Tls::Files { cert, key } => Some(Arc::new(Certificate::load(cert, key, &app)?)),
        Tls::Own => {
            let (cert, key) = own_certificate::files(&app.settings.config.data_dir);
            Some(Arc::new(Certificate::load(&cert, &key, &app)?))
        }
        Tls::Loopback | Tls::BehindProxy => None,
    };
    let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let limits = &app.settings.config.limits;
    let caps = Caps { total: count(limits.connections), per_address: count(limits.connections_per_address) };
    make_room_for(caps.total);
    let notice = app.settings.config.limits.stop_notice();
    let (stop, stopped) = watch::channel(false);
    // Every connection holds one end; when all are gone the other end hears so.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    let server = Arc::new(Server {
        seats: Seats::new(caps),
        router: TowerToHyperService::new(routes_of(Arc::clone(&app)).0),
        refused: AtomicU64::new(0),
        certificate,
        app,
    });
    tracing::info!(%address, tls = server.certificate.is_some(), "central serves");
    service_manager::ready(address);
    server.accept_until(shutdown, &listener, (&stopped, &open)).await;
    tracing::info!(notice_s = notice.as_secs(), "central stops");
    service_manager::stopping();
    server.app.announce_stop();
    server.accept_until(sleep(notice), &listener, (&stopped, &open)).await;
    drop(listener);
    server.app.let_pages_go();
    drop(open);
    // Nobody may be connected.
    let _ = stop.send(true);
    if timeout(STOP_MAX.saturating_sub(notice), all_closed.recv()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}

struct Server {
    app: Arc<App>,
    seats: Arc<Seats>,
    router: TowerToHyperService<Router>,
    certificate: Option<Arc<Certificate>>,
    refused: AtomicU64,
}

impl Server {
    /// Takes connections until something has happened.
    async fn accept_until(
        self: &Arc<Self>,
        end: impl Future<Output = ()>,
        listener: &tokio::net::TcpListener,
        (stopped, open): (&watch::Receiver<bool>, &mpsc::Sender<()>),
    ) {
        let mut renewal = interval(self.app.settings.certificate_every);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut upkeep = interval(UPKEEP_EVERY);
        upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watched_every = service_manager::watched_every();
        let mut watched = interval(watched_every.unwrap_or(Duration::from_hours(1)));
        watched.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut end = pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                _ = renewal.tick(), if self.certificate.is_some() => self.renew_certificate(),
                _ = upkeep.tick() => self.app.metrics.upkeep(),
                _ = watched.tick(), if watched_every.is_some() => service_manager::alive(),
                accepted = listener.accept() => match accepted {
                    Ok((stream, remote)) => self.meet(stream, remote, stopped, open),
                    Err(error) => {
                        tracing::warn!(%error, "a connection cannot be accepted");
                        sleep(ACCEPT_AGAIN).await;
                    }
                },
            }
        }
    }

    fn renew_certificate(&self) {
        if let Some(certificate) = self.certificate.clone() {
            tokio::task::spawn_blocking(move || certificate.renew());
        }
    }

    /// Gives a newcomer a seat and a task, or says that there is none.
    fn meet(
        self: &Arc<Self>,
        stream: TcpStream,
        remote: SocketAddr,
        stopped: &watch::Receiver<bool>,
        open: &mpsc::Sender<()>,
    ) {
        let (address, proxies) = (remote.ip().to_canonical(), &self.app.proxies);
        let is_proxy = proxies.trust(address);
        if self.app.settings.talks_to_proxies_only() && !is_proxy && !address.is_loopback() {
            tracing::debug!(%remote, "not a trusted proxy");
            return dismiss(stream, NOT_HERE);
        }
        let counted = if is_proxy { Counted::InTotalOnly } else { Counted::ByAddress };
        let Some(seat) = self.seats.take(address, counted) else {
            // Told at the first, second, fourth, eighth: enough to see how many, and no log that fills a disk.
            let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
            if refused.is_power_of_two() {
                tracing::warn!(%remote, refused, "too many connections; see [limits] in central.toml");
            }
            let words = if self.certificate.is_some() { &[][..] } else { FULL };
            return dismiss(stream, words);
        };
        let (server, mut stopped, open) = (Arc::clone(self), stopped.clone(), open.clone());
        tokio::spawn(async move {
            server.app.metrics.connections.increment(1.0);
            server.converse(stream, address, seat, &mut stopped).await;
            server.app.metrics.connections.decrement(1.0);
            drop(open);
        });
    }

    async fn converse(
        &self,
        stream: TcpStream,
        remote: IpAddr,
        seat: Seat,
        stopped: &mut watch::Receiver<bool>,
    ) {
        let mut head_due = pin!(sleep(self.app.settings.config.limits.header_timeout()));
        let Ok(local) = stream.local_addr() else { return };
        // Small answers need not wait for more; a stream that cannot do this works all the same.
        let _ = stream.set_nodelay(true);
        let ends = Ends { remote, local: local.ip() };
        let Some(certificate) = &self.certificate else {
            return self.talk(stream, ends, &seat.state, head_due, stopped).await;
        };
        let encrypted = tokio::select! {
            encrypted = TlsAcceptor::from(certificate.current()).accept(stream) => encrypted,
            () = &mut head_due => return,
            () = seat.state.vacated() => return,
            _ = stopped.changed() => return,
        };
        match encrypted {
            Ok(encrypted) => self.talk(encrypted, ends, &seat.state, head_due, stopped).await,
            Err(error) => tracing::debug!(%error, %remote, "no encrypted connection"),
        }
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        ends: Ends,
        state: &Arc<State>,
        mut head_due: Pin<&mut Sleep>,
        stopped: &mut watch::Receiver<bool>,
    ) {
        let settings = &self.app.settings;
        let io = TokioIo::new(Stalling::new(stream, settings.stall_timeout));
        let service = service_fn(|request: Request<Incoming>| self.answer(ends, state, request));
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                // Counted from the end of the answer before; the first head has a deadline of its own.
                .header_read_timeout(settings.config.limits.idle_timeout())
                .max_header_size(HEAD_BYTES_MAX)
                .serve_connection(io, service)
        );
        let (mut head_was_due, mut stopping) = (false, *stopped.borrow());
        if stopping {
            connection.as_mut().graceful_shutdown();
        }
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, remote = %ends.remote, "a connection broke");
                    }
                    return;
                }
                () = &mut head_due, if !head_was_due => {
                    head_was_due = true;
                    if !state.has_asked() {
                        return;
                    }
                }
                () = state.vacated() => {
                    if !state.is_answering() {
                        return;
                    }
                }
                _ = stopped.changed(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn answer(
        &self,
        ends: Ends,
        state: &Arc<State>,
        mut request: Request<Incoming>,
    ) -> Result<Response<HeldBody>, Infallible> {
        let answering = state.answer();
        let peer = self.app.proxies.peer(ends.remote, ends.local, request.headers());
        request.extensions_mut().insert(peer);
        let response = self.router.call(request).await?;
        Ok(response.map(|body| HeldBody { body, _answering: answering }))
    }
}

#[derive(Clone, Copy)]
struct Ends {
    remote: IpAddr,
    local: IpAddr,
}

/// A body that keeps its connection's seat until it is sent.
struct HeldBody {
    body: Body,
    _answering: Answering,
}

impl HttpBody for HeldBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Says a few words, if they fit at once, and closes.
fn dismiss(stream: TcpStream, words: &[u8]) {
    if let Ok(mut stream) = stream.into_std() {
        // Whoever does not hear it sees the connection closed.
        let _ = stream.write(words);
    }
}

/// Raises the number of open files to what the connections need; many systems begin with 1,024.
fn make_room_for(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_HANDLES);
    let have = getrlimit(Resource::Nofile);
    if have.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let reachable = have.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum: have.maximum });
    if raised.is_err() || reachable < wanted {
        tracing::warn!(
            wanted,
            reachable,
            "too few files may be open for so many connections; raise LimitNOFILE"
        );
    }
}
