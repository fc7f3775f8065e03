//! A throw-away PostgreSQL, started from the installed binaries and gone when the test process is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::supervised::{Supervised, free_port, on_path, scratch_path, unique};

/// Where a PostgreSQL server for tests can be reached; its user may create databases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// The URL, such as `postgres://portal@127.0.0.1:40213/postgres`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a new empty database on this server; it is dropped with the answer.
    pub fn fresh_database(&self) -> FreshDatabase {
        let name = format!("rig_{}", unique());
        run_sql(&self.0, &format!("CREATE DATABASE {name}"));
        FreshDatabase {
            url: with_database(&self.0, &name),
            name,
            server: self.0.clone(),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A database of its own for one test, dropped (connections and all) when this goes.
#[derive(Debug)]
pub struct FreshDatabase {
    url: String,
    name: String,
    server: String,
}

impl FreshDatabase {
    /// The URL of the database.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for FreshDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        // Best effort: a throw-away server takes it along anyway.
        drop(
            psql(
                &self.server,
                &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
            )
            .output(),
        );
    }
}

/// The PostgreSQL of this test process: `DATABASE_URL` when set, else a throw-away cluster without fsync.
///
/// # Panics
/// When PostgreSQL is not installed or does not start, with a sentence that says what to do.
pub fn postgres() -> PostgresUrl {
    postgres_with(false)
}

/// As [`postgres`]; with `fsync` always a throw-away cluster whose commits are on the disk when they return.
///
/// # Panics
/// As [`postgres`].
pub fn postgres_with(fsync: bool) -> PostgresUrl {
    static FAST: OnceLock<Cluster> = OnceLock::new();
    static DURABLE: OnceLock<Cluster> = OnceLock::new();
    if fsync {
        return DURABLE.get_or_init(|| Cluster::start(true)).url.clone();
    }
    match std::env::var("DATABASE_URL") {
        Ok(url) if url.starts_with("postgres") => PostgresUrl(url),
        _ => FAST.get_or_init(|| Cluster::start(false)).url.clone(),
    }
}

/// Makes a new empty database on [`postgres`]; it is dropped with the answer.
///
/// # Panics
/// As [`postgres`].
pub fn fresh_database() -> FreshDatabase {
    postgres().fresh_database()
}

#[derive(Debug)]
struct Cluster {
    url: PostgresUrl,
    // Held for its pipe: when this process ends, the supervisor stops the server.
    _server: Supervised,
}

impl Cluster {
    fn start(fsync: bool) -> Self {
        let bin = server_binaries();
        let mut said = String::new();
        // Another process may take the free port before the server does.
        for _ in 0..3 {
            let port = free_port();
            // On tmpfs an fsync means nothing, so the durable cluster lives in the temporary folder.
            let dir = if fsync {
                std::env::temp_dir().join(format!("portal-pg.{}", unique()))
            } else {
                scratch_path("pg")
            };
            let on_off = if fsync { "on" } else { "off" };
            let args = [text(&bin), text(&dir), port.to_string(), on_off.into()];
            match Supervised::start(SUPERVISOR, &args.each_ref().map(String::as_str)) {
                Ok(server) => {
                    let url = PostgresUrl(format!("postgres://portal@127.0.0.1:{port}/postgres"));
                    return Self { url, _server: server };
                }
                Err(why) => said = why,
            }
        }
        panic!("the throw-away PostgreSQL did not start: {}", said.trim());
    }
}

/// `$1` binaries, `$2` folder, `$3` port, `$4` fsync. As root, everything runs as user `postgres`.
const SUPERVISOR: &str = r#"
bin=$1 dir=$2 port=$3 fsync=$4
trap '' INT TERM HUP PIPE
umask 077
as=
if [ "$(id -u)" = 0 ]; then as='runuser -u postgres --'; fi
clean() { $as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1; rm -rf "$dir"; }
trap clean EXIT
mkdir "$dir" || { echo "cannot make $dir"; exit 1; }
if [ -n "$as" ]; then chown postgres "$dir" || { echo 'no system user "postgres"'; exit 1; }; fi
$as "$bin/initdb" -D "$dir/data" -U portal -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 </dev/null \
  || { tail -n 5 "$dir/initdb.log"; exit 1; }
$as "$bin/pg_ctl" -D "$dir/data" -w -t 30 -l "$dir/data/server.log" start \
  -o "-k $dir -h 127.0.0.1 -p $port -c fsync=$fsync -c synchronous_commit=$fsync -c full_page_writes=$fsync -c max_connections=200" \
  >/dev/null 2>&1 </dev/null || { tail -n 5 "$dir/data/server.log"; exit 1; }
echo ready
cat >/dev/null
"#;

fn server_binaries() -> PathBuf {
    let newest_packaged = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse::<u32>().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .max();
    if let Some((_, bin)) = newest_packaged {
        return bin;
    }
    // A link on PATH leads to the folder that also holds the server.
    let linked = on_path(&["initdb"])
        .and_then(|p| p.canonicalize().ok())
        .and_then(|p| Some(p.parent()?.to_path_buf()));
    match linked {
        Some(bin) if bin.join("pg_ctl").is_file() => bin,
        _ => panic!(
            "these tests need PostgreSQL: install it with `apt-get install -y --no-install-recommends postgresql`, \
             or set DATABASE_URL to a server on which the user may create databases"
        ),
    }
}

fn run_sql(url: &str, sql: &str) {
    let done = psql(url, sql)
        .output()
        .unwrap_or_else(|e| panic!("psql did not start: {e}"));
    assert!(
        done.status.success(),
        "psql failed: {}",
        String::from_utf8_lossy(&done.stderr).trim()
    );
}

fn psql(url: &str, sql: &str) -> Command {
    let program = on_path(&["psql"]).unwrap_or_else(|| server_binaries().join("psql"));
    let mut command = Command::new(program);
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, "-d", url]);
    command
}

fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(a, o)| (a, Some(o)));
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(after_scheme);
    let authority = rest.split('/').next().unwrap_or(rest);
    let options = options.map_or_else(String::new, |o| format!("?{o}"));
    format!("{scheme}{authority}/{name}{options}")
}

fn text(path: &Path) -> String {
    path.to_str()
        .unwrap_or_else(|| panic!("{} is not UTF-8", path.display()))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_in_a_url_is_replaced_and_its_options_are_kept() {
        assert_eq!(
            with_database("postgres://u:p@h:1/a?sslmode=disable", "b"),
            "postgres://u:p@h:1/b?sslmode=disable"
        );
        assert_eq!(with_database("postgres://h", "b"), "postgres://h/b");
    }

    #[test]
    fn each_fresh_database_is_empty_and_its_own() {
        let (a, b) = (fresh_database(), fresh_database());
        run_sql(a.url(), "CREATE TABLE t (x int)");
        run_sql(b.url(), "CREATE TABLE t (x int)");
        let gone = a.url().to_owned();
        drop(a);
        assert!(!psql(&gone, "SELECT 1").output().unwrap().status.success());
        run_sql(b.url(), "SELECT * FROM t");
    }

    #[test]
    fn the_durable_cluster_has_fsync_on() {
        let answer = psql(postgres_with(true).as_str(), "SHOW fsync")
            .arg("-At")
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "on");
    }
}
