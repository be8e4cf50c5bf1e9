//! The database file: its access rights, its schema versions, and files that belong to other programs.

use std::sync::Arc;

use xinsheng::{
    central::{
        self,
        store::{IncidentKind, Store, sqlite::SqliteStore},
    },
    model::StoreId,
};

use super::{accepted, all_counts, called, calls, only, send_after, send_all, site, sqlite};
use crate::{
    faults::survived,
    journal::{Journal, answer, help, start},
};

/// What a newer program leaves behind: more than this one knows, usable by programs from `floor` on.
fn newer(path: &std::path::Path, floor: u32) {
    let newer = rusqlite::Connection::open(path).unwrap();
    newer
        .execute_batch(&format!(
            "create table moods (mood text); alter table terminals add column mood text; \
             update schema_use set min_reader = {floor}; pragma user_version = 99"
        ))
        .unwrap();
    newer.close().unwrap();
}

#[test]
fn fault_25_a_database_of_a_newer_central_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.sqlite");
    drop(sqlite(folder.path()));
    newer(&path, 98);
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path, StoreId::from_parts(1, [1; 10]), start()).err().unwrap().to_string();
    assert!(error.contains("schema 99") && error.contains("from schema 98 on"), "{error}");
    assert!(error.contains("Install the newer program again, or restore the backup"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    survived!(25; 1, "database of a newer central");
}

#[test]
fn fault_25_a_database_to_which_a_newer_central_only_added_is_used_on_and_backed_up_after_a_roll_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("central.sqlite");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut journal = Journal::new(1);
    journal.push(answer(1, 5));
    runtime.block_on(send_all(&sqlite(folder.path()), "t-1", &journal));
    newer(&path, 1);
    runtime.block_on(async {
        let rolled_back = sqlite(folder.path());
        journal.push(answer(2, 5));
        let (head, last) = (journal.head(), journal.last_seq());
        assert_eq!(send_all(&rolled_back, "t-1", &journal).await, accepted(last, head, 1, 1, true));
        assert_eq!(all_counts(&rolled_back).await, only("a", 5, 2));
    });
    let file = rusqlite::Connection::open(&path).unwrap();
    let version: u32 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 99, "the newer program finds its schema as it left it");
    drop(file);

    drop(central::open_store(folder.path()).unwrap());
    std::fs::write(folder.path().join("central.key"), [7; 32]).unwrap();
    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = central::backup(folder.path(), out.path()).unwrap();
    assert_eq!(central::restore(&made, elsewhere.path(), false).unwrap().entries, 2);
    survived!(25; 1, "upgrade rolled back");
}

#[test]
fn the_database_is_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let modes = || -> Vec<u32> {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777).collect()
    };
    let store = sqlite(folder.path());
    assert!(modes().len() >= 2 && modes().iter().all(|mode| *mode == 0o600), "{:?}", modes());
    drop(store);
    let path = folder.path().join("central.sqlite");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _store = sqlite(folder.path());
    assert!(modes().iter().all(|mode| *mode == 0o600), "a database of an earlier version: {:?}", modes());
}

#[test]
fn a_store_opened_again_is_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut journal = Journal::new(1);
        journal.push(answer(1, 5));
        let store = sqlite(folder.path());
        let id = store.id();
        send_all(&store, "t-1", &journal).await;
        drop(store);
        let fresh = StoreId::from_parts(2, [2; 10]);
        let again: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("central.sqlite"), fresh, start()).unwrap());
        assert_eq!(again.id(), id);
        assert_eq!(send_all(&again, "t-1", &journal).await, accepted(1, journal.head(), 0, 1, false));
        assert_eq!(all_counts(&again).await, only("a", 5, 1));
    });
}

#[test]
fn a_store_of_the_first_schema_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let first = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    first.execute_batch(include_str!("../../../src/central/store/sqlite/0001_tables.sql")).unwrap();
    first
        .execute_batch(
            "pragma application_id = 0x58534345; pragma user_version = 1; \
             insert into store_info values (1, '00000000-0001-7101-8101-010101010101', 0); \
             insert into reasons values ('main', zeroblob(16), 'a', 'window', 'long@1', 1, '[]', 'en', \
             zeroblob(16), 1, 0)",
        )
        .unwrap();
    drop(first);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = sqlite(folder.path());
        let mut journal = Journal::new(1);
        journal.push(help("window", "en"));
        assert_eq!(called(&send_after(&store, &journal, 1).await), 1);
        assert_eq!(calls(&store).await.len(), 1);
    });
    let again = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    let kept: (Vec<u8>, i64) =
        again.query_row("select boot, up_ms from reasons", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(kept, (vec![0; 16], 0));
    survived!(25; 1, "database of an older central");
}

#[test]
fn incidents_and_waiting_entries_of_the_fifth_schema_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let fifth = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    for step in [
        include_str!("../../../src/central/store/sqlite/0001_tables.sql"),
        include_str!("../../../src/central/store/sqlite/0002_help.sql"),
        include_str!("../../../src/central/store/sqlite/0003_keeping.sql"),
        include_str!("../../../src/central/store/sqlite/0004_reasons.sql"),
        include_str!("../../../src/central/store/sqlite/0005_self_tests.sql"),
    ] {
        fifth.execute_batch(step).unwrap();
    }
    fifth
        .execute_batch(
            "pragma application_id = 0x58534345; pragma user_version = 5; \
             insert into alarms values ('main', 'clone', '07', 't-1', 5, 9, 3, 'in words'); \
             insert into terminals (site, terminal, public_key, hardware_id, software, enrolled_at, health) values \
             ('main', 't-1', 'k', 'h', '1', 0, '{\"queue_depth\":7}'), \
             ('main', 't-2', 'k', 'h', '1', 0, '{\"queue_depth\":18446744073709551615}'), \
             ('main', 't-3', 'k', 'h', '1', 0, null)",
        )
        .unwrap();
    drop(fifth);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = sqlite(folder.path());
        let [incident] = store.incidents(&site(), 9).await.unwrap().try_into().unwrap();
        assert_eq!((incident.kind, incident.times), (IncidentKind::Clone, 3));
        assert_eq!((incident.subject.as_str(), incident.detail.as_str()), ("07", "in words"));
        let fleet = store.fleet(&site(), start()).await.unwrap();
        assert_eq!((fleet.terminals, fleet.queue_depth), (3, (1 << 48) + 7));
    });
}

#[test]
fn the_site_is_the_first_column_of_every_key() {
    let folder = tempfile::tempdir().unwrap();
    drop(sqlite(folder.path()));
    let database = rusqlite::Connection::open(folder.path().join("central.sqlite")).unwrap();
    let mut keys = database
        .prepare(
            "select t.name || '.' || i.name, c.name from pragma_table_list t \
             join pragma_index_list(t.name) i join pragma_index_xinfo(i.name) c \
             where t.schema = 'main' and t.type = 'table' and c.seqno = 0",
        )
        .unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let keys: Vec<(String, Option<String>)> = keys.query_map([], read).unwrap().map(Result::unwrap).collect();
    assert!(keys.len() > 20, "{keys:?}");
    for (key, first) in keys {
        assert_eq!(first.as_deref(), Some("site"), "{key}");
    }
}

#[test]
fn a_foreign_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite");
    rusqlite::Connection::open(&path).unwrap().execute_batch("create table theirs (x)").unwrap();
    let error = SqliteStore::open(&path, StoreId::from_parts(1, [1; 10]), start()).err().unwrap();
    assert!(error.to_string().contains("another program"), "{error}");
}
