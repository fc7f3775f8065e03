//! What the portal wrote down, read beside it: comparisons are counted here, since answers alone can be polite lies.

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::rig::{Database, Site};

/// One number that a statement with text parameters finds; a connection of its own each time, and nothing is written.
pub async fn number(site: &Site, statement: &'static str, given: &[&str]) -> u64 {
    macro_rules! ask {
        ($connection:ty) => {{
            let mut connection = <$connection>::connect(&site.database_url()).await.unwrap();
            let mut query = sqlx::query_scalar::<_, i64>(statement);
            for value in given {
                query = query.bind(value.to_string());
            }
            let found = query.fetch_one(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            found
        }};
    }
    let found = match site.database() {
        Database::Sqlite => ask!(SqliteConnection),
        Database::Postgres => ask!(PgConnection),
    };
    u64::try_from(found).unwrap()
}

/// How many events of a kind there are.
pub async fn events(site: &Site, kind: &str) -> u64 {
    number(site, "SELECT COUNT(*) FROM portal_audit WHERE kind = $1", &[kind]).await
}

/// How many passwords the login page has compared, with an account's hash or with the dummy (I-37).
pub async fn logins_compared(site: &Site) -> u64 {
    const COUNT: &str = "SELECT COUNT(*) FROM portal_audit \
         WHERE kind IN ('sign_in.done', 'sign_in.code_sent', 'sign_in.refused')";
    number(site, COUNT, &[]).await
}

/// How many accounts there are.
pub async fn accounts(site: &Site) -> u64 {
    number(site, "SELECT COUNT(*) FROM portal_accounts", &[]).await
}

/// How many events of a kind there are about the account with this address.
pub async fn events_about(site: &Site, address: &str, kind: &str) -> u64 {
    const COUNT: &str = "SELECT COUNT(*) FROM portal_audit JOIN portal_accounts \
         ON portal_accounts.id = portal_audit.account_id WHERE email = $1 AND kind = $2";
    number(site, COUNT, &[address, kind]).await
}

/// Everything that an act of a person writes, in numbers: rows and versions. Requests that do nothing leave it as it is.
pub async fn state(site: &Site) -> Vec<u64> {
    const ALL: [&str; 9] = [
        "SELECT COUNT(*) FROM portal_audit",
        "SELECT COUNT(*) FROM portal_outbox",
        "SELECT COUNT(*) FROM portal_sessions",
        "SELECT COUNT(*) FROM portal_challenges",
        "SELECT COUNT(*) FROM portal_devices",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM portal_accounts",
        "SELECT CAST(COALESCE(SUM(version + tries), 0) AS BIGINT) FROM portal_links",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM portal_registrations",
        "SELECT CAST(COALESCE(SUM(failures), 0) AS BIGINT) FROM portal_throttle",
    ];
    let mut found = Vec::with_capacity(ALL.len());
    for statement in ALL {
        found.push(number(site, statement, &[]).await);
    }
    found
}
