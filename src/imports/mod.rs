//! Authorities that were made elsewhere, and what they signed: from the bytes of files to facts for a
//! plan, material for `derive`, and problems at the spec's lines.
//!
//! Of a chain, the first certificate is the authority and alone is trusted: what a corporate root
//! signed for others must mean nothing here.

mod chain;
mod constraints;
mod issued;
mod keys;
mod manifests;
mod material;
mod strict;
mod time;
mod x509;

pub use issued::{Issued, IssuedFiles};
pub use keys::KeyFile;
pub use manifests::manifests;
pub use material::{Issuer, Material};

use crate::finding::is_plain;
use crate::plan::brought::{Facts, Version};
use crate::plan::{CertPlan, Plan};
use crate::private_key::PrivateKey;
use crate::spec::types::{CaName, External, Import, Rotation, Spec};
use crate::spec::{Path, Problem};
use chain::Chain;
use constraints::Against;
use std::collections::{BTreeMap, BTreeSet};

/// A file's bytes, or in words why there are none.
pub type Read = Result<Vec<u8>, String>;

/// An authority of a spec that was made elsewhere, and the paths of its files.
#[derive(Clone, Debug)]
pub struct Source<'s> {
    /// Which one.
    pub ca: CaName,
    /// Which version of it.
    pub version: Version,
    /// Where the spec says so.
    pub path: Path,
    /// The file with its certificate.
    pub certificate: &'s str,
    /// The file with its key; none of an external one.
    pub key: Option<&'s str>,
    /// The directory with what it signed; none of an imported one, and of one that does not issue now.
    pub issued: Option<&'s str>,
}

/// What the files of one [`Source`] hold.
#[derive(Debug)]
pub struct Files {
    /// The certificate.
    pub certificate: Read,
    /// The key.
    pub key: Option<KeyFile>,
    /// What it signed.
    pub issued: Option<IssuedFiles>,
}

/// Every authority of a spec that was made elsewhere and is in use.
pub fn sources(spec: &Spec) -> Vec<Source<'_>> {
    let mut all = Vec::new();
    for &ca in CaName::ALL {
        let settings = spec.pki.cas.of(ca);
        let at = Path::root().key("pki").key("cas").key(ca.name());
        let active = active(settings.rotation);
        let (import, external) = (settings.import.as_ref(), settings.external.as_ref());
        all.extend(source(ca, Version::Current, &at, import, external, active));
        let rotating = matches!(settings.rotation, Some(Rotation::Stage | Rotation::Promote));
        if let Some(previous) = settings.previous.as_ref().filter(|_| rotating) {
            let at = at.key("previous");
            let (import, external) = (previous.import.as_ref(), previous.external.as_ref());
            all.extend(source(ca, Version::Previous, &at, import, external, active));
        }
    }
    all
}

/// Which version issues in a step of a rotation.
fn active(step: Option<Rotation>) -> Version {
    if step == Some(Rotation::Stage) { Version::Previous } else { Version::Current }
}

fn source<'s>(
    ca: CaName,
    version: Version,
    at: &Path,
    import: Option<&'s Import>,
    external: Option<&'s External>,
    active: Version,
) -> Option<Source<'s>> {
    if let Some(import) = import {
        let (certificate, key) = (import.certificate.as_str(), Some(import.key.as_str()));
        return Some(Source { ca, version, path: at.key("import"), certificate, key, issued: None });
    }
    let external = external?;
    let issued = (version == active).then(|| external.issued.as_str());
    let certificate = external.certificate.as_str();
    Some(Source { ca, version, path: at.key("external"), certificate, key: None, issued })
}

/// One authority, read.
#[derive(Debug)]
struct Authority {
    path: Path,
    chain: Chain,
    /// The name and the bytes of the key's file, while it is encrypted.
    sealed: Option<(String, Vec<u8>)>,
    /// The name and the files of the directory with what it signed.
    issued: Option<(String, IssuedFiles)>,
}

/// Everything that was made elsewhere.
#[derive(Debug, Default)]
pub struct Imports {
    authorities: BTreeMap<(CaName, Version), Authority>,
    facts: Facts,
    material: Material,
    /// Whether an authority was left out, so that nobody knows what all of them signed.
    incomplete: bool,
}

impl Imports {
    /// Reads authorities; `epoch` is the time, in seconds since 1970, at which they must be valid.
    /// What is wrong with one is among the problems, and that one is not there.
    pub fn read(sources: Vec<(Source<'_>, Files)>, epoch: i64) -> (Self, Vec<Problem>) {
        let (mut all, mut problems) = (Self::default(), Vec::new());
        for (source, files) in sources {
            all.add(source, files, epoch, &mut problems);
        }
        problems.extend(all.shared());
        (all, problems)
    }

    /// Adds the manifests of a spec, read: what is wrong with one is among the problems, and that one
    /// is not there.
    pub fn add_manifests(&mut self, files: Vec<(Path, &str, Read)>) -> Vec<Problem> {
        let (manifests, problems) = manifests::read(files);
        self.facts.manifests = manifests;
        problems
    }

    /// One authority for two uses: whom the one certifies, the other's servers believe too. A kubelet
    /// would read and write all of etcd, and any client would speak as the front proxy. The versions of
    /// one use may be one: a rotation changes nothing of whom it certifies.
    fn shared(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for ((ca, _), authority) in &self.authorities {
            let same = |one: &Authority| {
                (&one.chain.subject, &one.chain.spki) == (&authority.chain.subject, &authority.chain.spki)
            };
            let first = self.authorities.iter().find(|(which, one)| which.0 < *ca && same(one));
            let Some(((other, _), _)) = first else { continue };
            let at = authority.path.key("certificate");
            let message =
                format!("{at}: this is the {} CA too: its clients would be believed here", other.name());
            problems.push(
                Problem::error(at, message)
                    .hint("let each have a CA of its own; intermediates under one root will do"),
            );
        }
        problems
    }

    fn add(&mut self, source: Source<'_>, files: Files, epoch: i64, problems: &mut Vec<Problem>) {
        let at = source.path.key("key");
        let key = match (source.key, files.key) {
            (Some(name), Some(file)) => key_of(file, &at, name, problems),
            _ => None,
        };
        let at = source.path.key("certificate");
        let chain = match Chain::read(&files.certificate, source.ca, epoch) {
            Ok(chain) => chain,
            Err(flaws) => {
                self.incomplete = true;
                problems.extend(flaws.iter().map(|flaw| flaw.problem(&at, source.certificate)));
                return;
            }
        };
        let which = (source.ca, source.version);
        let mut issuer = Issuer::new(&chain);
        let mut sealed = None;
        match (key, source.key) {
            (Some(Key::Open(key)), Some(name)) => {
                let given = keys::give(&mut issuer, *key, &source.path.key("key"), name);
                problems.extend(given.err().map(|problem| *problem));
            }
            (Some(Key::Sealed(bytes)), Some(name)) => sealed = Some((name.to_owned(), bytes)),
            _ => {}
        }
        self.facts.authorities.insert(which, chain.brought(source.key.is_none()));
        self.material.authorities.insert(which, issuer);
        let directory = source.issued.map(str::to_owned).zip(files.issued);
        self.authorities.insert(which, Authority { path: source.path, chain, sealed, issued: directory });
    }

    /// What a plan needs to know.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What the certificates and keys are made with.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// Checks what external authorities signed against a plan that was made with [`Self::facts`].
    /// With what is right the facts are complete, and the plan must be made again.
    pub fn check_issued(&mut self, plan: &Plan, epoch: i64) -> Vec<Problem> {
        let mut problems = Vec::new();
        // several authorities may share a directory, as their requests do
        let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (which, authority) in &self.authorities {
            let Some((directory, _)) = &authority.issued else { continue };
            let wanted = leaves(plan, which.0).into_keys();
            let wanted = wanted.map(|(host, id)| issued::file_name(&host, &id));
            names.entry(directory.as_str()).or_default().extend(wanted);
        }
        for (which, authority) in &self.authorities {
            let Some((directory, files)) = &authority.issued else { continue };
            let wanted = leaves(plan, which.0);
            let at = authority.path.key("issued");
            let check = issued::Check { at: &at, directory, chain: &authority.chain, epoch };
            for (leaf, right) in check.all(files, &wanted, &mut problems) {
                self.facts.issued.insert(leaf.clone(), right.brought());
                self.material.issued.insert(leaf, right);
            }
            // said once for each directory
            if let Some(names) = names.remove(directory.as_str()).filter(|_| !self.incomplete) {
                problems.extend(check.surplus(files, &names));
            }
        }
        problems
    }

    /// Whether a plan depends on what external authorities signed.
    pub fn has_issued(&self) -> bool {
        !self.facts.issued.is_empty()
    }

    /// Opens the keys that are encrypted, and checks them; `open` says in words why it cannot.
    pub fn open_keys(
        &mut self,
        open: impl Fn(&[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, String>,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (which, authority) in &mut self.authorities {
            let Some((name, sealed)) = &authority.sealed else { continue };
            let at = authority.path.key("key");
            let Some(issuer) = self.material.authorities.get_mut(which) else { continue };
            let opened = keys::open(issuer, open(sealed), &at, name);
            problems.extend(opened.err().map(|problem| *problem));
        }
        problems
    }

    /// Certificates whose key is not the derived one: `derived` are hosts, ids and the
    /// `SubjectPublicKeyInfo` (DER) that each must have.
    pub fn check_public_keys(&self, ca: CaName, derived: &[(String, &str, Vec<u8>)]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let sources = self.authorities.iter().filter(|(which, _)| which.0 == ca);
        for (authority, directory) in sources.filter_map(|(_, one)| Some((one, &one.issued.as_ref()?.0))) {
            for (host, id, spki) in derived {
                let Some(certificate) = self.material.issued.get(&(host.clone(), (*id).to_owned())) else {
                    continue;
                };
                if !certificate.is_for(spki) {
                    let at = authority.path.key("issued");
                    problems.push(issued::foreign_key(&at, directory, host, id));
                }
            }
        }
        problems
    }

    /// Whether the name constraints of authorities, and of what is above them, allow the names that
    /// certificates will have.
    pub fn check_names(&self, plan: &Plan) -> Vec<Problem> {
        let mut problems = Vec::new();
        for authority in &plan.cluster.authorities {
            let leaves = leaves(plan, authority.ca);
            let versions = self.authorities.iter().filter(|(which, _)| which.0 == authority.ca);
            for (own, (index, constraints)) in versions
                .flat_map(|(_, own)| own.chain.constraints.iter().enumerate().map(move |one| (own, one)))
            {
                let against = |leaf: &CertPlan| constraints.against(&leaf.dns, &leaf.ips);
                let mut all = leaves.iter().filter_map(|(leaf, plan)| Some((leaf, against(plan)?)));
                let Some(((host, id), against)) = all.next() else { continue };
                let at = own.path.key("certificate");
                let number = index + 1;
                let message = match against {
                    Against::All => {
                        format!("{at}: certificate {number} has name constraints that hosts cannot read")
                    }
                    Against::Name(name) => {
                        format!(
                            "{at}: the name constraints of certificate {number} forbid {name}, a name of {host}'s {id}"
                        )
                    }
                };
                problems.push(
                    Problem::error(at, message)
                        .hint("have it issued without name constraints, or with others"),
                );
            }
        }
        problems
    }

    /// Authorities whose certificates would outlive them.
    pub fn check_validity(&self, plan: &Plan) -> Vec<Problem> {
        let mut problems = Vec::new();
        for authority in &plan.cluster.authorities {
            let version = authority.certificates.active_version();
            let Some(own) = self.authorities.get(&(authority.ca, version)) else { continue };
            let last = leaves(plan, authority.ca).into_values().map(|leaf| leaf.not_after).max();
            let Some(last) = last.filter(|last| *last > own.chain.not_after()) else { continue };
            let at = own.path.key("certificate");
            let message = format!(
                "{at}: the authority is valid until {}, and certificates that it issues until {}",
                time::text(own.chain.not_after()),
                time::text(last)
            );
            problems.push(Problem::warning(at, message).hint("write a shorter `pki.validity.leaf`"));
        }
        problems
    }
}

/// All leaves of an authority by host and id.
fn leaves(plan: &Plan, ca: CaName) -> BTreeMap<(String, String), &CertPlan> {
    let kind = crate::plan::certs::Kind::IssuedBy(ca);
    let hosts = plan.hosts.values().chain([&plan.operator]);
    let all = hosts.flat_map(|host| host.certificates.iter().map(move |leaf| (host, leaf)));
    all.filter(|(_, leaf)| leaf.row.kind == kind)
        .map(|(host, leaf)| ((host.name.clone(), leaf.row.id.to_owned()), leaf))
        .collect()
}

enum Key {
    Open(Box<PrivateKey>),
    Sealed(Vec<u8>),
}

fn key_of(file: KeyFile, at: &Path, name: &str, problems: &mut Vec<Problem>) -> Option<Key> {
    let read = match file {
        KeyFile::Sealed(bytes) => Ok(Key::Sealed(bytes)),
        KeyFile::Open(text) => keys::read(&text, at, name).map(|key| Key::Open(Box::new(key))),
        KeyFile::Unreadable(reason) => Err(Box::new(unreadable(at, name, &reason))),
    };
    read.map_err(|problem| problems.push(*problem)).ok()
}

fn unreadable(at: &Path, name: &str, reason: &str) -> Problem {
    Problem::error(at.clone(), format!("{at}: {name}: {reason}"))
        .hint("name a file of at most 1 MiB; a path begins at the spec's directory, or at /")
}

/// A text of a certificate, safe for terminals.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect()
}
