//! One line for each attack: what was tried, how often, and how near it came.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::chance;
use crate::rig::Database;

/// What one run of a case counted: figures by name, in the order they were noted.
#[derive(Debug, Default)]
pub struct Figures(Vec<(&'static str, String)>);

impl Figures {
    /// Nothing counted so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a figure: `rounds`, `ways`, a budget and what was used of it, a seed that repeats the run.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl std::fmt::Display) -> Self {
        self.0.push((name, value.to_string()));
        self
    }
}

/// Prints the line of a case that passed on both databases.
///
/// `name` is the name of its test, `p_01_what_is_tried`. The line goes past the test harness, which keeps what
/// `println!` writes to itself.
pub fn passed(name: &str, runs: &[(Database, Figures)]) {
    let mut words = name.split('_').skip(1);
    let number = words.next().unwrap();
    let attack = words.collect::<Vec<_>>().join(" ");
    let mut line = format!("P-{number} passed: {attack} | seed {}", chance::seed());
    for (database, figures) in runs {
        write!(line, " | {database:?}").unwrap();
        for (figure, value) in &figures.0 {
            write!(line, ", {figure} {value}").unwrap();
        }
    }
    line.push('\n');
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// Makes a test of each case: on SQLite, then on PostgreSQL, then its line.
///
/// A case is an `async fn p_01_…(database: Database, chance: Chance) -> Figures`.
macro_rules! attack_cases {
    ($($name:ident)+) => {
        mod cases {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let name = stringify!($name);
                // Shown by the test harness where the case fails.
                println!("ATTACK_SEED={}", $crate::chance::seed());
                let mut runs = Vec::new();
                for database in [$crate::rig::Database::Sqlite, $crate::rig::Database::Postgres] {
                    let chance = $crate::chance::Chance::of(name, database);
                    runs.push((database, super::$name(database, chance).await));
                }
                $crate::report::passed(name, &runs);
            })+
        }
    };
}
pub(crate) use attack_cases;
