//! Every certificate that a bundle or a host holds: what each says, where it lies, and who issued it.

mod bundle;
pub(super) mod chain;
mod describe;
mod root;

#[cfg(test)]
mod tests;

pub use bundle::of_bundle;
pub use describe::Certificate;
pub use root::of_root;

use crate::check::certificates::{horizon, rfc3339};
use crate::check::kubeconfig::{self, Kubeconfig, Reference};
use crate::finding::{Finding, Id};
use serde::Serialize;

/// Where a certificate lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The path on the host.
    pub path: String,
    /// In a kubeconfig: which entry has it, such as `users/kubernetes-admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Of a link: the name that it leads to, in the same directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Place {
    /// A file as a whole.
    pub fn file(path: impl Into<String>) -> Self {
        Self { path: path.into(), entry: None, target: None }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if let Some(target) = &self.target {
            write!(f, " -> {target}")?;
        }
        self.entry.as_ref().map_or(Ok(()), |entry| write!(f, " ({entry})"))
    }
}

/// Who issued a certificate, as far as the same host knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// It signed itself.
    Itself,
    /// The certificate of that index: its name, its key id and its signature fit.
    Held(usize),
    /// No certificate here did.
    NotFound,
}

/// One certificate, with every place that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it says.
    pub certificate: Certificate,
    /// Where it lies, sorted; at least one place.
    pub places: Vec<Place>,
    /// Who issued it.
    pub issuer: Issuer,
}

/// What one host, or its bundle, holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Distinct certificates, in order of their first place.
    pub certificates: Vec<Held>,
    /// What cannot be read, and what is or will be out of date.
    pub findings: Vec<Finding>,
}

/// Collects certificates of one host.
struct Collector<'a> {
    /// What stands before host paths in findings.
    prefix: &'a str,
    /// DER with its places.
    found: Vec<(Vec<u8>, Vec<Place>)>,
    findings: Vec<Finding>,
}

const REPLACE: &str = "find out what wrote it, and put the right file in its place";

impl<'a> Collector<'a> {
    fn new(prefix: &'a str) -> Self {
        Self { prefix, found: Vec::new(), findings: Vec::new() }
    }

    fn finding(&mut self, id: Id, path: &str, mend: impl Into<String>, found: impl Into<String>) {
        self.findings.push(Finding::new(id, format!("{}{path}", self.prefix), mend).found(found));
    }

    /// Takes every certificate of a PEM text; says how many there were, readable or not.
    fn pem(&mut self, text: &[u8], place: &Place) -> usize {
        let mut count = 0;
        for block in describe::blocks(text) {
            count += 1;
            match block.filter(|der| describe::parse(der).is_some()) {
                None => {
                    let number = format!("PEM block {count} is not one X.509 certificate");
                    self.finding(Id::CertificateMalformed, &place.to_string(), REPLACE, number);
                }
                Some(der) => match self.found.iter_mut().find(|(known, _)| *known == der) {
                    Some((_, places)) if places.contains(place) => {}
                    Some((_, places)) => places.push(place.clone()),
                    None => self.found.push((der, vec![place.clone()])),
                },
            }
        }
        count
    }

    /// Takes the certificates of a file that must hold some.
    fn certificate_file(&mut self, text: &[u8], place: &Place) {
        if self.pem(text, place) == 0 {
            self.finding(Id::CertificateMalformed, &place.path, REPLACE, "no PEM certificate");
        }
    }

    /// Takes the certificates inside a kubeconfig; gives back the files that it names.
    fn kubeconfig(&mut self, kubeconfig: Kubeconfig, path: &str) -> Vec<String> {
        let clusters = kubeconfig.clusters.into_iter().map(|it| ("clusters", it.name, it.authority));
        let users = kubeconfig.users.into_iter().map(|it| ("users", it.name, it.certificate));
        let mut files = Vec::new();
        for (list, name, reference) in clusters.chain(users) {
            let entry = describe::printable(&format!("{list}/{name}"));
            match reference {
                None => {}
                Some(Reference::File(file)) => files.push(file),
                Some(Reference::Data(pem)) => {
                    let place = Place { entry: Some(entry), ..Place::file(path) };
                    if self.pem(&pem, &place) == 0 {
                        let at = place.to_string();
                        self.finding(Id::CertificateMalformed, &at, REPLACE, "no PEM certificate");
                    }
                }
            }
        }
        files
    }

    /// Reads a text that must be a kubeconfig if it is one at all.
    fn read_kubeconfig(&mut self, text: &[u8], path: &str) -> Vec<String> {
        match kubeconfig::read(text) {
            Ok(None) => Vec::new(),
            Ok(Some(kubeconfig)) => self.kubeconfig(kubeconfig, path),
            Err(error) => {
                self.finding(Id::KubeconfigMalformed, path, REPLACE, error.to_string());
                Vec::new()
            }
        }
    }

    /// What was collected, judged at a time in seconds since 1970; `within` as in
    /// [`certificates::inspect`](crate::check::certificates::inspect).
    fn finish(mut self, at: i64, within: Option<u64>) -> Inventory {
        for (_, places) in &mut self.found {
            places.sort();
        }
        self.found.sort_by(|(_, one), (_, other)| one.cmp(other));
        let parsed: Vec<_> = self.found.iter().filter_map(|(der, _)| describe::parse(der)).collect();
        let issuers = chain::issuers(&parsed);
        let mut certificates = Vec::new();
        for ((x509, issuer), (der, places)) in parsed.iter().zip(issuers).zip(&self.found) {
            let certificate = Certificate::of(x509, der);
            let path = places.first().map(|place| format!("{}{place}", self.prefix)).unwrap_or_default();
            self.findings.extend(validity(&certificate, path, at, within));
            certificates.push(Held { certificate, places: places.clone(), issuer });
        }
        Inventory { certificates, findings: crate::finding::sorted(self.findings) }
    }
}

/// What is wrong with a certificate's validity at a time; ends within `within` seconds count too.
pub fn validity(certificate: &Certificate, path: String, at: i64, within: Option<u64>) -> Option<Finding> {
    let Certificate { subject, not_before, not_after, .. } = certificate;
    let until = format!("not after {} ({subject})", rfc3339(*not_after));
    let mend = "replace it: with sealift a new epoch, build and install; with kubeadm `kubeadm certs renew`";
    let finding = |id, at, found: String| {
        Finding::new(id, path, mend).expected(format!("valid at {}", rfc3339(at))).found(found)
    };
    if at < *not_before {
        let found = format!("not before {} ({subject})", rfc3339(*not_before));
        let mut finding = finding(Id::CertificateNotYetValid, at, found);
        "check this machine's clock, or wait until then".clone_into(&mut finding.mend);
        return Some(finding);
    }
    if at > *not_after {
        return Some(finding(Id::CertificateExpired, at, until));
    }
    let horizon = horizon(at, within?);
    (*not_after < horizon).then(|| finding(Id::CertificateExpiring, horizon, until))
}
