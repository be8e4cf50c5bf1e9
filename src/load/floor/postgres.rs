//! The floor of PostgreSQL: a private server with its usual settings, so every commit waits for the disk.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};

use super::{Rate, began};
use crate::load::terminal::Link;

/// Where Debian puts the programs that are not on the path.
const USUAL: &str = "/usr/lib/postgresql";

/// The account that the packages make; a server does not run as root.
const ACCOUNT: &str = "postgres";

const LOOKS: u32 = 200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

const TABLE: &str = "create table floor (site text not null, chain bytea not null, seq bigint not null, \
    hash bytea not null, line bytea not null, primary key (site, chain, seq))";

const INSERT: &str = "insert into floor (site, chain, seq, hash, line) \
    select 'main', * from unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::bytea[]) on conflict do nothing";

/// A private server; dropping it ends it.
pub(in crate::load) struct Postgres {
    server: Child,
    folder: PathBuf,
    pub(in crate::load) version: String,
}

impl Postgres {
    /// Starts one in a folder of its own. The error says why there is none.
    pub(in crate::load) fn start(home: &Path) -> anyhow::Result<Self> {
        let programs = programs().context("initdb and postgres are not installed")?;
        let folder = home.join("postgres");
        fs::create_dir(&folder)?;
        let as_other = rustix::process::geteuid().is_root();
        if as_other {
            let (uid, gid) = ids(ACCOUNT).context("run as root, and there is no account `postgres`")?;
            chown(&folder, Some(uid), Some(gid))?;
            // The account has to get through to its folder, and no further.
            fs::set_permissions(home, fs::Permissions::from_mode(0o711))?;
        }
        let run = |program: &str| {
            let program = programs.join(program);
            if as_other {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--"]).arg(program);
                command
            } else {
                Command::new(program)
            }
        };
        let data = folder.join("data");
        let mut init = run("initdb");
        init.arg("-D").arg(&data).args([
            "-U",
            "load",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-instructions",
        ]);
        let made = init.current_dir(&folder).stdin(Stdio::null()).output()?;
        anyhow::ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr).trim());
        let mut serve = run("postgres");
        serve.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-c", "listen_addresses="]);
        let log = fs::File::create(home.join("postgres.log"))?;
        let server =
            serve.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn()?;
        let version = String::new();
        Ok(Self { server, folder, version })
    }

    /// Waits until it answers, and makes the table.
    pub(in crate::load) async fn ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            if let Ok(client) = self.connect().await {
                client.batch_execute(TABLE).await?;
                self.version = client.query_one("show server_version", &[]).await?.get(0);
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        anyhow::bail!("the server does not answer")
    }

    async fn connect(&self) -> anyhow::Result<Client> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(&self.folder).user("load").dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        // Ends with the client.
        tokio::spawn(connection);
        Ok(client)
    }

    /// Commits of so many lines each, from so many connections, each with lines of its own, for at most `limit`.
    pub(in crate::load) async fn rate(
        &self,
        lines: &Arc<Vec<Link>>,
        a_commit: usize,
        connections: usize,
        limit: Duration,
    ) -> anyhow::Result<Rate> {
        let client = self.connect().await?;
        client.batch_execute("truncate floor").await?;
        let mut clients = Vec::new();
        for _ in 0..connections {
            let client = self.connect().await?;
            let insert = client.prepare(INSERT).await?;
            clients.push((client, insert));
        }
        let began = began();
        let mut tasks = JoinSet::new();
        for (n, (client, insert)) in clients.into_iter().enumerate() {
            let lines = Arc::clone(lines);
            tasks.spawn(async move {
                let mut rows = 0;
                for group in lines.chunks_exact(a_commit).skip(n).step_by(connections) {
                    if began.elapsed() >= limit {
                        break;
                    }
                    let chains: Vec<&[u8]> = group.iter().map(|link| link.chain.0.as_slice()).collect();
                    let seqs: Vec<i64> =
                        group.iter().map(|link| i64::try_from(link.seq)).collect::<Result<_, _>>()?;
                    let hashes: Vec<&[u8]> = group.iter().map(|link| link.hash.0.as_slice()).collect();
                    let texts: Vec<&[u8]> = group.iter().map(|link| link.line.as_slice()).collect();
                    rows += client.execute(&insert, &[&chains, &seqs, &hashes, &texts]).await?;
                }
                anyhow::Ok(rows)
            });
        }
        let mut rows = 0;
        while let Some(done) = tasks.join_next().await {
            rows += done??;
        }
        Ok(Rate { rows, took: began.elapsed() })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.server.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // A fast stop: what is under way is rolled back.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        for _ in 0..LOOKS {
            if !matches!(self.server.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
        let _ = self.server.kill();
    }
}

/// The folder that holds initdb and postgres, of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(USUAL).into_iter().flatten().filter_map(Result::ok);
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::env::split_paths(&path).collect::<Vec<_>>().into_iter().chain(folders.into_iter().rev());
    all.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn ids(account: &str) -> Option<(u32, u32)> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.split(':').next() == Some(account))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
