//! Everything that a site has written down: each row of each table, and the bytes of each file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

use crate::rig::{Database, Site};

/// The rows of every table as text, with bytes in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables(BTreeMap<String, Vec<String>>);

impl Tables {
    /// Reads all tables of a site's database.
    pub async fn of(site: &Site) -> Self {
        let mut tables = match site.database() {
            Database::Sqlite => sqlite(site).await,
            Database::Postgres => postgres(site).await,
        };
        for rows in tables.values_mut() {
            rows.sort_unstable();
        }
        assert!(tables.contains_key("portal_accounts"), "{:?}", tables.keys());
        Self(tables)
    }

    /// The names of the tables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The rows of a table.
    pub fn rows(&self, table: &str) -> &[String] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }

    /// Every row with the name of its table.
    pub fn all_rows(&self) -> impl Iterator<Item = (&str, &str)> {
        let tables = self.0.iter();
        tables.flat_map(|(table, rows)| rows.iter().map(|row| (table.as_str(), row.as_str())))
    }

    /// The rows that were not there before, and those that are gone.
    ///
    /// Seals over the audit, which are made in the background, and the last activity of sessions do not count.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let own = |tables: &Self| {
            let rows = tables
                .all_rows()
                .filter(|(table, _)| *table != "portal_audit_seals");
            let rows = rows.map(|(table, row)| format!("{table}: {}", without_own(row)));
            rows.collect::<std::collections::BTreeSet<_>>()
        };
        let (now, before) = (own(self), own(before));
        now.symmetric_difference(&before).cloned().collect()
    }
}

/// A row without the columns that change by themselves.
fn without_own(row: &str) -> String {
    let columns = row
        .split(COLUMN)
        .filter(|column| !OWN.iter().any(|own| column.starts_with(own)));
    columns.collect::<Vec<_>>().join(COLUMN)
}

const OWN: [&str; 3] = ["seal=", "place=", "last_seen="];

/// Stands between two columns of a row.
const COLUMN: &str = " | ";

async fn sqlite(site: &Site) -> BTreeMap<String, Vec<String>> {
    let file = SqliteConnectOptions::new().filename(site.folder().join("portal.db"));
    let mut open: SqliteConnection = file.read_only(true).connect().await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .fetch_all(&mut open)
    .await
    .unwrap();
    let mut found = BTreeMap::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut open)
            .await
            .unwrap();
        let row = row_of(&columns, |column| format!("quote({column})"));
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {row} FROM {table}")));
        found.insert(table, rows.fetch_all(&mut open).await.unwrap());
    }
    found
}

async fn postgres(site: &Site) -> BTreeMap<String, Vec<String>> {
    let mut open = PgConnection::connect(&site.database_url()).await.unwrap();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()")
            .fetch_all(&mut open)
            .await
            .unwrap();
    let mut found = BTreeMap::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar(
            "SELECT column_name::text FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
        )
        .bind(&table)
        .fetch_all(&mut open)
        .await
        .unwrap();
        let row = row_of(&columns, |column| format!("coalesce({column}::text, 'NULL')"));
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {row} FROM {table}")));
        found.insert(table, rows.fetch_all(&mut open).await.unwrap());
    }
    found
}

/// The expression for a row: `column=value` for each, with [`COLUMN`] between them.
fn row_of(columns: &[String], value: impl Fn(&str) -> String) -> String {
    let cells = columns
        .iter()
        .map(|column| format!("'{column}=' || {}", value(column)));
    cells.collect::<Vec<_>>().join(&format!(" || '{COLUMN}' || "))
}

/// Every file in the folder of a site, SQLite's database and its write-ahead log among them.
pub fn files_of(site: &Site) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(site.folder()).unwrap();
    let paths = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.is_file());
    // SQLite may take its log away between the two.
    paths
        .filter_map(|path| Some((path.clone(), std::fs::read(&path).ok()?)))
        .collect()
}
