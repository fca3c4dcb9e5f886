//! What an install did, or would do.

use super::compare::{DirectoryChange, FileChange};
use super::preview::Preview;
use super::recovery::Recovered;
use super::removals::Removal;
use crate::bundle::manifest::{Manifest, Revision};
use crate::check::aftermath::{Aftermath, Asks, reloaded};
use crate::rootfs::Attributes;
use serde::Serialize;

/// What was done to a file or directory. The first that fits: new contents bring mode and owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It was not there.
    Created,
    /// Its contents were others.
    Updated,
    /// Its mode was another; or beside it, an access list, capabilities, attributes or a second name were there.
    Mode,
    /// Its owner or group was another.
    Owner,
    /// An earlier revision placed it, this one does not.
    Removed,
    /// It was as it should be, and was not touched.
    Unchanged,
}

/// One path of an install.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Absolute host path.
    pub path: String,
    /// What was done to it.
    pub action: Action,
    /// Of a mode or owner that is set: what it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Of a mode or owner that is set: what it shall be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Of a dry run: what its contents would change, or why that is not shown.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

impl Change {
    /// What is done to a path, without more.
    pub(crate) fn new(path: &str, action: Action) -> Self {
        Self { path: path.to_owned(), action, found: None, expected: None, preview: None }
    }

    /// With the attributes that were found, and those that shall be.
    fn attributes(self, found: Option<Attributes>, wanted: Attributes) -> Self {
        let Some(found) = found else { return self };
        let text = |of: Attributes| match self.action {
            // else it is what stood beside the mode
            Action::Mode if found.mode != wanted.mode => Some(format!("{:04o}", of.mode)),
            Action::Owner => Some(format!("{}:{}", of.uid, of.gid)),
            _ => None,
        };
        Self { found: text(found), expected: text(wanted), ..self }
    }
}

/// What an install did, or, for a dry run, would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The host's name.
    pub host: String,
    /// The revision installed.
    pub revision: Revision,
    /// The revision that was installed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Revision>,
    /// An earlier install that was interrupted, and what became of it first.
    #[serde(skip)]
    pub recovered: Option<Recovered>,
    /// Directories, files in the order in which they take their places, then removed files;
    /// sealift's own included.
    pub changes: Vec<Change>,
    /// Commands that must run now, before the restarts, distinct: those that stop units, then others in the
    /// manifest's order, those of removed files last.
    pub run: Vec<String>,
    /// What must restart now, distinct: units that run containers, other units, the kubelet, static pods; of
    /// each in the manifest's order.
    pub restart: Vec<String>,
}

impl Report {
    /// Whether anything is other than it was.
    pub fn changed(&self) -> bool {
        self.changes.iter().any(|change| change.action != Action::Unchanged)
    }
}

/// The report of these changes.
pub(super) fn of(
    manifest: &Manifest,
    earlier: Option<&Manifest>,
    previous: Option<Revision>,
    directories: &[DirectoryChange<'_>],
    files: &[FileChange<'_>],
    removals: &[Removal],
) -> Report {
    let made = directories.iter().map(|directory| {
        Change::new(directory.path, directory.action).attributes(directory.found, directory.attributes)
    });
    let placed = files.iter().map(|file| {
        Change::new(file.wanted.path, file.action).attributes(file.found, file.wanted.attributes)
    });
    let removed = removals.iter().map(|removal| {
        // a file that loses its block is not removed
        let action = if removal.rest.is_some() { Action::Updated } else { Action::Removed };
        Change::new(&removal.file.path, action)
    });

    // Only contents matter to what reads them; a repaired mode restarts nothing.
    let new = |path: &str| {
        let file = files.iter().find(|file| file.wanted.path == path);
        file.is_some_and(|file| matches!(file.action, Action::Created | Action::Updated))
    };
    let changed = manifest.files.iter().filter(|file| new(&file.path));
    let gone = || removals.iter().map(|removal| &removal.file);
    let asks: Vec<Asks> = manifest.files.iter().map(Asks::from).collect();
    let aftermath = Aftermath::new(earlier, &asks);
    // what somebody removed before was stopped then
    let known =
        |path: &str| asks.iter().any(|asks| asks.path == path) || gone().any(|file| file.path == path);
    let stops = aftermath.stops().iter().filter(|stop| known(&stop.path));
    let run = stops.map(|stop| stop.command.clone());
    let run = run.chain(changed.clone().flat_map(|file| file.run.clone()));
    let run = run.chain(gone().flat_map(|file| aftermath.run_when_gone(file)));
    let restart = changed.flat_map(|file| file.restart.clone());
    let mut restart = distinct(restart.chain(gone().flat_map(|file| aftermath.restart_when_gone(file))));
    // a restart reads all anew
    let once =
        |command: &String| reloaded(command).is_none_or(|unit| !restart.contains(&format!("unit/{unit}")));
    let run = distinct(run.filter(once));
    restart.sort_by_key(|target| rank(target));
    Report {
        host: manifest.host.name.clone(),
        revision: manifest.revision,
        previous,
        recovered: None,
        changes: made.chain(placed).chain(removed).collect(),
        run,
        restart,
    }
}

/// What others need comes first: what runs containers before the kubelet, the kubelet before its pods.
fn rank(target: &str) -> u8 {
    match target {
        "unit/containerd" | "unit/crio" | "unit/docker" => 0,
        "kubelet" => 2,
        target if target.starts_with("unit/") => 1,
        _ => 3,
    }
}

fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    distinct
}
