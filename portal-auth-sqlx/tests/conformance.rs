//! The conformance suite of the ports, on both engines (DB-6).

mod support;

mod postgres {
    use super::support;
    use portal_auth_sqlx::postgres::PostgresStore;

    async fn empty_store() -> (PostgresStore, support::Postgres) {
        let database = support::Postgres::fresh().await;
        (database.open().await, database)
    }

    portal_auth::conformance_suite!(empty_store);
}

mod sqlite {
    use super::support;
    use portal_auth_sqlx::sqlite::SqliteStore;

    async fn empty_store() -> (SqliteStore, support::Sqlite) {
        let file = support::Sqlite::fresh();
        (file.open().await, file)
    }

    portal_auth::conformance_suite!(empty_store);
}
