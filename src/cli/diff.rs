//! `sealift diff`: two bundles of a host, or two output directories of a cluster.

mod tell;

use super::args;
use super::failure::{Failure, USAGE};
use super::output::Output;
use super::sarif::{Place, Report};
use super::verify::Listing;
use super::world;
use crate::bundle::open::{Verified, open_signed};
use crate::bundle::trust::Signers;
use crate::check::diff::{Compared, DiffError, Fact, HostDiff, Side, bundles, outputs};
use crate::finding::{Finding, exit_code, sorted};
use serde::Serialize;
use std::path::Path;
use tell::Tally;

#[derive(Serialize)]
struct Differences<'a> {
    command: &'static str,
    exit: u8,
    old: String,
    new: String,
    /// Whether the signers were compared with a trust file.
    trusted: bool,
    /// What the indexes say otherwise.
    facts: &'a [Fact],
    /// Hosts that differ, in byte order.
    hosts: &'a [HostDiff],
    /// Hosts that do not.
    unchanged: &'a [String],
    findings: &'a [Finding],
}

pub(super) fn run(arguments: &args::Diff, output: &mut Output<'_>) -> Result<u8, Failure> {
    let args::Diff { old, new, text, trust } = arguments;
    let trusted = trust.as_deref().map(|file| world::trust(Some(file), Path::new("/"))).transpose()?;
    let signers = match &trusted {
        Some(trusted) => Signers::Trusted(&trusted.trust, world::now()),
        None => Signers::Anyone,
    };
    let directories = same_kind(old, new)?;
    let mut tally = Tally::default();
    // of hosts that were told, only JSON needs the whole list
    let mut hosts = Vec::new();
    let mut visit = |diff: HostDiff| {
        tally.tell(&diff, output);
        if output.is_json() {
            hosts.push(diff);
        }
    };
    let compared = if directories {
        directory_pair(old, new, signers, *text, visit)
    } else {
        bundle_pair(old, new, signers, *text, &mut visit)
    };
    let Compared { facts, unchanged, findings } = compared?;
    let findings = sorted(findings);
    if trusted.is_none() {
        let message = "no trust file says who may sign: both were checked to be whole, not whose they are";
        output.warning(message, "name the file that the builder gave you: --trust FILE");
    }
    let differs = !facts.is_empty() || !tally.is_empty();
    let exit = if findings.is_empty() { u8::from(differs) } else { exit_code(&findings) };
    output.json(&Differences {
        command: "diff",
        exit,
        old: old.display().to_string(),
        new: new.display().to_string(),
        trusted: trusted.is_some(),
        facts: &facts,
        hosts: &hosts,
        unchanged: &unchanged,
        findings: &findings,
    });
    tally.index(&facts, output);
    tally.end(unchanged.len(), output, findings.is_empty());
    let places = [Place::output(old), Place::output(new)];
    output.sarif(&Report { places: &places, ..Report::new("diff", exit, &findings) });
    output.findings(&findings);
    Ok(exit)
}

/// Whether both are directories; a bundle and a directory cannot be compared.
fn same_kind(old: &Path, new: &Path) -> Result<bool, Failure> {
    let (directory, bundle) = match (old.is_dir(), new.is_dir()) {
        (true, true) => return Ok(true),
        (false, false) => return Ok(false),
        (true, false) => (old, new),
        (false, true) => (new, old),
    };
    // what is not there is not a bundle
    drop(world::read(bundle)?);
    let name = bundle.file_name().unwrap_or_default();
    Err(Failure::new(USAGE, format!("{} is a directory, {} is not", directory.display(), bundle.display()))
        .hint(format!("compare with {}, or two output directories", directory.join(name).display())))
}

fn directory_pair(
    old: &Path,
    new: &Path,
    signers: Signers<'_>,
    text: bool,
    visit: impl FnMut(HostDiff),
) -> Result<Compared, Failure> {
    let [old_name, new_name] = [old, new].map(|path| path.display().to_string());
    let old = Side { directory: &Listing(old), name: &old_name };
    let new = Side { directory: &Listing(new), name: &new_name };
    outputs(old, new, signers, text, visit).map_err(|error| incomparable(&error))
}

fn bundle_pair(
    old: &Path,
    new: &Path,
    signers: Signers<'_>,
    text: bool,
    visit: &mut impl FnMut(HostDiff),
) -> Result<Compared, Failure> {
    let mut compared = Compared::default();
    let mut opened = |path: &Path| -> Result<Option<Verified>, Failure> {
        let opened = open_signed(&world::read(path)?, &path.display().to_string(), signers);
        Ok(opened.map_err(|findings| compared.findings.extend(findings)).ok())
    };
    let (old, new) = (opened(old)?, opened(new)?);
    if let (Some(old), Some(new)) = (old, new) {
        match bundles(&old, &new, text).map_err(|error| incomparable(&error))? {
            Some(diff) => visit(diff),
            None => compared.unchanged.push(new.manifest().host.name.clone()),
        }
    }
    Ok(compared)
}

fn incomparable(error: &DiffError) -> Failure {
    let hint = match error {
        DiffError::Clusters { .. } => "two builds of one cluster can be compared",
        DiffError::Hosts { .. } => "two bundles of one host can be compared",
    };
    Failure::from_error(USAGE, error).hint(hint)
}
