//! What an external authority signed, against what was asked of it.

mod asked;

use super::chain::{self, Chain};
use super::{Read, printable, time, x509};
use crate::plan::{Brought, CertPlan};
use crate::private_key::PublicKey;
use crate::spec::{Path, Problem};
use p256::pkcs8::LineEnding;
use p256::pkcs8::der::pem;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::extensions::ParsedExtension;

/// The files of a directory: each by its path below it, `HOST/ID.crt`. In words, why there is none.
pub type IssuedFiles = Result<BTreeMap<String, Read>, String>;

/// A certificate that is as it was asked for.
#[derive(Debug)]
pub struct Issued {
    pem: String,
    spki: Vec<u8>,
    brought: Brought,
}

impl Issued {
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn brought(&self) -> Brought {
        self.brought.clone()
    }

    /// Whether it is for that key, `SubjectPublicKeyInfo` in DER.
    pub(super) fn is_for(&self, spki: &[u8]) -> bool {
        self.spki == spki
    }
}

/// What is wrong with one certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Flaw {
    #[error("{0}")]
    Unreadable(String),
    #[error("{0}")]
    File(chain::Flaw),
    #[error("it holds {0} certificates, and should hold one")]
    Several(usize),
    #[error("the certificate is damaged")]
    Damaged,
    #[error("the {0} is {1}, and should be {2}")]
    Differs(&'static str, String, String),
    #[error("it is a CA")]
    Ca,
    #[error("it has a critical extension that is not understood: {0}")]
    Critical(String),
    #[error("it was issued by {0}, and not by {1}")]
    Issuer(String, String),
    #[error("it is not signed by the authority's key")]
    Signature,
    #[error("it names another key of the authority (its authority key identifier)")]
    AuthorityKey,
    #[error("it is signed with an algorithm that cannot be checked or is broken: {0}")]
    SignatureAlgorithm(String),
    #[error("it has {0}")]
    Key(String),
    #[error("it has {0}, and hosts refuse it")]
    Odd(&'static str),
    #[error("it is valid from {0} to {1}, and the epoch is {2}")]
    Epoch(String, String, String),
    #[error("it is valid from {0} to {1}, outside of its authority's validity")]
    Validity(String, String),
}

impl Flaw {
    fn hint(&self) -> &'static str {
        match self {
            Self::Epoch(..) => {
                "write a `cluster.epoch` at which all of them are valid: the requests stay the same"
            }
            _ => AGAIN,
        }
    }
}

const ASK: &str =
    "run `sealift csr SPEC -o DIR`, have DIR/HOST/ID.csr signed, and place what comes back as HOST/ID.crt";
const AGAIN: &str =
    "have the request of the same name signed again, unchanged: `sealift csr SPEC -o DIR` writes it";

/// How many missing certificates are named.
const SHOWN: usize = 5;

/// Against what one authority's certificates are checked.
pub(super) struct Check<'a> {
    pub(super) at: &'a Path,
    pub(super) directory: &'a str,
    pub(super) chain: &'a Chain,
    pub(super) epoch: i64,
}

type Leaf = (String, String);

/// Where a certificate lies below the directory.
pub(super) fn file_name(host: &str, id: &str) -> String {
    format!("{host}/{id}.crt")
}

impl Check<'_> {
    /// Those of the wanted certificates that are right.
    pub(super) fn all(
        &self,
        files: &IssuedFiles,
        wanted: &BTreeMap<Leaf, &CertPlan>,
        problems: &mut Vec<Problem>,
    ) -> Vec<(Leaf, Issued)> {
        let (at, directory) = (self.at, self.directory);
        let files = match files {
            Ok(files) => files,
            Err(reason) => {
                problems.push(Problem::error(at.clone(), format!("{at}: {directory}: {reason}")).hint(ASK));
                return Vec::new();
            }
        };
        let (mut right, mut missing) = (Vec::new(), Vec::new());
        for (leaf, plan) in wanted {
            let name = file_name(&leaf.0, &leaf.1);
            match files.get(&name) {
                None => missing.push(name),
                Some(file) => match self.one(file, plan) {
                    Ok(issued) => right.push((leaf.clone(), issued)),
                    Err(flaws) => problems.extend(flaws.iter().map(|flaw| {
                        Problem::error(at.clone(), format!("{at}: {directory}/{name}: {flaw}"))
                            .hint(flaw.hint())
                    })),
                },
            }
        }
        problems.extend(self.missing(&missing));
        right
    }

    /// One problem for all that are not there: before the first answer of the authority, all are.
    fn missing(&self, names: &[String]) -> Option<Problem> {
        let (at, directory) = (self.at, self.directory);
        let (first, rest) = names.split_first()?;
        let message = if rest.is_empty() {
            format!("{at}: {directory}/{first} is missing")
        } else {
            let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
            let more = names.len().saturating_sub(SHOWN);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{at}: {directory} lacks {} certificates: {}{more}", names.len(), shown.join(", "))
        };
        Some(Problem::error(at.clone(), message).hint(ASK))
    }

    /// Files that are none of those.
    pub(super) fn surplus(&self, files: &IssuedFiles, names: &BTreeSet<String>) -> Vec<Problem> {
        let (at, directory) = (self.at, self.directory);
        let found = files.iter().flat_map(BTreeMap::keys).filter(|name| !names.contains(*name));
        let problem = |name: &String| {
            let message = format!("{at}: {directory}/{} was not asked for", printable(name));
            Problem::error(at.clone(), message).hint("remove it, or move it elsewhere")
        };
        found.map(problem).collect()
    }

    fn one(&self, file: &Read, plan: &CertPlan) -> Result<Issued, Vec<Flaw>> {
        let bytes = file.as_ref().map_err(|reason| vec![Flaw::Unreadable(reason.clone())])?;
        let ders = chain::certificates(bytes).map_err(|flaw| vec![Flaw::File(flaw)])?;
        let [der] = ders.as_slice() else { return Err(vec![Flaw::Several(ders.len())]) };
        let certificate = x509::parse(der).ok_or_else(|| vec![Flaw::Damaged])?;
        let authority = x509::parse(self.chain.der()).ok_or_else(|| vec![Flaw::Damaged])?;
        let mut flaws = asked::flaws(&certificate, plan);
        flaws.extend(issuer(&certificate, &authority));
        flaws.extend(self.validity(&certificate));
        let spki = match canonical_spki(&certificate) {
            Ok(spki) => spki,
            Err(flaw) => {
                flaws.push(flaw);
                return Err(flaws);
            }
        };
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let pem = pem::encode_string("CERTIFICATE", LineEnding::LF, der).map_err(|_| vec![Flaw::Damaged])?;
        let brought = Brought {
            sha256: hex::encode(Sha256::digest(der)),
            alone_sha256: hex::encode(Sha256::digest(der)),
            identity_sha256: x509::identity(&certificate),
            subject: printable(&certificate.subject().to_string()),
            algorithm: x509::algorithm(&certificate),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            external: true,
        };
        Ok(Issued { pem, spki, brought })
    }

    fn validity(&self, certificate: &X509Certificate<'_>) -> Option<Flaw> {
        let validity = certificate.validity();
        let (begin, end) = (validity.not_before.timestamp(), validity.not_after.timestamp());
        if !(begin..end).contains(&self.epoch) {
            return Some(Flaw::Epoch(time::text(begin), time::text(end), time::text(self.epoch)));
        }
        (begin < self.chain.not_before() || end > self.chain.not_after())
            .then(|| Flaw::Validity(time::text(begin), time::text(end)))
    }
}

/// A certificate with the wrong key, which only who has the seed can tell.
pub(super) fn foreign_key(at: &Path, directory: &str, host: &str, id: &str) -> Problem {
    let message =
        format!("{at}: {directory}/{host}/{id}.crt: the public key is not the one that was asked for");
    Problem::error(at.clone(), message).hint(AGAIN)
}

fn canonical_spki(certificate: &X509Certificate<'_>) -> Result<Vec<u8>, Flaw> {
    let key = PublicKey::from_spki(certificate.public_key().raw).and_then(|key| key.to_spki());
    key.map_err(|error| Flaw::Key(error.to_string().split("; ").next().unwrap_or_default().to_owned()))
}

/// Who issued it.
fn issuer(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> Option<Flaw> {
    if certificate.issuer().as_raw() != authority.subject().as_raw() {
        let [found, wanted] =
            [certificate.issuer(), authority.subject()].map(|name| printable(&name.to_string()));
        return Some(Flaw::Issuer(found, wanted));
    }
    let algorithm = || certificate.signature_algorithm.algorithm.to_id_string();
    if x509::is_sha1(certificate) {
        return Some(Flaw::SignatureAlgorithm(algorithm()));
    }
    match x509::signature(certificate, authority) {
        Ok(()) => {}
        Err(X509Error::SignatureUnsupportedAlgorithm) => return Some(Flaw::SignatureAlgorithm(algorithm())),
        Err(_) => return Some(Flaw::Signature),
    }
    let named = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(id) => Some(id.key_identifier.as_ref()?.0.to_vec()),
        _ => None,
    });
    let own = x509::subject_key_identifier(authority);
    named.zip(own).is_some_and(|(named, own)| named != own).then_some(Flaw::AuthorityKey)
}
