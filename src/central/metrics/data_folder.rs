//! What is to be watched of the folder where database and key lie: room, size, and when it was last backed up.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};

use crate::central::{backup, data_dir};

/// As it stands.
#[derive(Clone, Copy, Default)]
pub(in crate::central) struct DataFolder {
    /// Room for central's own user; `None` if the system does not say.
    pub(in crate::central) free_bytes: Option<u64>,
    pub(in crate::central) database_bytes: u64,
    /// When the last backup that succeeded was begun.
    pub(in crate::central) backup_at: Option<DateTime<Utc>>,
}

impl DataFolder {
    pub(in crate::central) fn look(folder: &Path) -> Self {
        let free = |room: rustix::fs::StatVfs| room.f_bavail.saturating_mul(room.f_frsize);
        let size = |name: &str| fs::metadata(folder.join(name)).map_or(0, |file| file.len());
        let log = format!("{}-wal", data_dir::DATABASE_FILE);
        Self {
            free_bytes: rustix::fs::statvfs(folder).ok().map(free),
            database_bytes: size(data_dir::DATABASE_FILE).saturating_add(size(&log)),
            backup_at: backup::last(folder),
        }
    }
}
