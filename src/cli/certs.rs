//! `sealift certs`: every certificate of a spec, bundle, output directory or host.

mod json;
mod planned;
mod table;

use super::args::Certs;
use super::check::report;
use super::failure::{Failure, USAGE};
use super::install::{hostname, open_root};
use super::output::Output;
use super::sarif::{Place, Report};
use super::verify::Listing;
use super::world::{self, Issued, Trusted};
use crate::bundle::open::{Verified, open};
use crate::check::inventory::{self, Held, validity};
use crate::check::output::each_bundle;
use crate::check::record::machine_name;
use crate::finding::{Finding, Id, exit_code, sorted};
use crate::unseal::Identities;
use std::path::Path;

/// What one host holds, or will.
struct Group {
    host: String,
    /// Where it was found: a bundle, a spec, a root directory.
    source: String,
    certificates: Vec<Held>,
}

/// What is found, as it comes in.
#[derive(Default)]
struct Found {
    groups: Vec<Group>,
    findings: Vec<Finding>,
    /// Sealed files that opened, and a finding about one that did not.
    opened: usize,
    unmatched: Option<Finding>,
}

/// What all of one run is judged by.
struct Terms {
    at: i64,
    within: Option<u64>,
    identities: Option<Identities>,
    trusted: Option<Trusted>,
}

pub(super) fn run(arguments: &Certs, output: &mut Output<'_>) -> Result<u8, Failure> {
    let bundles = arguments.paths.iter().any(|path| !is_spec(path));
    let terms = Terms {
        at: world::time(arguments.at.as_deref())?,
        within: world::span(arguments.within.as_deref())?,
        trusted: match &arguments.root {
            None if bundles => Some(world::trust(arguments.trust.as_deref(), Path::new("/"))?),
            _ => None,
        },
        identities: match arguments.identities.as_slice() {
            [] => None,
            paths => Some(world::identities(paths)?),
        },
    };
    let mut found = Found::default();
    if let Some(root) = &arguments.root {
        found.root(root, &terms)?;
    }
    for path in &arguments.paths {
        if !is_spec(path) {
            found.bundles(path, &terms);
        } else if !found.spec(path, &terms, output)? {
            return if output.is_sarif() { Err(errors(path)) } else { Ok(USAGE) };
        }
    }
    if found.opened == 0 {
        found.findings.extend(found.unmatched);
    }
    let findings = sorted(found.findings);
    let exit = exit_code(&findings);
    json::print(&found.groups, &findings, exit, &terms, output);
    table::print(&found.groups, &terms, output);
    if !findings.is_empty() && !found.groups.is_empty() {
        output.line("");
    }
    let paths = arguments.paths.iter().map(|path| Place::output(path));
    let places: Vec<_> = paths.chain(arguments.root.as_deref().map(Place::root)).collect();
    output.sarif(&Report { places: &places, ..Report::new("certs", exit, &findings) });
    output.findings(&findings);
    if exit == 0 {
        table::summary(&found.groups, &terms, output);
    }
    Ok(exit)
}

/// Told in SARIF only: people and JSON got each of them.
fn errors(path: &Path) -> Failure {
    Failure::new(USAGE, format!("{} has errors", path.display()))
        .hint(format!("run `sealift check {}`", path.display()))
}

/// Specs are YAML; whatever else is named is a bundle or a directory of bundles.
fn is_spec(path: &Path) -> bool {
    let spec = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
    spec && !path.is_dir()
}

impl Found {
    fn root(&mut self, path: &Path, terms: &Terms) -> Result<(), Failure> {
        let root = open_root(path)?;
        let source = path.display().to_string();
        let inventory = inventory::of_root(&root, terms.at, terms.within);
        let name = machine_name(&root, hostname(&root).as_deref()).ok().flatten();
        let host = name.map_or_else(|| source.clone(), |name| name.escape_debug().to_string());
        self.findings.extend(inventory.findings);
        self.groups.push(Group { host, source, certificates: inventory.certificates });
        Ok(())
    }

    /// A bundle, or each of an output directory. What cannot be read does not hide the others.
    fn bundles(&mut self, path: &Path, terms: &Terms) {
        let Some(Trusted { trust, .. }) = &terms.trusted else { return };
        let name = path.display().to_string();
        if path.is_dir() {
            let findings = each_bundle(&Listing(path), &name, trust, terms.at, |verified, findings| {
                findings.extend(self.bundle(verified, terms));
            });
            self.findings.extend(findings);
            return;
        }
        match world::read_bounded(path) {
            Err(error) => {
                let mend = "check the path, and run as a user who may read it";
                let finding = Finding::new(Id::Unreadable, name, mend);
                self.findings.push(finding.found(world::reason(&error)));
            }
            Ok(bytes) => match open(&bytes, &name, trust, terms.at) {
                Err(findings) => self.findings.extend(findings),
                Ok(verified) => {
                    let findings = self.bundle(&verified, terms);
                    self.findings.extend(findings);
                }
            },
        }
    }

    fn bundle(&mut self, verified: &Verified, terms: &Terms) -> Vec<Finding> {
        let (inventory, opened, unmatched) =
            inventory::of_bundle(verified, terms.identities.as_ref(), terms.at, terms.within);
        self.opened += opened;
        // of a bundle that opens in part, each file that does not is worth a word
        let mut findings = inventory.findings;
        match unmatched {
            Some(unmatched) if opened > 0 => findings.push(unmatched),
            Some(unmatched) => drop(self.unmatched.get_or_insert(unmatched)),
            None => {}
        }
        self.groups.push(Group {
            host: verified.manifest().host.name.clone(),
            source: verified.name().to_owned(),
            certificates: inventory.certificates,
        });
        findings
    }

    /// What a spec would make; false when it has errors, which were told.
    fn spec(&mut self, path: &Path, terms: &Terms, output: &mut Output<'_>) -> Result<bool, Failure> {
        let spec = world::spec(path, Issued::IfThere)?;
        if !report(&spec, "certs", output) {
            return Ok(false);
        }
        for group in planned::groups(planned::planned(&spec.plan, spec.imports.material()), &spec.name) {
            for held in &group.certificates {
                let place = held.places.first().map(ToString::to_string).unwrap_or_default();
                let at = format!("{}:{place}", group.host);
                self.findings.extend(validity(&held.certificate, at, terms.at, terms.within));
            }
            self.groups.push(group);
        }
        Ok(true)
    }
}

/// How a certificate stands at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Valid,
    Expiring,
    Expired,
    NotYetValid,
}

impl Terms {
    fn state(&self, held: &Held) -> State {
        let finding = validity(&held.certificate, String::new(), self.at, self.within);
        match finding.map(|finding| finding.id) {
            Some(Id::CertificateExpired) => State::Expired,
            Some(Id::CertificateNotYetValid) => State::NotYetValid,
            Some(_) => State::Expiring,
            None => State::Valid,
        }
    }

    /// Whole days until the validity ends; negative when it has ended.
    fn days_left(&self, held: &Held) -> i64 {
        held.certificate.not_after.saturating_sub(self.at).div_euclid(86_400)
    }
}
