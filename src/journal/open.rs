//! Opening: what lies in the folder, whether it can be trusted, and what to do if not.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use rusqlite::{Connection, ErrorCode};

use super::{
    Head, Journal, JournalError, Lost, OpenArgs, OpenError, OpenReport, Opened, SideMark, State, Why,
    carry::{self, renumber},
    deliver::linking_leaf,
    files::{self, SideFile},
    key, rows,
    salvage::{Salvage, salvage},
    schema::{self, APPLICATION_ID, Check},
    set_aside::Marker,
};
use crate::{chain, durable};

/// The first bytes of every SQLite file.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Where a SQLite file keeps its application id.
const APPLICATION_ID_AT: usize = 68;

/// The newest entries are hashed again at every start, so that a chain is not continued from a damaged end.
const NEWEST_CHECKED: u64 = 64;

/// The oldest program, by schema version, that can read and append to what this one writes.
const READABLE_FROM: u64 = 1;

pub(super) fn open(dir: &Path, args: OpenArgs) -> Result<(Journal, OpenReport), OpenError> {
    if rusqlite::version_number() < schema::SQLITE_VERSION_MIN {
        return Err(OpenError::OldSqlite(rusqlite::version_number()));
    }
    let at = Place { dir };
    files::make_dir(dir).map_err(at.file("make the folder"))?;
    if files::is_read_only(dir) {
        return Err(OpenError::ReadOnly(dir.to_owned()));
    }
    let lock = files::lock(dir)?;
    files::make_private(dir);
    let opening = Opening { at, args, lock };
    if let Some(marker) = Marker::pending(dir).map_err(opening.at.file("read the marker"))? {
        return opening.replace(marker);
    }
    let side = SideFile::read(dir).map_err(opening.at.file("read the side file"))?;
    match opening.look(&side)? {
        Found::Nothing => opening.begin(),
        Found::Sound(sound) => opening.go_on(&side, sound),
        Found::Bad(why) => {
            tracing::error!(?why, dir = %dir.display(), "the journal's database cannot be trusted and is set aside");
            let marker = Marker::begin(dir, why).map_err(opening.at.file("write the marker"))?;
            opening.replace(marker)
        }
    }
}

/// A journal without files.
pub(super) fn in_memory(args: &OpenArgs) -> rusqlite::Result<Journal> {
    let mut conn = Connection::open_in_memory()?;
    schema::make_writer(&conn, &args.hooks)?;
    fill_new(&mut conn, args, &mut |_, state| Ok((state, ())))?;
    let state = rows::state(&conn)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(Journal {
        dir: ":memory:".into(),
        conn: Some(conn),
        lock: None,
        retention: args.retention,
        ballast_bytes: 0,
        hooks: args.hooks.clone(),
        side: SideMark { head: state.head(), cursor: 0, up_ms: args.now.up_ms },
        state,
        tail: VecDeque::new(),
        since_checkpoint: 0,
        is_tight: false,
        not_stored: 0,
    })
}

/// The folder, for error texts.
#[derive(Clone, Copy)]
struct Place<'a> {
    dir: &'a Path,
}

impl Place<'_> {
    fn file(self, what: &'static str) -> impl Fn(io::Error) -> OpenError {
        move |source| {
            if source.kind() == io::ErrorKind::ReadOnlyFilesystem {
                OpenError::ReadOnly(self.dir.to_owned())
            } else {
                OpenError::File { what, path: self.dir.to_owned(), source }
            }
        }
    }

    fn storage(self, source: rusqlite::Error) -> OpenError {
        if files::is_read_only(self.dir) {
            OpenError::ReadOnly(self.dir.to_owned())
        } else {
            OpenError::Storage { dir: self.dir.to_owned(), source }
        }
    }
}

enum Found {
    Nothing,
    Sound(Sound),
    Bad(Why),
}

struct Sound {
    fully_checked: bool,
    /// Why its chain cannot be continued.
    distrust: Option<Why>,
}

struct Opening<'a> {
    at: Place<'a>,
    args: OpenArgs,
    lock: File,
}

impl Opening<'_> {
    /// Looks at the database without writing to it.
    fn look(&self, side: &SideFile) -> Result<Found, OpenError> {
        let dir = self.at.dir;
        let length = |name| match fs::metadata(dir.join(name)) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let looking = self.at.file("look at the database");
        let was_there =
            *side != SideFile::Missing || length(files::WAL).map_err(&looking)?.is_some_and(|n| n > 0);
        match length(files::DB).map_err(&looking)? {
            None if was_there => return Ok(Found::Bad(Why::Missing)),
            Some(0) if was_there => return Ok(Found::Bad(Why::Empty)),
            None | Some(0) => return Ok(Found::Nothing),
            Some(_) => {}
        }
        if let Some(why) = look_at_header(&dir.join(files::DB)).map_err(&looking)? {
            return Ok(Found::Bad(why));
        }
        match self.look_inside(side) {
            Ok(found) => Ok(found),
            Err(error) if files::is_read_only(dir) || !is_damage(&error) => Err(self.at.storage(error)),
            Err(error) => Ok(Found::Bad(Why::Corrupt(error.to_string()))),
        }
    }

    fn look_inside(&self, side: &SideFile) -> rusqlite::Result<Found> {
        let conn = schema::connect_to_look(&self.at.dir.join(files::DB))?;
        let (application, version) = (schema::application_id(&conn)?, schema::user_version(&conn)?);
        if application != APPLICATION_ID {
            let objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            return Ok(match side {
                _ if application != 0 || objects > 0 => Found::Bad(Why::Foreign(application)),
                // The first start was cut off before it wrote anything.
                SideFile::Missing => Found::Nothing,
                SideFile::Damaged | SideFile::Read(_) => Found::Bad(Why::Empty),
            });
        }
        if version > schema::newest() {
            let from = rows::meta_number(&conn, key::READABLE_FROM)?;
            if from == 0 || i64::from(schema::newest()) < rows::int(from) {
                return Ok(Found::Bad(Why::Newer(version)));
            }
        }
        let check = schema::quick_check(&conn, self.args.quick_check_ms)?;
        if let Check::Damaged(text) = check {
            return Ok(Found::Bad(Why::Corrupt(text)));
        }
        let state = rows::state(&conn)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let distrust = distrust(&conn, &state, side)?;
        Ok(Found::Sound(Sound { fully_checked: check == Check::Sound, distrust }))
    }

    /// The first start.
    fn begin(self) -> Result<(Journal, OpenReport), OpenError> {
        self.create(|_, state| Ok((state, ())))?;
        let report = OpenReport { opened: Opened::Fresh, lost: None, fully_checked: true };
        let mut journal = self.start()?;
        journal.side_at_start();
        Ok((journal, report))
    }

    /// Any other start.
    fn go_on(self, side: &SideFile, sound: Sound) -> Result<(Journal, OpenReport), OpenError> {
        let (chain, now) = (self.args.chain_if_new, self.args.now);
        let dir = self.at.dir.to_owned();
        let mut journal = self.start()?;
        let fully_checked = sound.fully_checked;
        let Some(why) = sound.distrust else {
            journal.side_at_start();
            return Ok((journal, OpenReport { opened: Opened::Continued, lost: None, fully_checked }));
        };
        tracing::error!(?why, dir = %dir.display(), "the journal's chain cannot be continued; beginning a new one");
        let failed = |source| OpenError::NewChain { dir: dir.clone(), source };
        let lost = journal.loss(side).map_err(failed)?;
        journal.start_new_chain(chain, &now).map_err(failed)?;
        Ok((journal, OpenReport { opened: Opened::NewChain { why }, lost: Some(lost), fully_checked }))
    }

    /// Sets the database aside, or goes on with that, and begins a new one with what can be saved.
    fn replace(self, mut marker: Marker) -> Result<(Journal, OpenReport), OpenError> {
        let dir = self.at.dir;
        marker.move_files(dir).map_err(self.at.file("set the database aside"))?;
        self.args.hooks.probe("set aside after moving");
        let folder = marker.folder(dir);
        let side = SideFile::read(&folder).map_err(self.at.file("read the side file that was set aside"))?;
        let side = side.side();
        let found = if self.is_replaced(&marker) {
            Salvage::default()
        } else {
            marker.move_partial(dir).map_err(self.at.file("move a half-made database"))?;
            let number = marker.number.to_string();
            let saved = self.create(|conn, state| save(conn, state, &folder, side, &marker.why, &number))?;
            self.args.hooks.probe("set aside after creating");
            saved
        };
        let lost = Lost {
            chain: found.chain,
            known_seq: side.map_or(0, |side| side.head.seq),
            after: found.newest.or_else(|| side.and_then(|side| side.id)),
            unreadable: found.unreadable,
        };
        let opened = Opened::SetAside { why: marker.why.clone(), moved_to: folder, salvaged: found.entries };
        let at = self.at;
        let mut journal = self.start()?;
        journal.side_at_start();
        Marker::finish(at.dir).map_err(at.file("remove the marker"))?;
        Ok((journal, OpenReport { opened, lost: Some(lost), fully_checked: true }))
    }

    /// Whether an earlier start made the new database and was cut off just before it took the marker away.
    fn is_replaced(&self, marker: &Marker) -> bool {
        let look = || -> rusqlite::Result<bool> {
            let conn = schema::connect_to_look(&self.at.dir.join(files::DB))?;
            Ok(rows::meta(&conn, key::SET_ASIDE)? == Some(marker.number.to_string()))
        };
        look().unwrap_or(false)
    }

    /// Makes the database: schema, first chain and what `fill` adds, in one transaction.
    fn create<T>(
        &self,
        mut fill: impl FnMut(&Connection, State) -> rusqlite::Result<(State, T)>,
    ) -> Result<T, OpenError> {
        let dir = self.at.dir;
        let made = files::owners_file().open(dir.join(files::DB));
        made.and_then(|_| durable::sync_folder(dir)).map_err(self.at.file("make the database"))?;
        match self.try_create(&mut fill) {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DiskFull)
                    && files::drop_ballast(dir).unwrap_or(false) =>
            {
                self.try_create(&mut fill)
            }
            other => other,
        }
        .map_err(|error| self.at.storage(error))
    }

    fn try_create<T>(
        &self,
        fill: &mut impl FnMut(&Connection, State) -> rusqlite::Result<(State, T)>,
    ) -> rusqlite::Result<T> {
        let mut conn = schema::connect(&self.at.dir.join(files::DB))?;
        schema::make_writer(&conn, &self.args.hooks)?;
        fill_new(&mut conn, &self.args, fill)
    }

    /// Opens the database for writing; it is there and can be trusted.
    fn start(self) -> Result<Journal, OpenError> {
        let Self { at, args, lock } = self;
        let storage = |error| at.storage(error);
        let mut conn = schema::connect(&at.dir.join(files::DB)).map_err(storage)?;
        schema::make_writer(&conn, &args.hooks).map_err(storage)?;
        schema::migrate(&mut conn, schema::MIGRATIONS, &args.hooks).map_err(storage)?;
        let restarts = rows::meta_number(&conn, key::RESTARTS).map_err(storage)? + 1;
        // The journal is of use on a full disk as well: it still sends, and says that it stores nothing.
        if let Err(error) = rows::set_meta(&conn, key::RESTARTS, &restarts.to_string()) {
            tracing::warn!(%error, dir = %at.dir.display(), "this start could not be counted");
        }
        let state = rows::state(&conn).map_err(storage)?;
        let state = state.ok_or_else(|| at.storage(rusqlite::Error::QueryReturnedNoRows))?;
        let ballast = files::make_ballast(at.dir, args.ballast_bytes).unwrap_or_else(|error| {
            tracing::warn!(%error, dir = %at.dir.display(), "no ballast");
            false
        });
        let side = SideMark { head: state.head(), cursor: state.cursor, up_ms: args.now.up_ms };
        Ok(Journal {
            dir: at.dir.to_owned(),
            conn: Some(conn),
            lock: Some(lock),
            retention: args.retention,
            ballast_bytes: args.ballast_bytes,
            hooks: args.hooks,
            state,
            tail: VecDeque::new(),
            side,
            since_checkpoint: 0,
            is_tight: !ballast,
            not_stored: 0,
        })
    }
}

impl Journal {
    /// The side file says what the database says from the first moment on.
    fn side_at_start(&mut self) {
        let up_ms = self.side.up_ms;
        if let Err(error) = self.write_side(up_ms) {
            tracing::warn!(%error, dir = %self.dir.display(), "the side file could not be written");
        }
    }

    /// What is gone from a chain that cannot be continued, and a note of it for central.
    fn loss(&mut self, side: &SideFile) -> Result<Lost, JournalError> {
        let Head { chain, seq, .. } = self.head();
        let last_n = self.state.last_n();
        let conn = self.db()?;
        let after = rows::get(conn, last_n)?.and_then(|row| rows::entry_id(&row.line?));
        if let Some(id) = after {
            rows::set_meta(conn, key::LOST_AFTER, &id.to_string())?;
        }
        let side = side.side();
        Ok(Lost {
            chain: Some(side.map_or(chain, |side| side.head.chain)),
            known_seq: side.map_or(seq, |side| side.head.seq),
            after,
            unreadable: side.map_or(0, |side| side.head.seq.saturating_sub(seq)),
        })
    }
}

/// Fills a new database with what can be saved from one that was set aside.
fn save(
    conn: &Connection,
    state: State,
    folder: &Path,
    side: Option<&files::Side>,
    why: &Why,
    number: &str,
) -> rusqlite::Result<(State, Salvage)> {
    rows::set_meta(conn, key::SET_ASIDE, number)?;
    let mut state = state;
    let found = if matches!(why, Why::Foreign(_)) {
        Salvage { chain: side.map(|side| side.head.chain), ..Salvage::default() }
    } else {
        salvage(folder, side, |line, refused| {
            if let Some(line) = renumber(line, state.last_seq + 1) {
                state = carry::add(conn, state.clone(), line, refused)?;
            }
            Ok::<(), rusqlite::Error>(())
        })?
    };
    for (key, value) in &found.meta {
        rows::set_meta(conn, key, value)?;
    }
    if let Some(id) = found.newest.or_else(|| side.and_then(|side| side.id)) {
        rows::set_meta(conn, key::LOST_AFTER, &id.to_string())?;
    }
    Ok((state, found))
}

/// Makes the schema, the first chain and what `fill` adds, in one transaction.
fn fill_new<T>(
    conn: &mut Connection,
    args: &OpenArgs,
    fill: &mut impl FnMut(&Connection, State) -> rusqlite::Result<(State, T)>,
) -> rusqlite::Result<T> {
    let transaction = schema::begin(conn)?;
    for (version, sql) in (1i32..).zip(schema::MIGRATIONS) {
        schema::apply(&transaction, version, sql, &args.hooks)?;
    }
    rows::set_meta(&transaction, key::READABLE_FROM, &READABLE_FROM.to_string())?;
    let (made_ms, chain) = (args.now.wall.timestamp_millis(), args.chain_if_new);
    transaction.execute("INSERT INTO chain (id, base, made_ms) VALUES (?1, 0, ?2)", (chain.0, made_ms))?;
    let state = rows::state(&transaction)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let (_, filled) = fill(&transaction, state)?;
    args.hooks.probe("creating before commit");
    transaction.commit()?;
    Ok(filled)
}

/// What the first bytes alone give away, before SQLite touches the file.
fn look_at_header(path: &Path) -> io::Result<Option<Why>> {
    let mut header = Vec::new();
    File::open(path)?.take(100).read_to_end(&mut header)?;
    if !header.starts_with(SQLITE_MAGIC) {
        return Ok(Some(Why::NotADatabase));
    }
    let id = header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4).and_then(|bytes| bytes.try_into().ok());
    let application = i32::from_be_bytes(id.unwrap_or_default());
    let foreign = application != 0 && application != APPLICATION_ID;
    Ok(foreign.then_some(Why::Foreign(application)))
}

/// Why a sound database's chain cannot be continued.
fn distrust(conn: &Connection, state: &State, side: &SideFile) -> rusqlite::Result<Option<Why>> {
    let first = state.last_seq.saturating_sub(NEWEST_CHECKED) + 1;
    let mut previous =
        rows::hash_at(conn, state.chain, state.base, first - 1)?.unwrap_or(chain::genesis(state.chain));
    let mut linked = 0;
    rows::scan(conn, state.base + first, state.last_n(), usize::MAX, |row| {
        let links = linking_leaf(&row, previous).is_some();
        previous = row.hash;
        linked += u64::from(links);
        links
    })?;
    if linked < state.last_seq.min(NEWEST_CHECKED) {
        return Ok(Some(Why::NewestDamaged));
    }
    let Some(head) = side.side().map(|side| side.head) else { return Ok(None) };
    if head.chain != state.chain {
        // A cut between the beginning of a chain and its side file leaves one that names an older chain.
        let known = rows::chains(conn)?.iter().any(|row| row.id == head.chain);
        return Ok((!known).then_some(Why::SideDiffers));
    }
    if head.seq > state.last_seq {
        return Ok(Some(Why::SideAhead));
    }
    let ours = rows::hash_at(conn, state.chain, state.base, head.seq)?;
    Ok((ours != Some(head.hash)).then_some(Why::SideDiffers))
}

/// Whether an error says that the database itself is bad, and not that it cannot be reached right now.
fn is_damage(error: &rusqlite::Error) -> bool {
    let passing = [
        ErrorCode::PermissionDenied,
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::OutOfMemory,
        ErrorCode::ReadOnly,
        ErrorCode::CannotOpen,
        ErrorCode::DiskFull,
        ErrorCode::OperationInterrupted,
    ];
    !error.sqlite_error_code().is_some_and(|code| passing.contains(&code))
}
