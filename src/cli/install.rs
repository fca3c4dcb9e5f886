//! `sealift install`: one bundle onto one host.

use super::args::Install;
use super::failure::{Failure, MACHINE};
use super::output::Output;
use super::sarif::{self, Place};
use super::world;
use crate::bundle::open::open;
use crate::check::record::RUNBOOK;
use crate::finding::{Finding, exit_code};
use crate::host::{self, Action, Change, InstallError, Options, Outcome, Recovered, Report};
use crate::rootfs::Root;
use serde::Serialize;
use std::path::Path;

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
}

pub(super) fn run(arguments: &Install, output: &mut Output<'_>) -> Result<u8, Failure> {
    let root = open_root(&arguments.root)?;
    let now = world::now();
    let trusted = world::trust(arguments.trust.file.as_deref(), &arguments.root)?;
    let identities = world::identities(&arguments.identities)?;
    let bytes = world::read(&arguments.bundle)?;
    let verified = match open(&bytes, &arguments.bundle.display().to_string(), &trusted.trust, now) {
        Ok(verified) => verified,
        Err(findings) => return Ok(refused(arguments, None, &findings, output)),
    };
    let options = Options {
        dry_run: arguments.dry_run,
        allow_rollback: arguments.allow_rollback,
        force: arguments.force,
        allow_expired: arguments.allow_expired,
        now,
        hostname: hostname(&root),
        trust_text: trusted.explicit.then_some(trusted.text.as_slice()),
    };
    // By itself, so that it is told whatever becomes of this install.
    let recovered = match host::recover(&root, arguments.dry_run, arguments.force) {
        Ok(recovered) => recovered,
        Err(error) => return failed(arguments, None, error, output),
    };
    if let Some(recovered) = &recovered {
        output.note(said(recovered, arguments.dry_run));
    }
    match host::install(&root, &verified, &identities, &options) {
        Ok(mut report) => {
            let (dry_run, findings) = (arguments.dry_run, &[][..]);
            report.recovered = recovered.clone().or(report.recovered);
            output.json(&Installed {
                command: "install",
                exit: 0,
                dry_run,
                recovered: report.recovered.as_ref(),
                report: Some(&report),
                findings,
            });
            output.sarif(&sarif::Report::new("install", 0, &[]));
            tell(&report, dry_run, output);
            Ok(0)
        }
        Err(error) => failed(arguments, recovered.as_ref(), error, output),
    }
}

fn failed(
    arguments: &Install,
    recovered: Option<&Recovered>,
    error: InstallError,
    output: &mut Output<'_>,
) -> Result<u8, Failure> {
    if let InstallError::Refused(findings) = error {
        return Ok(refused(arguments, recovered, &findings, output));
    }
    let failure = Failure::from_error(error.exit_code(), &error);
    Err(match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
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

fn refused(
    arguments: &Install,
    recovered: Option<&Recovered>,
    findings: &[Finding],
    output: &mut Output<'_>,
) -> u8 {
    let exit = exit_code(findings);
    let dry_run = arguments.dry_run;
    output.json(&Installed { command: "install", exit, dry_run, recovered, report: None, findings });
    let places = [Place::output(&arguments.bundle), Place::root(&arguments.root)];
    output.sarif(&sarif::Report { places: &places, ..sarif::Report::new("install", exit, findings) });
    output.findings(findings);
    output.note("nothing was installed");
    exit
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

fn tell(report: &Report, dry_run: bool, output: &mut Output<'_>) {
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
        output.line(format_args!("  {would}{what} {}", change.path));
    }
    let repair = report.previous == Some(report.revision);
    let before = report.previous.filter(|_| !repair);
    let from = before.map_or_else(String::new, |previous| format!(", after {previous}"));
    let done = match (dry_run, repair) {
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
            let changes = vec![Change { path: path.into(), action: Action::Created }];
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
