//! What must run and restart once one set of a host's files has followed another.

use crate::bundle::manifest::{File, Manifest, Policy};
use std::collections::BTreeSet;

const ENABLE: &str = "systemctl enable ";
const RELOAD: &str = "systemctl reload-or-restart ";
const UNITS: &str = "/etc/systemd/system/";
const TIMER: &str = ".timer";
const QUADLETS: &str = "/etc/containers/systemd/";

/// A file of the later set, and what it asks for when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Absolute host path.
    pub path: String,
    /// Commands, as [`File::run`].
    pub run: Vec<String>,
    /// What must restart, as [`File::restart`].
    pub restart: Vec<String>,
}

impl From<&File> for Asks {
    fn from(file: &File) -> Self {
        Self { path: file.path.clone(), run: file.run.clone(), restart: file.restart.clone() }
    }
}

/// A command that stops a unit, and the file that had it run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The file of the earlier set; the later one may hold it, too.
    pub path: String,
    /// The command.
    pub command: String,
    /// The unit, without `.service`.
    unit: String,
}

/// An earlier set of files and what becomes of it.
#[derive(Clone, Debug)]
pub struct Aftermath {
    stops: Vec<Stop>,
    named: BTreeSet<String>,
    removed: Vec<String>,
}

impl Aftermath {
    /// What follows from these files after those of an earlier manifest.
    pub fn new(old: Option<&Manifest>, new: &[Asks]) -> Self {
        let old: Vec<&File> = old.iter().flat_map(|old| &old.files).filter(|file| placed(file)).collect();
        let find = |file: &File| new.iter().find(|asks| asks.path == file.path);
        let named: BTreeSet<String> = new.iter().flat_map(names).collect();
        let mut stops = Vec::new();
        for file in &old {
            let run_by = match find(file) {
                Some(asks) if asks.run == file.run => continue,
                Some(_) => enabled(file).collect(),
                None => run_by(file),
            };
            // a package may bring the kubelet's unit from now on
            let over = |unit: &String| unit != "kubelet" && !named.contains(unit);
            for (unit, command) in run_by.into_iter().filter(|(unit, _)| over(unit)) {
                stops.push(Stop { path: file.path.clone(), command, unit });
            }
        }
        // a file that only lost its block is there
        // of a unit that a timer starts, the timer ends
        let timers: Vec<String> = stops.iter().map(|stop| stop.unit.clone()).collect();
        stops.retain(|stop| !timers.contains(&format!("{}{TIMER}", stop.unit)));
        let gone = |file: &&&File| file.policy != Policy::Block && find(file).is_none();
        let removed = old.iter().filter(gone).map(|file| file.path.clone()).collect();
        Self { stops, named, removed }
    }

    /// Units that nothing of the later set runs. They stop before anything starts: what takes their place
    /// needs their addresses and ports, and systemd their configuration.
    pub fn stops(&self) -> &[Stop] {
        &self.stops
    }

    /// The commands that must run when this file is gone: those that name what is gone, too, would not
    /// find it.
    pub fn run_when_gone(&self, file: &File) -> Vec<String> {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let finds = |command: &&String| {
            let own = file.policy != Policy::Block && command.contains(name);
            !own && !self.removed.iter().any(|path| command.contains(path.as_str()))
        };
        file.run.iter().filter(finds).filter(|command| !self.is_stopped(command)).cloned().collect()
    }

    /// What must restart when this file is gone.
    pub fn restart_when_gone(&self, file: &File) -> Vec<String> {
        let stopped = |target: &&String| {
            target.strip_prefix("unit/").is_some_and(|unit| self.stops.iter().any(|stop| stop.unit == unit))
        };
        file.restart.iter().filter(|target| !stopped(target)).cloned().collect()
    }

    /// Whether a command would start what stops, or what nothing configures any more.
    fn is_stopped(&self, command: &str) -> bool {
        let stopped = |unit: &str| self.stops.iter().any(|stop| stop.unit == unit);
        enabled_unit(command).is_some_and(stopped)
            || reloaded(command).is_some_and(|unit| stopped(unit) || !self.named.contains(unit))
    }
}

/// The unit, without `.service`, that a command reloads, or starts if it does not run.
pub fn reloaded(command: &str) -> Option<&str> {
    command.strip_prefix(RELOAD).map(bare)
}

fn placed(file: &File) -> bool {
    file.policy != Policy::Foreign
}

fn bare(unit: &str) -> &str {
    unit.strip_suffix(".service").unwrap_or(unit)
}

fn enabled_unit(command: &str) -> Option<&str> {
    let unit = command.strip_prefix(ENABLE)?;
    Some(bare(unit.strip_prefix("--now ").unwrap_or(unit)))
}

/// The units that a file has start, each with what stops it.
fn enabled(file: &File) -> impl Iterator<Item = (String, String)> {
    let units = file.run.iter().filter_map(|command| enabled_unit(command));
    units.map(|unit| (unit.to_owned(), format!("systemctl disable --now {}", whole(unit))))
}

/// A unit's name with its kind: that of services is left out here.
fn whole(unit: &str) -> String {
    if unit.ends_with(TIMER) { unit.to_owned() } else { format!("{unit}.service") }
}

/// The units that end with a file: the one that it is, and those whose whole configuration it was.
fn run_by(file: &File) -> Vec<(String, String)> {
    if let Some(unit) = service(&file.path) {
        return vec![(unit.to_owned(), format!("systemctl disable --now {}", whole(unit)))];
    }
    if let Some(unit) = quadlet(&file.path) {
        // systemd itself made the unit, and has none to disable
        return vec![(unit.to_owned(), format!("systemctl stop {unit}.service"))];
    }
    let all = |unit: &str| file.run.iter().any(|command| reloaded(command) == Some(unit));
    enabled(file).filter(|(unit, _)| all(unit)).collect()
}

fn service(path: &str) -> Option<&str> {
    let unit = path.strip_prefix(UNITS).filter(|unit| !unit.contains('/'))?;
    unit.strip_suffix(".service").or_else(|| unit.ends_with(TIMER).then_some(unit))
}

fn quadlet(path: &str) -> Option<&str> {
    path.strip_prefix(QUADLETS)?.strip_suffix(".container").filter(|unit| !unit.contains('/'))
}

/// The units that a file is, starts or restarts.
fn names(asks: &Asks) -> Vec<String> {
    let own = service(&asks.path).or_else(|| quadlet(&asks.path));
    let run = asks.run.iter().filter_map(|command| enabled_unit(command).or_else(|| reloaded(command)));
    let restart = asks.restart.iter().filter_map(|target| target.strip_prefix("unit/"));
    own.into_iter().chain(run).chain(restart).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
