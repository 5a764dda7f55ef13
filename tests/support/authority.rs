//! A certificate authority for one run, and what it signs for servers on loopback.
#![allow(dead_code, reason = "a set of helpers; not every binary that includes it uses all of them")]
#![allow(clippy::expect_used, reason = "a broken rig must fail the test at once and say why")]

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// A certificate authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server's certificate and its key.
pub(crate) struct Identity {
    /// The certificate, PEM.
    pub(crate) certificate: String,
    /// Its private key, PKCS#8 PEM.
    pub(crate) key: String,
    /// The certificate, DER.
    pub(crate) certificate_der: Vec<u8>,
    /// Its private key, PKCS#8 DER.
    pub(crate) key_der: Vec<u8>,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "platform-mcp tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a CA signs itself");
        Self { issuer }
    }

    /// Its own certificate, PEM.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate by which a client of this name is known.
    pub(crate) fn client(&self, name: &str) -> Identity {
        self.signed(&[name], ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A certificate for these names and addresses.
    pub(crate) fn identity(&self, names: &[&str]) -> Identity {
        self.signed(names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    fn signed(&self, names: &[&str], purpose: ExtendedKeyUsagePurpose) -> Identity {
        let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
        let mut params = CertificateParams::new(names).expect("names and addresses");
        params.distinguished_name.push(DnType::CommonName, "loopback");
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("the CA signs");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            certificate_der: certificate.der().to_vec(),
            key_der: key.serialize_der(),
        }
    }

    /// A certificate for servers on loopback.
    pub(crate) fn loopback(&self) -> Identity {
        self.identity(&["127.0.0.1", "localhost"])
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a P-256 key")
}
