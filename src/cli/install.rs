//! `sealift install`: one bundle onto one host.

use super::args::Install;
use super::failure::{Failure, MACHINE};
use super::output::Output;
use super::sarif::{self, Place};
use super::world::{self, Trusted};
use crate::bundle::open::{Verified, open};
use crate::bundle::trust::Trust;
use crate::check::host as verify;
use crate::check::record::RUNBOOK;
use crate::finding::{Finding, exit_code};
use crate::host::{
    self, Action, Change, InstallError, Options, Outcome, Preview, Recovered, Report, Withheld,
};
use crate::rootfs::Root;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
struct Installed<'a> {
    command: &'static str,
    exit: u8,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered: Option<&'a Recovered>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
    findings: &'a [Finding],
    /// What `verify` still finds on the host after it.
    #[serde(skip_serializing_if = "<[Finding]>::is_empty")]
    remaining: &'a [Finding],
}

/// A bundle that shall be placed, as a command line says it.
pub(super) struct Placing<'a> {
    pub(super) command: &'static str,
    /// Where the bundle was read.
    pub(super) bundle: &'a Path,
    pub(super) bytes: &'a [u8],
    pub(super) root: &'a Path,
    pub(super) trusted: &'a Trusted,
    pub(super) identities: &'a [PathBuf],
}

pub(super) fn run(arguments: &Install, output: &mut Output<'_>) -> Result<u8, Failure> {
    let root = open_root(&arguments.host.root)?;
    let placing = Placing {
        command: "install",
        bundle: &arguments.bundle,
        trusted: &world::trust(arguments.host.trust.file.as_deref(), &arguments.host.root)?,
        bytes: &world::read(&arguments.bundle)?,
        root: &arguments.host.root,
        identities: &arguments.host.identities,
    };
    let options = Options {
        dry_run: arguments.host.dry_run,
        allow_rollback: arguments.allow_rollback,
        force: arguments.force,
        allow_expired: arguments.allow_expired,
        ..placing.options(&root)
    };
    placing.place(&root, None, &options, output)
}

/// Takes back, or clears up after, an install that was interrupted: by itself, so that it is told whatever
/// becomes of this one.
pub(super) fn recover(
    root: &Root,
    options: &Options<'_>,
    output: &mut Output<'_>,
) -> Result<Option<Recovered>, InstallError> {
    let recovered = host::recover(root, options.dry_run, options.force)?;
    if let Some(recovered) = &recovered {
        output.note(said(recovered, options.dry_run));
    }
    Ok(recovered)
}

/// What became of an install that was interrupted, for people.
fn said(recovered: &Recovered, dry_run: bool) -> String {
    let of = recovered.revision.map_or_else(String::new, |revision| format!(" of revision {revision}"));
    let outcome = match (recovered.outcome, dry_run) {
        (Outcome::TakenBack, false) => "it was taken back first",
        (Outcome::TakenBack, true) => {
            "it would be taken back first; what follows is told of the host as it is"
        }
        (Outcome::Finished, false) => "all of it was done, and what it had left was removed",
        (Outcome::Finished, true) => "all of it is done, and what it left would be removed",
    };
    format!("an install{of} was interrupted: {outcome}")
}

impl Placing<'_> {
    /// What holds unless the command line says otherwise.
    pub(super) fn options(&self, root: &Root) -> Options<'_> {
        Options {
            dry_run: false,
            allow_rollback: false,
            force: false,
            allow_expired: false,
            now: world::now(),
            hostname: hostname(root),
            trust_text: None,
            archive: self.bytes,
            rollback: false,
        }
    }

    /// Opens the bundle, installs it and says what was done. `recovered` is what was done about an
    /// earlier install before the bundle was read.
    pub(super) fn place(
        &self,
        root: &Root,
        recovered: Option<Recovered>,
        options: &Options<'_>,
        output: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        let identities = world::identities(self.identities)?;
        let name = self.bundle.display().to_string();
        let verified = match open(self.bytes, &name, &self.trusted.trust, options.now) {
            Ok(verified) => verified,
            Err(findings) => return Ok(self.refused(recovered.as_ref(), &findings, options.dry_run, output)),
        };
        let recovered = match recovered {
            Some(recovered) => Some(recovered),
            None => match recover(root, options, output) {
                Ok(recovered) => recovered,
                Err(error) => return self.failed(None, error, options.dry_run, output),
            },
        };
        let trust_text = self.trusted.after(verified.manifest());
        let options = &Options { trust_text: trust_text.as_deref(), ..options.clone() };
        match host::install(root, &verified, &identities, options) {
            Ok(mut report) => {
                report.recovered = recovered.or(report.recovered);
                let remaining =
                    if options.dry_run { Vec::new() } else { self.remaining(root, &verified, options) };
                output.json(&Installed {
                    command: self.command,
                    exit: 0,
                    dry_run: options.dry_run,
                    recovered: report.recovered.as_ref(),
                    report: Some(&report),
                    findings: &[],
                    remaining: &remaining,
                });
                let places = [Place::output(self.bundle), Place::root(self.root)];
                output.sarif(&sarif::Report {
                    places: &places,
                    ..sarif::Report::new(self.command, 0, &remaining)
                });
                tell(&report, options, output);
                for finding in &remaining {
                    output
                        .warning(format_args!("this host still differs: {}", finding.line()), &finding.mend);
                }
                Ok(0)
            }
            Err(error) => self.failed(recovered.as_ref(), error, options.dry_run, output),
        }
    }

    /// What install leaves to others, such as strays, and what a gate will refuse for it.
    fn remaining(&self, root: &Root, bundle: &Verified, options: &Options<'_>) -> Vec<Finding> {
        let placed = options.trust_text.and_then(|text| Trust::parse(&String::from_utf8_lossy(text)).ok());
        // what cannot be told, the next verify says
        let addresses = root.is_system().then(world::addresses).and_then(Result::ok);
        let options = verify::Options {
            trust: placed.as_ref().unwrap_or(&self.trusted.trust),
            at: options.now,
            within: None,
            expected: Some(bundle),
            hostname: options.hostname.as_deref(),
            addresses: addresses.as_ref(),
        };
        verify::verify_host(root, &options).findings
    }

    /// Says why nothing was placed.
    pub(super) fn failed(
        &self,
        recovered: Option<&Recovered>,
        error: InstallError,
        dry_run: bool,
        output: &mut Output<'_>,
    ) -> Result<u8, Failure> {
        if let InstallError::Refused(findings) = error {
            return Ok(self.refused(recovered, &findings, dry_run, output));
        }
        let failure = Failure::from_error(error.exit_code(), &error);
        Err(match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        })
    }

    /// Says what stands against it.
    pub(super) fn refused(
        &self,
        recovered: Option<&Recovered>,
        findings: &[Finding],
        dry_run: bool,
        output: &mut Output<'_>,
    ) -> u8 {
        let (command, exit) = (self.command, exit_code(findings));
        output.json(&Installed { command, exit, dry_run, recovered, report: None, findings, remaining: &[] });
        let places = [Place::output(self.bundle), Place::root(self.root)];
        output.sarif(&sarif::Report { places: &places, ..sarif::Report::new(command, exit, findings) });
        output.findings(findings);
        output.note("nothing was installed");
        exit
    }
}

pub(super) fn open_root(path: &Path) -> Result<Root, Failure> {
    Root::open(path).map_err(|error| {
        Failure::new(MACHINE, format!("cannot open the root {}: {}", path.display(), world::reason(&error)))
            .hint("--root names an existing directory, / on a running host")
    })
}

/// This machine's name, when the root is this machine's.
pub(super) fn hostname(root: &Root) -> Option<String> {
    let name = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    root.is_system().then(name)
}

fn tell(report: &Report, options: &Options<'_>, output: &mut Output<'_>) {
    let dry_run = options.dry_run;
    let would = if dry_run { "would be " } else { "" };
    if !report.changed() {
        output.good("unchanged", format_args!("{} holds revision {} already", report.host, report.revision));
        return;
    }
    for change in report.changes.iter().filter(|change| change.action != Action::Unchanged) {
        let what = match change.action {
            Action::Created => "created",
            Action::Updated => "updated",
            Action::Mode => "mode set",
            Action::Owner => "owner set",
            Action::Removed => "removed",
            Action::Unchanged => continue,
        };
        output.line(format_args!("  {would}{what} {}{}", change.path, attributes(change)));
        preview(change, output);
    }
    let repair = report.previous == Some(report.revision);
    let before = report.previous.filter(|_| !repair);
    let from = before.map_or_else(String::new, |previous| format!(", after {previous}"));
    let done = match (dry_run, repair) {
        (false, false) if options.rollback => "rolled back",
        (true, false) if options.rollback => "would roll back",
        (false, false) => "installed",
        (false, true) => "repaired",
        (true, false) => "would install",
        (true, true) => "would repair",
    };
    output.good(done, format_args!("{} revision {}{from}", report.host, report.revision));
    let placed = |change: &&Change| matches!(change.action, Action::Created | Action::Updated);
    if report.changes.iter().filter(placed).any(|change| change.path == RUNBOOK) {
        output.line(format_args!("read: {RUNBOOK}, for the order of what follows"));
    }
    for command in &report.run {
        output.line(format_args!("run: {command}"));
    }
    for target in &report.restart {
        output.line(format_args!("restart: {target}"));
    }
    if let Some(command) = joining(report) {
        let but = "all of these but commands of kubeadm and restarts of the kubelet and of static pods";
        output.line(format_args!("if this node is new: {but}, then {command}"));
    }
}

/// What a mode or owner was and shall be.
fn attributes(change: &Change) -> String {
    match (&change.found, &change.expected) {
        (Some(found), Some(expected)) => format!(": {found} to {expected}"),
        _ => String::new(),
    }
}

/// What a dry run shows of contents.
fn preview(change: &Change, output: &mut Output<'_>) {
    match &change.preview {
        Some(Preview::Text(text)) => {
            for line in text.lines() {
                output.line(format_args!("    {line}"));
            }
        }
        Some(Preview::Withheld(Withheld::Secret)) => output.line("    (a secret, not shown)"),
        Some(Preview::Withheld(Withheld::Private)) => {
            output.line("    (not shown: not everybody may read the file that is there)");
        }
        Some(Preview::Withheld(Withheld::NoText)) | None => {}
    }
}

/// With kubeadm, what makes a node of a host that has its first bundle.
fn joining(report: &Report) -> Option<&'static str> {
    let init =
        ("/etc/kubernetes/kubeadm/init.yaml", "kubeadm init --config /etc/kubernetes/kubeadm/init.yaml");
    let join =
        ("/etc/kubernetes/kubeadm/join.yaml", "kubeadm join --config /etc/kubernetes/kubeadm/join.yaml");
    let created = |path| {
        let mut changes = report.changes.iter();
        changes.any(|change| change.path == path && change.action == Action::Created)
    };
    let first = report.previous.is_none();
    [init, join].into_iter().find(|(path, _)| first && created(*path)).map(|(_, command)| command)
}

#[cfg(test)]
mod tests {
    use super::joining;
    use crate::bundle::manifest::Revision;
    use crate::host::{Action, Change, Report};

    #[test]
    fn the_first_bundle_of_a_node_of_kubeadm_says_what_joins_it() {
        let revision = Revision { cluster: 1, host: 0 };
        let of = |path: &str, previous| {
            let changes = vec![Change::new(path, Action::Created)];
            let (run, restart) = (Vec::new(), Vec::new());
            let recovered = None;
            joining(&Report { host: "w1".into(), revision, previous, recovered, changes, run, restart })
        };
        let [init, join] = ["init", "join"].map(|name| format!("/etc/kubernetes/kubeadm/{name}.yaml"));
        assert_eq!(of(&init, None), Some("kubeadm init --config /etc/kubernetes/kubeadm/init.yaml"));
        assert_eq!(of(&join, None), Some("kubeadm join --config /etc/kubernetes/kubeadm/join.yaml"));
        assert_eq!(of(&join, Some(revision)), None);
        assert_eq!(of("/etc/kubernetes/kubeadm/config.yaml", None), None);
    }
}
