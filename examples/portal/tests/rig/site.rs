//! An installation of the portal: its folder, database, mail server and clock. Several processes can serve it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use test_rig::{FreshDatabase, ParsedMail, SmtpServer, parse_mail};

use super::cable::Cable;
use super::program::Portal;

/// Which database a site has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// An installation with settings of its own.
#[derive(Debug)]
pub struct Site {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    /// The address that every process listens on.
    listen: &'static str,
    smtp: Option<SmtpServer>,
    clock: Clock,
    database: Database,
    // Held so that it is dropped with the site, after every portal.
    _database: Option<FreshDatabase>,
}

impl Site {
    /// A site whose mail goes over STARTTLS to a server with a password.
    pub fn new(database: Database) -> Self {
        let smtp = SmtpServer::start();
        let mut site = Self::with_inbox(database);
        site.set("PORTAL_SMTP_URL", &smtp.url());
        site.set("PORTAL_SMTP_CA_FILE", &smtp.ca_file().display().to_string());
        site.set("PORTAL_MAIL_FROM", "no-reply@portal.example");
        site.smtp = Some(smtp);
        site
    }

    /// A site whose mail stays in the development inbox.
    pub fn with_inbox(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fresh = (database == Database::Postgres).then(test_rig::fresh_database);
        // After the server has started, which takes its time: `/readyz` compares the two clocks.
        let clock = Clock::new(folder.path().join("clock"));
        let url = fresh
            .as_ref()
            .map_or_else(|| "sqlite://portal.db".to_owned(), |d| d.url().to_owned());
        let variables = BTreeMap::from([
            ("PORTAL_DATABASE_URL", url),
            ("PORTAL_HELP_EMAIL", "help@portal.example".to_owned()),
            ("PORTAL_TEST_CLOCK_FILE", clock.file.display().to_string()),
            ("PORTAL_TEST_CHEAP_HASH", "true".to_owned()),
            ("PORTAL_ANSWER_STEP", "0s".to_owned()),
        ])
        .into_iter()
        .map(|(variable, value)| (variable.to_owned(), value))
        .collect();
        Self {
            folder,
            variables,
            listen: "127.0.0.1",
            smtp: None,
            clock,
            database,
            _database: fresh,
        }
    }

    /// Sets a variable of every program started from now on.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.variables.insert(variable.to_owned(), value.to_owned());
    }

    /// A variable of every program, where it was set.
    pub fn variable(&self, variable: &str) -> Option<&str> {
        self.variables.get(variable).map(String::as_str)
    }

    /// Puts a cable between every program started from now on and the PostgreSQL of this site.
    pub fn database_cable(&mut self) -> Cable {
        let mut url = url::Url::parse(&self.variables["PORTAL_DATABASE_URL"]).unwrap();
        let (host, port) = (url.host_str().unwrap(), url.port().unwrap_or(5432));
        let cable = Cable::to(&format!("{host}:{port}"));
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(cable.port())).unwrap();
        self.set("PORTAL_DATABASE_URL", url.as_str());
        cable
    }

    /// Trusts this machine as a proxy, so that people can come from everywhere ([`Person::from`](super::Person::from)).
    pub fn behind_a_proxy(mut self) -> Self {
        self.set("PORTAL_TRUSTED_PROXIES", "127.0.0.1");
        self
    }

    /// Which database this site has.
    pub fn database(&self) -> Database {
        self.database
    }

    /// Where the database is, for whoever looks into it beside the portal.
    pub fn database_url(&self) -> String {
        match self.database {
            Database::Sqlite => format!("sqlite://{}", self.folder().join("portal.db").display()),
            Database::Postgres => self.variables["PORTAL_DATABASE_URL"].clone(),
        }
    }

    /// Listens on every address of the machine, while links still lead to this machine only.
    pub fn listen_everywhere(&mut self) {
        self.listen = "0.0.0.0";
    }

    /// The clock of every process.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The mail server.
    pub fn smtp(&self) -> &SmtpServer {
        self.smtp.as_ref().expect("this site has a mail server")
    }

    /// The folder that every program runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portal"));
        command
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .current_dir(self.folder.path());
        command
    }

    /// Runs a command of the portal to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("the portal starts")
    }

    /// Runs a command that should end by itself at once; nothing where it goes on.
    pub async fn run_briefly(&self, arguments: &[&str]) -> Option<Output> {
        let mut command = tokio::process::Command::from(self.program(arguments));
        command.kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_secs(20), command.output()).await;
        output.ok().map(|output| output.expect("the portal starts"))
    }

    /// Starts a process that serves this site on a port of its own.
    pub async fn open(&self) -> Portal {
        for _ in 0..5 {
            let port = free_port();
            let mut command = self.program(&["serve", "--listen", &format!("{}:{port}", self.listen)]);
            if !self.variables.contains_key("PORTAL_BASE_URL") {
                command.env("PORTAL_BASE_URL", format!("http://127.0.0.1:{port}"));
            }
            if let Some(portal) = Portal::start(command, port).await {
                return portal;
            }
        }
        panic!("five free ports in a row were taken by somebody else");
    }

    /// The `count`-th mail to the address, read by another program's parser; it must be the newest.
    pub async fn mail_to(&self, address: &str, count: usize) -> ParsedMail {
        let mails = self.smtp().wait_for_mail_to(address, count).await;
        assert_eq!(mails.len(), count, "more mails to {address} than expected");
        let mail = mails.last().unwrap();
        assert!(mail.encrypted, "a mail went over an open line");
        assert_eq!(mail.user.as_deref(), Some("portal"));
        parse_mail(&mail.raw)
    }

    /// The newest mail to the address whose subject begins like this, as soon as there is one.
    pub async fn mail_about(&self, address: &str, subject: &str) -> ParsedMail {
        let mut count = 1;
        loop {
            let mails = self.smtp().wait_for_mail_to(address, count).await;
            count = mails.len() + 1;
            let mut newest_first = mails.iter().rev().map(|mail| parse_mail(&mail.raw));
            if let Some(mail) = newest_first.find(|mail| mail.subject.starts_with(subject)) {
                return mail;
            }
        }
    }

    /// How many mails have come to the address so far.
    pub fn mails_to(&self, address: &str) -> usize {
        self.smtp().mails_to(address).len()
    }
}

/// The path and query of the first link in a mail.
pub fn link_in(mail: &ParsedMail) -> String {
    let link = mail.first_link().expect("the mail holds a link");
    let url = url::Url::parse(link).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// The code in the first line of a mail, without its space.
pub fn code_in(mail: &ParsedMail) -> String {
    let first = mail.text.lines().next().unwrap_or_default();
    let code: String = first
        .split(" is your Verification Code")
        .next()
        .unwrap()
        .chars()
        .filter(|c| *c != ' ')
        .collect();
    assert!(
        code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()),
        "no code in {first:?}"
    );
    code
}

/// A code of the same length that is certainly not this one.
pub fn not(code: &str) -> String {
    let other = |c: char| if c == '9' { '0' } else { '9' };
    code.chars().map(other).collect()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().unwrap().port()
}

/// The clock that every process of a site reads; it stands until it is moved.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the databases' own clocks stand beside this one"
    )]
    fn new(file: PathBuf) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = Self { file };
        clock.write(i64::try_from(now.as_micros()).unwrap());
        clock
    }

    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        let now: i64 = std::fs::read_to_string(&self.file).unwrap().parse().unwrap();
        self.write(now + i64::try_from(by.as_micros()).unwrap());
    }

    fn write(&self, micros: i64) {
        // Renamed into place, so that nobody reads half of it.
        let new = self.file.with_extension("new");
        std::fs::write(&new, micros.to_string()).unwrap();
        std::fs::rename(&new, &self.file).unwrap();
    }
}
