//! One conversation with the relay, and the few that are kept open.
//!
//! lettre's own pool takes a connection back whatever became of it. When a send is cut off by a time limit, the next
//! mail would then read the answers meant for the one before, and be taken for sent when it was refused. Here a
//! connection is kept only after a complete exchange, and everything else closes it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::relay_url::{Protection, Relay};
use crate::verdict::{RelayError, Stage};

/// How long a kept connection may take to show that it still lives.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);

/// Connections that are open and between two mails.
pub(crate) struct Connections {
    relay: Relay,
    tls: TlsParameters,
    hello: ClientId,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

impl Connections {
    pub(crate) fn new(relay: Relay, tls: TlsParameters) -> Self {
        Self {
            relay,
            tls,
            hello: ClientId::default(),
            idle: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn relay(&self) -> &Relay {
        &self.relay
    }

    /// Sends one message; `stage` always tells how far it has come, for a caller that cuts it off.
    pub(crate) async fn send(&self, message: &Message, stage: &Progress) -> Result<(), RelayError> {
        let mut connection = match self.kept().await {
            Some(connection) => connection,
            None => self.open(stage).await?,
        };
        let sent = exchange(&mut connection, message, stage).await;
        let usable = match &sent {
            Ok(()) => true,
            Err(e) => e.leaves_connection_usable() && connection.command(Rset).await.is_ok(),
        };
        if usable {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        sent
    }

    /// A kept connection that still answers.
    async fn kept(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let mut connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if let Ok(Ok(_)) = timeout(ALIVE_WITHIN, connection.command(Noop)).await {
                return Some(connection);
            }
        }
    }

    async fn open(&self, stage: &Progress) -> Result<AsyncSmtpConnection, RelayError> {
        stage.set(Stage::Connect);
        let failed = |e| RelayError::smtp(Stage::Connect, e);
        let address = (self.relay.host.as_str(), self.relay.port);
        let mut connection = if self.relay.protection == Protection::Implicit {
            AsyncSmtpConnection::connect_tokio1(address, None, &self.hello, Some(self.tls.clone()), None)
                .await
                .map_err(failed)?
        } else {
            let stream = TcpStream::connect(address)
                .await
                .map_err(|e| RelayError::io(Stage::Connect, e))?;
            // Without it each mail waits some 40 ms for the relay's delayed acknowledgement.
            stream
                .set_nodelay(true)
                .map_err(|e| RelayError::io(Stage::Connect, e))?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello)
                .await
                .map_err(failed)?
        };
        if self.relay.protection == Protection::StartTls {
            if !connection.can_starttls() {
                return Err(RelayError::no_starttls());
            }
            connection
                .starttls(self.tls.clone(), &self.hello)
                .await
                .map_err(failed)?;
        }
        if let Some(credentials) = &self.relay.credentials {
            stage.set(Stage::SignIn);
            if connection
                .server_info()
                .get_auth_mechanism(DEFAULT_MECHANISMS)
                .is_none()
            {
                return Err(RelayError::no_way_to_sign_in());
            }
            let signed_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(|e| RelayError::smtp(Stage::SignIn, e))?;
        }
        Ok(connection)
    }
}

/// How far a send has come.
#[derive(Debug)]
pub(crate) struct Progress(Mutex<Stage>);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Stage::Connect))
    }

    pub(crate) fn get(&self) -> Stage {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }
}

async fn exchange(
    to: &mut AsyncSmtpConnection,
    message: &Message,
    stage: &Progress,
) -> Result<(), RelayError> {
    let envelope = message.envelope();
    stage.set(Stage::Sender);
    let failed = |e| RelayError::smtp(stage.get(), e);
    to.command(Mail::new(envelope.from().cloned(), Vec::new()))
        .await
        .map_err(failed)?;
    stage.set(Stage::Recipient);
    for recipient in envelope.to() {
        to.command(Rcpt::new(recipient.clone(), Vec::new()))
            .await
            .map_err(failed)?;
    }
    stage.set(Stage::Content);
    to.command(Data).await.map_err(failed)?;
    to.message(&message.formatted()).await.map_err(failed)?;
    Ok(())
}
