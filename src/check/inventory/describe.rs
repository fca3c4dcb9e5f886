//! What a certificate says (RFC 5280), in words.

use sha2::{Digest, Sha256};
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, KeyUsage, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// What a certificate says. Times are seconds since 1970; texts have no control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// DNS names among the subject alternative names.
    pub dns: Vec<String>,
    /// IP addresses among them.
    pub ips: Vec<String>,
    /// The others, with their kind: `URI:…`.
    pub other_names: Vec<String>,
    /// Algorithm and size of the key: `ECDSA P-256`, `RSA 2048`, `Ed25519`.
    pub key: String,
    /// Whether it may issue certificates (basic constraints).
    pub ca: bool,
    /// Key usages (RFC 5280 section 4.2.1.3), then extended ones (4.2.1.12), by their names there.
    pub usages: Vec<String>,
    /// The first second of its validity.
    pub not_before: i64,
    /// The last one.
    pub not_after: i64,
    /// The serial number, lower-case hex; none when it is not known yet.
    pub serial: Option<String>,
    /// SHA-256 of its DER, lower-case hex; none when it is not known yet.
    pub sha256: Option<String>,
}

impl Certificate {
    /// Describes the first certificate of a PEM text; none when there is none, or a damaged one.
    pub fn from_pem(text: &[u8]) -> Option<Self> {
        let der = blocks(text).next()??;
        Some(Self::of(&parse(&der)?, &der))
    }

    /// Describes a parsed certificate and its DER.
    pub(super) fn of(x509: &X509Certificate<'_>, der: &[u8]) -> Self {
        let mut certificate = Self {
            subject: printable(&x509.subject().to_string()),
            issuer: printable(&x509.issuer().to_string()),
            dns: Vec::new(),
            ips: Vec::new(),
            other_names: Vec::new(),
            key: key(x509.public_key()),
            ca: x509.is_ca(),
            usages: usages(x509),
            not_before: x509.validity().not_before.timestamp(),
            not_after: x509.validity().not_after.timestamp(),
            serial: Some(hex::encode(x509.raw_serial())),
            sha256: Some(hex::encode(Sha256::digest(der))),
        };
        for extension in x509.extensions() {
            if let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() {
                names.general_names.iter().for_each(|name| certificate.name(name));
            }
        }
        certificate
    }

    fn name(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns.push(printable(name)),
            GeneralName::IPAddress(bytes) => match address(bytes) {
                Some(address) => self.ips.push(address.to_string()),
                None => self.other_names.push(format!("IP:{}", hex::encode(bytes))),
            },
            GeneralName::URI(uri) => self.other_names.push(format!("URI:{}", printable(uri))),
            GeneralName::RFC822Name(name) => self.other_names.push(format!("email:{}", printable(name))),
            GeneralName::DirectoryName(name) => {
                self.other_names.push(format!("directory:{}", printable(&name.to_string())));
            }
            GeneralName::RegisteredID(oid) => self.other_names.push(format!("id:{oid}")),
            _ => self.other_names.push("another kind of name".to_owned()),
        }
    }
}

/// A certificate and nothing after it.
pub(super) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then_some(certificate)
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The DER of each certificate block of a PEM text (RFC 7468), `None` for one that is damaged. Other
/// blocks, private keys above all, are not even decoded.
pub(super) fn blocks(text: &[u8]) -> impl Iterator<Item = Option<Vec<u8>>> {
    let text = String::from_utf8_lossy(text);
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines().map(str::trim_end) {
        if line == BEGIN {
            // one that begins before the last one ended is damaged
            blocks.extend(open.take().map(|_| None));
            open = Some(String::new());
        }
        if let Some(block) = &mut open {
            block.extend([line, "\n"]);
        }
        if line == END {
            blocks.extend(open.take().map(|block| decode(&block)));
        }
    }
    blocks.extend(open.take().map(|_| None));
    blocks.into_iter()
}

fn decode(block: &str) -> Option<Vec<u8>> {
    Pem::iter_from_buffer(block.as_bytes()).next()?.ok().map(|pem| pem.contents)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Curves and algorithms that are told by their OID alone (RFC 5480, RFC 8410, SEC 2).
const NAMED: [(&str, &str); 6] = [
    ("1.2.840.10045.3.1.7", "ECDSA P-256"),
    ("1.3.132.0.34", "ECDSA P-384"),
    ("1.3.132.0.35", "ECDSA P-521"),
    ("1.3.132.0.10", "ECDSA secp256k1"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

fn named(oid: &str) -> Option<String> {
    NAMED.iter().find(|(known, _)| *known == oid).map(|(_, name)| (*name).to_owned())
}

fn key(spki: &SubjectPublicKeyInfo<'_>) -> String {
    let algorithm = spki.algorithm.algorithm.to_id_string();
    match spki.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            let curve = curve.map(|oid| oid.to_id_string()).unwrap_or_default();
            named(&curve).unwrap_or_else(|| format!("ECDSA on curve {curve}"))
        }
        Ok(PublicKey::DSA(_)) => "DSA".to_owned(),
        _ => named(&algorithm).unwrap_or_else(|| format!("algorithm {algorithm}")),
    }
}

/// A usage's name, and whether it is set.
type Usage = (&'static str, fn(&KeyUsage) -> bool);

/// The bits of a key usage, from the first.
const KEY_USAGES: [Usage; 9] = [
    ("digitalSignature", KeyUsage::digital_signature),
    ("nonRepudiation", KeyUsage::non_repudiation),
    ("keyEncipherment", KeyUsage::key_encipherment),
    ("dataEncipherment", KeyUsage::data_encipherment),
    ("keyAgreement", KeyUsage::key_agreement),
    ("keyCertSign", KeyUsage::key_cert_sign),
    ("cRLSign", KeyUsage::crl_sign),
    ("encipherOnly", KeyUsage::encipher_only),
    ("decipherOnly", KeyUsage::decipher_only),
];

fn usages(x509: &X509Certificate<'_>) -> Vec<String> {
    let mut usages = Vec::new();
    if let Ok(Some(usage)) = x509.key_usage() {
        let set = KEY_USAGES.iter().filter(|(_, is_set)| is_set(usage.value));
        usages.extend(set.map(|(name, _)| (*name).to_owned()));
    }
    if let Ok(Some(extended)) = x509.extended_key_usage() {
        let it = extended.value;
        let known = [
            (it.any, "anyExtendedKeyUsage"),
            (it.server_auth, "serverAuth"),
            (it.client_auth, "clientAuth"),
            (it.code_signing, "codeSigning"),
            (it.email_protection, "emailProtection"),
            (it.time_stamping, "timeStamping"),
            (it.ocsp_signing, "OCSPSigning"),
        ];
        usages.extend(known.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned()));
        usages.extend(it.other.iter().map(ToString::to_string));
    }
    usages
}

/// What others wrote, for a terminal: those obey control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
