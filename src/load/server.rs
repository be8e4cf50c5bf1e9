//! Central as it is run: its own program in a process of its own, on a loopback port, with a data folder.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    central::{self, store::CountQuery},
    config::{self, EXAMPLE_TOUCHPOINTS, Glyphs},
    durable,
    enrolment_code::EnrolmentCode,
    questionnaire::Hospital,
};

/// Looks for a sign of life, and between two of them.
const LOOKS: u32 = 400;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Counts calls of two kinds and lets all others pass at full speed.
const STRACE: [&str; 9] =
    ["-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o", "/dev/null"];

/// Whether calls that wait for the disk are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counted {
    /// None are.
    Nothing,
    /// All are, and central is slower for it.
    Syncs,
}

/// A central that takes load.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) hospital: Hospital,
    pub(super) data: PathBuf,
    own: Option<Own>,
}

/// A process that was started here.
struct Own {
    child: Child,
    pid: u32,
    /// Where strace writes a line for each call that waits for the disk.
    calls: Option<PathBuf>,
    ended: bool,
}

impl Server {
    /// Prepares a fresh central in a folder: configuration and an empty store.
    pub(super) fn prepare(home: &Path) -> anyhow::Result<Self> {
        // The port is free again when it is let go; nobody else takes it within milliseconds.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = format!(
            "listen = \"{address}\"\ntouchpoints_file = \"touchpoints.toml\"\n\n[storage]\ndir = \"data\"\n\n\
             [limits]\nrequests_per_minute = 6000\nconnections = 8192\nconnections_per_address = 8192\n"
        );
        fs::write(home.join("central.toml"), file)?;
        fs::write(home.join("touchpoints.toml"), EXAMPLE_TOUCHPOINTS)?;
        let hospital = config::example().value.hospital;
        let data = home.join("data");
        central::open_store(&data)?;
        Ok(Self { address, hospital, data, own: None })
    }

    /// A central that runs already, by its configuration.
    pub(super) fn running(url: &str, config: &Path) -> anyhow::Result<Self> {
        let loaded = config::load_central(config, &durable::read_file, &Glyphs::default())
            .map_err(|findings| anyhow::anyhow!("the configuration is wrong:\n{findings}"))?;
        let place = url.trim_end_matches('/').strip_prefix("http://");
        let address: SocketAddr = place
            .and_then(|place| place.parse().ok())
            .with_context(|| format!("`{url}` has to be like http://127.0.0.1:8460"))?;
        anyhow::ensure!(address.ip().is_loopback(), "load is sent to this machine only, not to {address}");
        let data = loaded.value.central.data_dir;
        Ok(Self { address, hospital: loaded.value.hospital, data, own: None })
    }

    /// Starts the program in the folder of [`Self::prepare`] and waits until it answers. What is counted costs: every call passes a filter.
    pub(super) fn start(&mut self, program: &Path, home: &Path, counted: Counted) -> anyhow::Result<()> {
        let calls = (counted == Counted::Syncs).then(|| home.join("calls.log"));
        let pid_file = home.join("central.pid");
        // The shell becomes central, so that its process id is known whoever stands above it.
        let serve = "echo $$ > \"$0\"; exec \"$@\"";
        let mut command = if let Some(calls) = &calls {
            let mut command = Command::new("strace");
            command.args(&STRACE[..STRACE.len() - 1]).arg(calls).arg("sh");
            command
        } else {
            Command::new("sh")
        };
        let config = home.join("central.toml");
        command.arg("-c").arg(serve).arg(&pid_file).arg(program).arg("serve").arg("--config").arg(config);
        command.env("XINSHENG_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::null());
        // The number of the process before it may stand there.
        let _ = fs::remove_file(&pid_file);
        let child = command.spawn().context("central cannot be started")?;
        self.own = Some(Own { child, pid: 0, calls, ended: false });
        let pid = wait_for("central has a process id", || {
            fs::read_to_string(&pid_file).ok().and_then(|text| text.trim().parse().ok())
        })?;
        if let Some(own) = &mut self.own {
            own.pid = pid;
        }
        let address = self.address;
        wait_for("central answers", || is_healthy(address).then_some(()))
    }

    /// The process, where it was started here.
    pub(super) fn pid(&self) -> Option<u32> {
        self.own.as_ref().map(|own| own.pid)
    }

    /// How often central has waited for the disk so far; `None` where it is not counted.
    pub(super) fn syncs(&self) -> Option<u64> {
        let calls = self.own.as_ref()?.calls.as_ref()?;
        let bytes = fs::read(calls).ok()?;
        Some(bytes.iter().filter(|byte| **byte == b'\n').count() as u64)
    }

    /// A code for a terminal at each of these touchpoints.
    pub(super) fn codes<'a>(
        &self,
        touchpoints: impl Iterator<Item = &'a crate::model::TouchpointId>,
    ) -> anyhow::Result<Vec<EnrolmentCode>> {
        let store = central::open_store(&self.data)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut codes = Vec::new();
            for touchpoint in touchpoints {
                // Plain HTTP on loopback: there is no certificate that the code could be bound to.
                let code = central::new_code(store.as_ref(), &self.hospital, touchpoint, None).await?;
                codes.push(EnrolmentCode::read(&code).context("central made a code that cannot be read")?);
            }
            Ok(codes)
        })
    }

    /// Bytes of the database once everything stands in its file.
    pub(super) fn bytes_at_rest(&self) -> anyhow::Result<u64> {
        let file = self.data.join(central::DATABASE_FILE);
        let connection = rusqlite::Connection::open(&file)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
        drop(connection);
        Ok(fs::metadata(&file)?.len())
    }

    /// Asks central to stop and waits for its end.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        let Some(own) = &mut self.own else { return Ok(()) };
        signal(own.pid, Signal::TERM);
        own.ended = true;
        let status = own.child.wait()?;
        anyhow::ensure!(status.success(), "central ended with {status}");
        Ok(())
    }

    /// Recomputes every chain, signature and count of a central that has stopped.
    pub(super) fn verify(&self) -> anyhow::Result<central::Findings> {
        let store: Arc<dyn central::store::Store> = central::open_store(&self.data)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(central::verify(&store, &self.hospital))?)
    }

    /// Entries held, and answers counted.
    pub(super) fn totals(&self) -> anyhow::Result<(u64, u64)> {
        let store = central::open_store(&self.data)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (mut entries, mut answers) = (0, 0);
            for site in &self.hospital.sites {
                let chains = store.chains(&site.id).await?;
                entries += chains.iter().map(|chain| chain.cursor.accepted_through).sum::<u64>();
                let counts = store.counts(&site.id, CountQuery::default()).await?;
                answers += counts.iter().map(|count| count.n).sum::<u64>();
            }
            Ok((entries, answers))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(own) = self.own.as_mut().filter(|own| !own.ended) else { return };
        signal(own.pid, Signal::KILL);
        // It is being thrown away.
        let _ = own.child.kill();
        let _ = own.child.wait();
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
    }
}

/// Whether strace is there and can leave other calls alone.
pub(super) fn can_trace() -> bool {
    let mut trial = Command::new("strace");
    trial.args(STRACE).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    trial.status().is_ok_and(|status| status.success())
}

fn is_healthy(address: SocketAddr) -> bool {
    let asked = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(stream, "GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    asked().unwrap_or(false)
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    for _ in 0..LOOKS {
        if let Some(found) = look() {
            return Ok(found);
        }
        thread::sleep(LOOK_EVERY);
    }
    anyhow::bail!("in vain: {what}")
}
