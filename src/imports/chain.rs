//! An authority's certificate and those above it, from the bytes of one file.

use super::constraints::Constraints;
use super::x509::{self, is_self_issued, is_sha1, signature};
use super::{Read, printable, strict, time, unreadable};
use crate::plan::Brought;
use crate::plan::certs::{CERTS, Eku, Kind};
use crate::private_key::PublicKey;
use crate::spec::types::CaName;
use crate::spec::{Path, Problem};
use p256::pkcs8::LineEnding;
use p256::pkcs8::der::pem;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::pem::Pem;
use x509_parser::public_key::PublicKey as ParsedKey;

/// What is wrong with a file of certificates. A certificate is named by its place in the file, from 1,
/// and by its subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("{0}")]
    Unreadable(String),
    #[error("no certificate in PEM")]
    NotPem,
    #[error("a damaged PEM block")]
    DamagedPem,
    #[error("a block `{0}` among the certificates")]
    Block(String),
    #[error("certificate {0} is damaged")]
    Damaged(usize),
    #[error("{0} is not a CA: its basic constraints do not say so")]
    NotCa(String),
    #[error("{0} may not sign certificates: its key usage lacks keyCertSign")]
    KeyUsage(String),
    #[error("{0} may not issue certificates for {1}: its extended key usage lacks it")]
    ExtendedKeyUsage(String, &'static str),
    #[error("{0} has a critical extension that is not understood: {1}")]
    Critical(String, String),
    #[error("{0} has {1}")]
    Key(String, String),
    /// Written as hosts do not read it.
    #[error("{0} has {1}, and hosts refuse it")]
    Odd(String, &'static str),
    /// More than any chain needs: servers send all of it to every client.
    #[error("{0} certificates in one file, and at most {MOST} make a chain")]
    TooMany(usize),
    #[error("{0} is not valid before {1}, and the epoch is {2}")]
    NotYetValid(String, String, String),
    #[error("{0} is not valid after {1}, and the epoch is {2}")]
    Expired(String, String, String),
    #[error("{0} is valid until {1}, longer than the one above it ({2})")]
    Outlives(String, String, String),
    #[error("{0} is not issued by the certificate behind it")]
    Order(String),
    #[error("{0} names itself as its issuer, but did not sign itself")]
    SelfSignature(String),
    #[error("{0} is not signed by the certificate behind it")]
    Signature(String),
    #[error("{0} is signed with SHA-1")]
    Sha1(String),
    #[error("{0} is signed with an algorithm that cannot be checked: {1}")]
    SignatureAlgorithm(String, String),
    #[error("{0} allows fewer CAs below it than there are: path length {1}, found {2}")]
    PathLength(String, u32, usize),
}

/// How many certificates a chain has at most.
const MOST: usize = 10;

impl Flaw {
    fn hint(&self) -> &str {
        match self {
            Self::Unreadable(_) => {
                "name a file of at most 1 MiB; a path begins at the spec's directory, or at /"
            }
            Self::NotPem => "write it as PEM: openssl x509 -inform DER -in FILE -out NEW",
            Self::DamagedPem | Self::Damaged(_) | Self::SelfSignature(_) => {
                "get the file again from where it was made"
            }
            Self::Block(_) => "leave certificates alone in the file; a key has a file of its own",
            Self::NotCa(_) => "name a certificate that was issued with basicConstraints=critical,CA:TRUE",
            Self::KeyUsage(_) => "name a certificate that was issued with keyUsage=critical,keyCertSign",
            Self::ExtendedKeyUsage(..) => {
                "have it issued without an extended key usage, or with this one too"
            }
            Self::Critical(..) => "have it issued without",
            Self::Odd(..) => "have it issued anew, as RFC 5280 says",
            Self::TooMany(_) => "leave in the file the authority, and what issued it up to its root",
            Self::Key(..) => "use ECDSA P-256, ECDSA P-384, Ed25519, or RSA of 2048, 3072 or 4096 bits",
            Self::NotYetValid(..) => "write a later `cluster.epoch`",
            Self::Expired(..) | Self::Outlives(..) => "have the certificate renewed by who issued it",
            Self::Order(_) | Self::Signature(_) => {
                "the authority stands first, behind each certificate its issuer; the root last, or left out"
            }
            Self::Sha1(_) | Self::SignatureAlgorithm(..) => {
                "have it issued anew, signed with ECDSA on P-256 or P-384, Ed25519, or RSA with SHA-256"
            }
            Self::PathLength(..) => "have the upper one issued with a greater path length",
        }
    }

    pub(super) fn problem(&self, at: &Path, file: &str) -> Problem {
        match self {
            Self::Unreadable(reason) => unreadable(at, file, reason),
            _ => Problem::error(at.clone(), format!("{at}: {file}: {self}")).hint(self.hint()),
        }
    }
}

/// One authority with what stands above it.
#[derive(Debug)]
pub(super) struct Chain {
    /// In PEM, in the order of the file, and whether it signs itself.
    certificates: Vec<(String, bool)>,
    sha256: String,
    identity: String,
    /// DER.
    pub(super) subject: Vec<u8>,
    /// DER.
    pub(super) spki: Vec<u8>,
    pub(super) key_identifier: Option<Vec<u8>>,
    name: String,
    algorithm: String,
    not_before: i64,
    not_after: i64,
    /// Of each certificate, which names it allows.
    pub(super) constraints: Vec<Constraints>,
    /// DER of the authority alone.
    der: Vec<u8>,
}

impl Chain {
    pub(super) fn read(file: &Read, ca: CaName, epoch: i64) -> Result<Self, Vec<Flaw>> {
        let bytes = file.as_ref().map_err(|reason| vec![Flaw::Unreadable(reason.clone())])?;
        let blocks = certificates(bytes).map_err(|flaw| vec![flaw])?;
        if blocks.len() > MOST {
            return Err(vec![Flaw::TooMany(blocks.len())]);
        }
        let parsed: Result<Vec<_>, _> = blocks
            .iter()
            .enumerate()
            .map(|(index, der)| x509::parse(der).ok_or(Flaw::Damaged(index + 1)))
            .collect();
        let parsed = parsed.map_err(|flaw| vec![flaw])?;
        let mut flaws = Vec::new();
        for (index, certificate) in parsed.iter().enumerate() {
            alone(index, certificate, ca, epoch, &mut flaws);
            above(index, certificate, parsed.get(index + 1), &mut flaws);
        }
        match parsed.first() {
            Some(first) if flaws.is_empty() => Self::of(first, &parsed, &blocks).map_err(|flaw| vec![flaw]),
            _ => Err(flaws),
        }
    }

    fn of(first: &X509Certificate<'_>, all: &[X509Certificate<'_>], ders: &[Vec<u8>]) -> Result<Self, Flaw> {
        let mut hash = Sha256::new();
        let mut certificates = Vec::new();
        for (der, certificate) in ders.iter().zip(all) {
            hash.update(der);
            let text =
                pem::encode_string("CERTIFICATE", LineEnding::LF, der).map_err(|_| Flaw::DamagedPem)?;
            certificates.push((text, is_self_issued(certificate)));
        }
        Ok(Self {
            certificates,
            sha256: hex::encode(hash.finalize()),
            identity: x509::identity(first),
            subject: first.subject().as_raw().to_vec(),
            spki: first.public_key().raw.to_vec(),
            key_identifier: x509::subject_key_identifier(first),
            name: printable(&first.subject().to_string()),
            algorithm: x509::algorithm(first),
            constraints: all.iter().map(Constraints::of).collect(),
            not_before: first.validity().not_before.timestamp(),
            not_after: first.validity().not_after.timestamp(),
            der: ders.first().cloned().unwrap_or_default(),
        })
    }

    /// The authority alone.
    pub(super) fn trusted_pem(&self) -> &str {
        self.certificates.first().map(|(text, _)| text.as_str()).unwrap_or_default()
    }

    /// All but what signs itself.
    pub(super) fn served_pem(&self) -> String {
        self.certificates.iter().filter(|(_, root)| !root).map(|(text, _)| text.as_str()).collect()
    }

    pub(super) fn not_before(&self) -> i64 {
        self.not_before
    }

    pub(super) fn not_after(&self) -> i64 {
        self.not_after
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn brought(&self, external: bool) -> Brought {
        Brought {
            sha256: self.sha256.clone(),
            alone_sha256: hex::encode(Sha256::digest(&self.der)),
            identity_sha256: self.identity.clone(),
            subject: self.name.clone(),
            algorithm: self.algorithm.clone(),
            not_before: self.not_before,
            // what is above it lives at least as long
            not_after: self.not_after,
            external,
        }
    }
}

/// The DER of all certificates of a file, at least one.
pub(super) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Flaw> {
    let mut all = Vec::new();
    for block in Pem::iter_from_buffer(bytes) {
        let block = block.map_err(|_| Flaw::DamagedPem)?;
        if block.label != "CERTIFICATE" {
            return Err(Flaw::Block(printable(&block.label)));
        }
        all.push(block.contents);
    }
    if all.is_empty() { Err(Flaw::NotPem) } else { Ok(all) }
}

fn called(index: usize, certificate: &X509Certificate<'_>) -> String {
    format!("certificate {} ({})", index + 1, printable(&certificate.subject().to_string()))
}

/// What an error says before it says what to do.
fn what(error: &str) -> &str {
    error.split("; ").next().unwrap_or(error)
}

/// What one certificate says of itself.
fn alone(index: usize, certificate: &X509Certificate<'_>, ca: CaName, epoch: i64, flaws: &mut Vec<Flaw>) {
    let name = || called(index, certificate);
    let basic = certificate.basic_constraints().ok().flatten().map(|extension| extension.value);
    if !basic.is_some_and(|basic| basic.ca) {
        flaws.push(Flaw::NotCa(name()));
    } else if let Some(most) = basic.and_then(|basic| basic.path_len_constraint)
        && usize::try_from(most).is_ok_and(|most| most < index)
    {
        flaws.push(Flaw::PathLength(name(), most, index));
    }
    // absent, it restricts nothing (RFC 5280 section 4.2.1.3); a CA that we sign with must say it
    let usage = certificate.key_usage().ok().flatten().map(|extension| extension.value.key_cert_sign());
    if !usage.unwrap_or(is_self_issued(certificate) && index > 0) {
        flaws.push(Flaw::KeyUsage(name()));
    }
    flaws.extend(key(index, certificate).map(|what| Flaw::Key(name(), what)));
    flaws.extend(extended(certificate, ca).map(|what| Flaw::ExtendedKeyUsage(name(), what)));
    flaws.extend(strict::odd(certificate).map(|what| Flaw::Odd(name(), what)));
    flaws.extend(strict::unknown(certificate).map(|oid| Flaw::Critical(name(), oid)));
    let validity = certificate.validity();
    let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if begin > epoch {
        flaws.push(Flaw::NotYetValid(name(), time::text(begin), time::text(epoch)));
    }
    if end <= epoch {
        flaws.push(Flaw::Expired(name(), time::text(end), time::text(epoch)));
    }
}

/// What is wrong with a key: that of the authority must be one that is signed with here, the others must
/// be good enough.
fn key(index: usize, certificate: &X509Certificate<'_>) -> Option<String> {
    if index == 0 {
        let error = PublicKey::from_spki(certificate.public_key().raw).err()?.to_string();
        return Some(what(&error).to_owned());
    }
    let Ok(ParsedKey::RSA(key)) = certificate.public_key().parsed() else { return None };
    (key.key_size() < LEAST_RSA).then(|| format!("an RSA key of {} bits", key.key_size()))
}

/// In bits.
const LEAST_RSA: usize = 2048;

/// A usage of the authority's certificates that this CA forbids: verifiers let a CA's extended key
/// usage restrict what is below it.
fn extended(certificate: &X509Certificate<'_>, ca: CaName) -> Option<&'static str> {
    let usage = certificate.extended_key_usage().ok().flatten()?.value;
    let rows = CERTS.iter().filter(|row| row.kind == Kind::IssuedBy(ca));
    let mut needed = rows.flat_map(|row| row.eku);
    let lacks = |eku: &Eku| match eku {
        Eku::ServerAuth => !usage.server_auth,
        Eku::ClientAuth => !usage.client_auth,
    };
    let eku = needed.find(|eku| !usage.any && lacks(eku))?;
    Some(match eku {
        Eku::ServerAuth => "servers",
        Eku::ClientAuth => "clients",
    })
}

/// What one certificate has to do with the one behind it in the file.
fn above(
    index: usize,
    certificate: &X509Certificate<'_>,
    parent: Option<&X509Certificate<'_>>,
    flaws: &mut Vec<Flaw>,
) {
    let name = || called(index, certificate);
    if is_self_issued(certificate) {
        if parent.is_some() {
            flaws.push(Flaw::Order(name()));
        }
        // its own signature says little of an anchor: an algorithm that cannot be checked is let pass
        if key(index, certificate).is_none()
            && signature(certificate, certificate) == Err(X509Error::SignatureVerificationError)
        {
            flaws.push(Flaw::SelfSignature(name()));
        }
        return;
    }
    flaws.extend(is_sha1(certificate).then(|| Flaw::Sha1(name())));
    let Some(parent) = parent else { return };
    if certificate.issuer().as_raw() != parent.subject().as_raw() {
        flaws.push(Flaw::Order(name()));
        return;
    }
    let algorithm = || certificate.signature_algorithm.algorithm.to_id_string();
    match signature(certificate, parent) {
        Err(X509Error::SignatureUnsupportedAlgorithm) => {
            flaws.push(Flaw::SignatureAlgorithm(name(), algorithm()));
        }
        // what is wrong with the key is said of the parent, and SHA-1 is said already
        Err(_) if key(index + 1, parent).is_none() && !is_sha1(certificate) => {
            flaws.push(Flaw::Signature(name()));
        }
        _ => {}
    }
    let (own, theirs) =
        (certificate.validity().not_after.timestamp(), parent.validity().not_after.timestamp());
    if own > theirs {
        flaws.push(Flaw::Outlives(name(), time::text(own), time::text(theirs)));
    }
}
