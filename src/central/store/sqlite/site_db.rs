//! A connection for statements about one site.

use rusqlite::{Connection, Params, Row};

use super::{Read, codec::unsigned};
use crate::model::SiteId;

/// A connection, and the site that every statement on it is about: `?1` of each.
#[derive(Clone, Copy)]
pub(super) struct SiteDb<'a> {
    pub(super) connection: &'a Connection,
    pub(super) site: &'a SiteId,
}

impl<'a> SiteDb<'a> {
    /// The site as it stands in the tables.
    pub(super) fn site(self) -> &'a str {
        self.site.as_str()
    }

    /// All rows of a query.
    pub(super) fn all<T>(
        self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut list = Vec::new();
        while let Some(row) = rows.next()? {
            list.push(read(row)?);
        }
        Ok(list)
    }

    /// The first row of a query, if there is one.
    pub(super) fn first<T>(
        self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Read<T>,
    ) -> Read<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// The number that a query for one gives.
    pub(super) fn count(self, sql: &str, params: impl Params) -> Read<u64> {
        let n: i64 = self.connection.prepare_cached(sql)?.query_row(params, |row| row.get(0))?;
        unsigned(n)
    }

    /// Runs a statement; gives how many rows it changed.
    pub(super) fn run(self, sql: &str, params: impl Params) -> Read<usize> {
        Ok(self.connection.prepare_cached(sql)?.execute(params)?)
    }
}
