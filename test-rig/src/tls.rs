//! A certificate authority made anew in each test process, and the TLS set-up of a server on loopback.

use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority that nobody but the tests knows.
#[derive(Debug)]
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestCa {
    /// Makes a new one, which trusts nothing that another one has signed.
    ///
    /// # Panics
    /// When the system has no randomness.
    pub fn new() -> Self {
        Self::try_new().unwrap_or_else(|e| panic!("cannot make a test CA: {e}"))
    }

    /// The one that signs the certificates of this process's servers.
    pub(crate) fn of_this_process() -> &'static Self {
        static CA: OnceLock<TestCa> = OnceLock::new();
        CA.get_or_init(Self::new)
    }

    fn try_new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params
            .distinguished_name
            .push(DnType::CommonName, "portal test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?,
        })
    }

    /// The certificate to trust, as PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `localhost`, `127.0.0.1` and `::1`, and its key.
    pub(crate) fn leaf(&self) -> (Certificate, KeyPair) {
        let make = || -> Result<_, rcgen::Error> {
            let key = KeyPair::generate()?;
            let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
            let leaf = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
            Ok((leaf, key))
        };
        make().unwrap_or_else(|e| panic!("cannot make a certificate: {e}"))
    }

    /// A TLS server with a [`leaf`](Self::leaf).
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let make = || -> Result<TlsAcceptor, Box<dyn std::error::Error>> {
            let (leaf, key) = self.leaf();
            let secret = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der().clone()], secret)?;
            Ok(TlsAcceptor::from(Arc::new(config)))
        };
        make().unwrap_or_else(|e| panic!("cannot make a TLS server: {e}"))
    }
}

impl Default for TestCa {
    fn default() -> Self {
        Self::new()
    }
}
