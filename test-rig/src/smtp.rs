//! A real SMTP server in the test process: STARTTLS or implicit TLS, AUTH PLAIN and LOGIN, faults on demand.
//!
//! It runs on a thread and a runtime of its own, so plain `#[test]`s, async tests and programs started by a test can
//! all talk to it. It ends when it is dropped.

use std::collections::HashSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc as sync_mpsc};
use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use crate::smtp_session::{Fault, serve};
use crate::supervised::unique;
use crate::tls::TestCa;

/// How long the waiting methods wait.
const WAIT: Duration = Duration::from_secs(20);

/// A mail that the server has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The envelope sender.
    pub from: String,
    /// The envelope recipients.
    pub to: Vec<String>,
    /// The mail itself after dot-unstuffing, with CR LF line ends.
    pub raw: Vec<u8>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// Who was signed in.
    pub user: Option<String>,
}

/// How the server is to be; see [`SmtpServer::builder`].
#[derive(Debug, Clone)]
pub struct SmtpServerBuilder {
    implicit_tls: bool,
    login_only: bool,
    credentials: Option<(String, String)>,
    fault: Fault,
}

impl SmtpServerBuilder {
    /// TLS from the first byte, instead of STARTTLS.
    pub fn implicit_tls(mut self) -> Self {
        self.implicit_tls = true;
        self
    }

    /// Offers AUTH LOGIN only.
    pub fn login_only(mut self) -> Self {
        self.login_only = true;
        self
    }

    /// The name and password to demand; the default is `portal` and `s3cret`.
    pub fn credentials(mut self, user: &str, password: &str) -> Self {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Takes mail from anybody and offers no AUTH.
    pub fn without_credentials(mut self) -> Self {
        self.credentials = None;
        self
    }

    /// The fault to begin with.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// Starts the server on a free port of 127.0.0.1; it listens when this returns.
    ///
    /// # Panics
    /// When the system refuses a thread or a port.
    pub fn start(self) -> SmtpServer {
        SmtpServer::run(self)
    }
}

/// A running SMTP server.
pub struct SmtpServer {
    shared: Arc<Shared>,
    port: u16,
    doors: mpsc::UnboundedSender<Door>,
    ca_file: PathBuf,
}

impl SmtpServer {
    /// A server with STARTTLS and AUTH that takes every mail.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A server that differs from [`start`](Self::start).
    pub fn builder() -> SmtpServerBuilder {
        let credentials = Some(("portal".to_owned(), "s3cret".to_owned()));
        SmtpServerBuilder {
            implicit_tls: false,
            login_only: false,
            credentials,
            fault: Fault::None,
        }
    }

    fn run(how: SmtpServerBuilder) -> Self {
        let shared = Arc::new(Shared {
            implicit_tls: how.implicit_tls,
            login_only: how.login_only,
            credentials: how.credentials,
            tls: TestCa::of_this_process().acceptor(),
            state: Mutex::new(State {
                fault: how.fault,
                mails: Vec::new(),
                clear: Vec::new(),
                connections: 0,
            }),
            arrivals: watch::channel(0).0,
        });
        let (doors, orders) = mpsc::unbounded_channel();
        let (started, listening) = sync_mpsc::channel();
        let for_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap_or_else(|e| panic!("no runtime for the SMTP server: {e}"));
            runtime.block_on(listen(for_thread, orders, started));
        });
        let port = listening
            .recv_timeout(WAIT)
            .unwrap_or_else(|_| panic!("the SMTP server did not start"));
        let ca_file = std::env::temp_dir().join(format!("portal-ca.{}.pem", unique()));
        std::fs::write(&ca_file, TestCa::of_this_process().pem())
            .unwrap_or_else(|e| panic!("cannot write {}: {e}", ca_file.display()));
        let server = Self {
            shared,
            port,
            doors,
            ca_file,
        };
        if how.fault == Fault::Refuse {
            server.set_fault(Fault::Refuse);
        }
        server
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `smtp://user:password@localhost:port`, or `smtps://…` with implicit TLS.
    pub fn url(&self) -> String {
        let scheme = if self.shared.implicit_tls { "smtps" } else { "smtp" };
        let login = self
            .shared
            .credentials
            .as_ref()
            .map_or_else(String::new, |(u, p)| format!("{u}:{p}@"));
        format!("{scheme}://{login}localhost:{}", self.port)
    }

    /// The CA certificate that a client must trust, as PEM.
    pub fn ca_pem(&self) -> String {
        TestCa::of_this_process().pem()
    }

    /// A file that holds [`ca_pem`](Self::ca_pem); it goes when the server goes.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Changes what the server does wrong; connecting is refused, or possible again, when this returns.
    ///
    /// # Panics
    /// When the server does not react.
    pub fn set_fault(&self, fault: Fault) {
        self.shared.state().fault = fault;
        let (done, is_done) = sync_mpsc::channel();
        drop(self.doors.send(Door {
            open: fault != Fault::Refuse,
            done,
        }));
        assert!(
            is_done.recv_timeout(WAIT).is_ok(),
            "the SMTP server does not react"
        );
    }

    /// Every mail taken so far, the oldest first.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state().mails.clone()
    }

    /// The mails to `address` in any case, the oldest first.
    ///
    /// One that came twice counts once, as it does for the person who reads it: a sender that is not sure of having sent
    /// it sends it again under the same `Message-ID`.
    pub fn mails_to(&self, address: &str) -> Vec<ReceivedMail> {
        let mut mails = self.mails();
        let mut known = HashSet::new();
        mails.retain(|mail| {
            mail.to.iter().any(|t| t.eq_ignore_ascii_case(address))
                && message_id(&mail.raw).is_none_or(|id| known.insert(id))
        });
        mails
    }

    /// Everything that came outside TLS.
    pub fn heard_in_clear(&self) -> Vec<u8> {
        self.shared.state().clear.clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// The mails to `address` in any case, as soon as there are `count` of them.
    ///
    /// Counted as by [`mails_to`](Self::mails_to).
    ///
    /// # Panics
    /// When there are fewer after 20 seconds.
    pub async fn wait_for_mail_to(&self, address: &str, count: usize) -> Vec<ReceivedMail> {
        let mut arrivals = self.shared.arrivals.subscribe();
        let enough = async {
            loop {
                arrivals.borrow_and_update();
                let found = self.mails_to(address);
                if found.len() >= count {
                    return found;
                }
                drop(arrivals.changed().await);
            }
        };
        match tokio::time::timeout(WAIT, enough).await {
            Ok(found) => found,
            Err(_) => panic!(
                "no {count} mails to {address} within {WAIT:?}; {} mails in all",
                self.mails().len()
            ),
        }
    }

    /// As [`wait_for_mail_to`](Self::wait_for_mail_to), for tests without a runtime.
    ///
    /// # Panics
    /// As [`wait_for_mail_to`](Self::wait_for_mail_to), and inside an async runtime.
    pub fn wait_for_mail_to_blocking(&self, address: &str, count: usize) -> Vec<ReceivedMail> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime
            .unwrap_or_else(|e| panic!("no runtime: {e}"))
            .block_on(self.wait_for_mail_to(address, count))
    }
}

/// What names a mail, wherever and however often it arrives.
fn message_id(raw: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(raw);
    let head = head.split("\r\n\r\n").next()?;
    let line = head
        .lines()
        .find(|l| l.to_ascii_lowercase().starts_with("message-id:"))?;
    Some(line.to_owned())
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpServer")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // The thread ends by itself when `doors` goes.
        drop(std::fs::remove_file(&self.ca_file));
    }
}

/// What the server's thread and the test share.
pub(crate) struct Shared {
    pub(crate) implicit_tls: bool,
    pub(crate) login_only: bool,
    pub(crate) credentials: Option<(String, String)>,
    pub(crate) tls: TlsAcceptor,
    state: Mutex<State>,
    arrivals: watch::Sender<usize>,
}

struct State {
    fault: Fault,
    mails: Vec<ReceivedMail>,
    clear: Vec<u8>,
    connections: usize,
}

impl Shared {
    pub(crate) fn fault(&self) -> Fault {
        self.state().fault
    }

    pub(crate) fn receive(&self, mail: ReceivedMail) {
        self.state().mails.push(mail);
        self.arrivals.send_modify(|n| *n += 1);
    }

    pub(crate) fn heard_in_clear(&self, bytes: &[u8]) {
        self.state().clear.extend_from_slice(bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order to listen or not to.
struct Door {
    open: bool,
    done: sync_mpsc::Sender<()>,
}

async fn listen(
    shared: Arc<Shared>,
    mut orders: mpsc::UnboundedReceiver<Door>,
    started: sync_mpsc::Sender<u16>,
) {
    let bind = |port: u16| {
        let socket = TcpSocket::new_v4()?;
        // The same port again after a refusal, while old connections linger.
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        socket.listen(128)
    };
    let open = |port| bind(port).unwrap_or_else(|e| panic!("cannot listen on 127.0.0.1: {e}"));
    let first = open(0);
    let port = first.local_addr().map_or(0, |a| a.port());
    let mut listener = Some(first);
    let _ = started.send(port);
    loop {
        let accept = async {
            match &listener {
                Some(l) => l.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accept => if let Ok((stream, _)) = accepted {
                shared.state().connections += 1;
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { serve(stream, &shared).await });
            },
            order = orders.recv() => match order {
                Some(Door { open: wanted, done }) => {
                    if wanted && listener.is_none() {
                        listener = Some(open(port));
                    } else if !wanted {
                        listener = None;
                    }
                    let _ = done.send(());
                }
                None => return,
            },
        }
    }
}
