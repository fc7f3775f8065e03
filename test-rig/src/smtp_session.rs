//! One conversation of the SMTP server with one client, honest or with a fault.

use std::io;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;

use crate::smtp::{ReceivedMail, Shared};

/// What the server does wrong, for every connection and mail while it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: every mail is taken.
    None,
    /// Connecting is refused.
    Refuse,
    /// Connecting works, then nothing comes, not even a greeting.
    HangAtConnect,
    /// The greeting is 421.
    Greeting421,
    /// The greeting comes, then no answer to anything.
    HangAfterGreeting,
    /// STARTTLS is not offered.
    NoStartTls,
    /// Every AUTH is answered 535.
    Auth535,
    /// No answer to anything after a successful AUTH.
    HangAfterAuth,
    /// MAIL FROM is answered 550: the relay does not take our sender.
    Mail550,
    /// RCPT TO is answered 451, with the address in the text.
    Rcpt451,
    /// RCPT TO is answered 550, with the address in the text.
    Rcpt550,
    /// The complete mail is answered 554.
    Data554,
    /// The mail is taken in, but there is no answer.
    HangAfterData,
    /// The connection ends in the middle of the mail, which is lost.
    CloseMidData,
    /// The connection ends after the mail was taken, before the 250.
    CloseAfterData,
}

/// The longest line and the longest mail the server takes, and its patience.
const MAX_LINE: u64 = 64 * 1024;
const MAX_MAIL: usize = 16 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

struct Session<'a> {
    wire: BufReader<Box<dyn Wire>>,
    shared: &'a Shared,
    encrypted: bool,
    user: Option<String>,
}

/// Serves one connection to its end.
pub(crate) async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if shared.fault() == Fault::HangAtConnect {
        return hang(stream).await;
    }
    let wire: Box<dyn Wire> = if shared.implicit_tls {
        Box::new(bounded(shared.tls.accept(stream)).await?)
    } else {
        Box::new(stream)
    };
    let mut session = Session {
        wire: BufReader::new(wire),
        shared,
        encrypted: shared.implicit_tls,
        user: None,
    };
    if shared.fault() == Fault::Greeting421 {
        return session.say("421 4.3.2 closing").await;
    }
    session.say("220 localhost ESMTP test rig").await?;
    if shared.fault() == Fault::HangAfterGreeting {
        return hang(session.wire).await;
    }
    session.converse().await
}

impl Session<'_> {
    async fn converse(mut self) -> io::Result<()> {
        let (mut from, mut to) = (None::<String>, Vec::<String>::new());
        while let Some(line) = self.line().await? {
            let command = line.trim_end();
            let verb = command
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let authenticated = self.user.is_some() || self.shared.credentials.is_none();
            match verb.as_str() {
                "EHLO" => self.greet().await?,
                "HELO" | "NOOP" => self.say("250 2.0.0 ok").await?,
                "RSET" => {
                    (from, to) = (None, Vec::new());
                    self.say("250 2.0.0 ok").await?;
                }
                "QUIT" => return self.say("221 2.0.0 bye").await,
                "STARTTLS" if self.offers_starttls() => {
                    self.say("220 2.0.0 go ahead").await?;
                    if !self.wire.buffer().is_empty() {
                        return Err(io::Error::other("bytes sent ahead of the TLS handshake"));
                    }
                    let tls = bounded(self.shared.tls.accept(self.wire.into_inner())).await?;
                    self = Session {
                        wire: BufReader::new(Box::new(tls)),
                        shared: self.shared,
                        encrypted: true,
                        user: None,
                    };
                }
                "AUTH" => {
                    self.authenticate(command).await?;
                    if self.user.is_some() && self.shared.fault() == Fault::HangAfterAuth {
                        return hang(self.wire).await;
                    }
                }
                "MAIL" if !authenticated => self.say("530 5.7.0 authentication required").await?,
                "MAIL" if self.shared.fault() == Fault::Mail550 => {
                    self.say("550 5.7.1 sender not allowed").await?
                }
                "MAIL" => {
                    (from, to) = (Some(in_brackets(command)), Vec::new());
                    self.say("250 2.1.0 ok").await?;
                }
                "RCPT" if from.is_none() => self.say("503 5.5.1 MAIL first").await?,
                "RCPT" => {
                    let address = in_brackets(command);
                    match self.shared.fault() {
                        Fault::Rcpt451 => self.say(&format!("451 4.7.1 <{address}> try later")).await?,
                        Fault::Rcpt550 => self.say(&format!("550 5.1.1 <{address}> unknown")).await?,
                        _ => {
                            to.push(address);
                            self.say("250 2.1.5 ok").await?;
                        }
                    }
                }
                "DATA" if to.is_empty() => self.say("503 5.5.1 RCPT first").await?,
                "DATA" => {
                    let envelope = (from.take().unwrap_or_default(), std::mem::take(&mut to));
                    if !self.data(envelope).await? {
                        return Ok(());
                    }
                }
                _ => self.say("502 5.5.2 not known").await?,
            }
        }
        Ok(())
    }

    async fn greet(&mut self) -> io::Result<()> {
        let mut offers = vec![
            "localhost",
            "PIPELINING",
            "8BITMIME",
            "ENHANCEDSTATUSCODES",
            "SIZE 16777216",
        ];
        if self.offers_starttls() {
            offers.push("STARTTLS");
        }
        // Offered in clear as well, as careless servers do: a client must not take it.
        if self.shared.credentials.is_some() {
            offers.push(if self.shared.login_only {
                "AUTH LOGIN"
            } else {
                "AUTH PLAIN LOGIN"
            });
        }
        let last = offers.len() - 1;
        let lines = offers
            .iter()
            .enumerate()
            .map(|(i, o)| format!("250{}{o}", if i == last { ' ' } else { '-' }));
        self.say(&lines.collect::<Vec<_>>().join("\r\n")).await
    }

    fn offers_starttls(&self) -> bool {
        !self.encrypted && self.shared.fault() != Fault::NoStartTls
    }

    async fn authenticate(&mut self, command: &str) -> io::Result<()> {
        let mut words = command.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let given = match mechanism.as_str() {
            "PLAIN" => {
                let response = match words.next() {
                    Some(r) => r.to_owned(),
                    None => self.ask("334 ").await?,
                };
                let fields = decoded(&response);
                let mut fields = fields.split('\0').skip(1).map(str::to_owned);
                (
                    fields.next().unwrap_or_default(),
                    fields.next().unwrap_or_default(),
                )
            }
            "LOGIN" => {
                let user = self.ask("334 VXNlcm5hbWU6").await?;
                let password = self.ask("334 UGFzc3dvcmQ6").await?;
                (decoded(&user), decoded(&password))
            }
            _ => return self.say("504 5.5.4 mechanism not known").await,
        };
        if self.shared.fault() == Fault::Auth535 || self.shared.credentials.as_ref() != Some(&given) {
            return self.say("535 5.7.8 credentials invalid").await;
        }
        self.user = Some(given.0);
        self.say("235 2.7.0 welcome").await
    }

    async fn ask(&mut self, challenge: &str) -> io::Result<String> {
        self.say(challenge).await?;
        Ok(self.line().await?.unwrap_or_default().trim_end().to_owned())
    }

    /// Takes a mail in; answers whether the conversation goes on.
    async fn data(&mut self, (from, to): (String, Vec<String>)) -> io::Result<bool> {
        self.say("354 go ahead").await?;
        let mut raw = Vec::new();
        loop {
            let Some(line) = self.raw_line().await? else {
                return Ok(false);
            };
            if line == b".\r\n" {
                break;
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if raw.len() > MAX_MAIL {
                return Err(io::Error::other("mail too long"));
            }
            if self.shared.fault() == Fault::CloseMidData {
                return Ok(false);
            }
        }
        if self.shared.fault() == Fault::Data554 {
            self.say("554 5.6.0 not this one").await?;
            return Ok(true);
        }
        self.shared.receive(ReceivedMail {
            from,
            to,
            raw,
            encrypted: self.encrypted,
            user: self.user.clone(),
        });
        match self.shared.fault() {
            Fault::HangAfterData => {
                tokio::time::sleep(PATIENCE).await;
                Ok(false)
            }
            Fault::CloseAfterData => Ok(false),
            _ => {
                self.say("250 2.0.0 queued").await?;
                Ok(true)
            }
        }
    }

    async fn line(&mut self) -> io::Result<Option<String>> {
        Ok(self
            .raw_line()
            .await?
            .map(|l| String::from_utf8_lossy(&l).into_owned()))
    }

    async fn raw_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        bounded((&mut self.wire).take(MAX_LINE).read_until(b'\n', &mut line)).await?;
        if !self.encrypted {
            self.shared.heard_in_clear(&line);
        }
        // A line ends with CR LF and nothing else, as a strict server reads it; a lone LF goes on.
        while !line.is_empty() && !line.ends_with(b"\r\n") {
            let before = line.len();
            bounded((&mut self.wire).take(MAX_LINE).read_until(b'\n', &mut line)).await?;
            if line.len() == before || line.len() > MAX_MAIL {
                return Ok(None);
            }
        }
        Ok((!line.is_empty()).then_some(line))
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.wire.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.wire.flush().await
    }
}

async fn bounded<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .map_err(io::Error::other)?
}

/// Keeps the connection open and silent.
async fn hang(wire: impl Wire) -> io::Result<()> {
    tokio::time::sleep(PATIENCE).await;
    drop(wire);
    Ok(())
}

fn in_brackets(command: &str) -> String {
    let inside = command
        .split_once('<')
        .and_then(|(_, rest)| rest.rsplit_once('>'))
        .map_or("", |(a, _)| a);
    inside.to_owned()
}

fn decoded(base64: &str) -> String {
    Base64::decode_vec(base64)
        .ok()
        .and_then(|b| String::from_utf8(b).ok())
        .unwrap_or_default()
}
