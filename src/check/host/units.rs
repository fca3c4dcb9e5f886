//! The effective units: nothing masks, hides or overrides what the manifest's unit files say.

use super::files::Kept;
use crate::bundle::manifest::Manifest;
use crate::check::obstacles;
use crate::check::units::effective::{How, Override, World, overrides};
use crate::check::units::load::{LoadError, LoadPath, Part, Unit};
use crate::check::units::name::{is_of_package, rank, unit_of};
use crate::finding::{Finding, Id};
use crate::rootfs::{Root, WalkError};
use std::collections::{BTreeMap, BTreeSet};

/// The way out of all of them: systemd has read what it has read.
const MEND: &str =
    "remove it, or say in the spec what it should say, build and install; then run `systemctl daemon-reload`";

/// Checks every unit of which the manifest lists a file. `kept` are files that were read already.
pub(super) fn check(root: &Root, manifest: &Manifest, kept: &Kept<'_>) -> Vec<Finding> {
    let mut units: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &manifest.files {
        if let Some(unit) = unit_of(&file.path) {
            units.entry(unit).or_default().push(&file.path);
        }
    }
    let generated: Vec<String> = manifest.files.iter().filter_map(|file| generated_of(&file.path)).collect();
    for path in &generated {
        if let Some(unit) = unit_of(path) {
            units.entry(unit).or_default().push(path);
        }
    }
    if units.is_empty() {
        return Vec::new();
    }
    let allowed = manifest.directories.iter().flat_map(|directory| &directory.allow);
    let listed = manifest.files.iter().map(|file| &file.path).chain(allowed).chain(&generated);
    let listed = listed.map(String::as_str).collect();
    let held = |path: &str| kept.get(path).map(|bytes| bytes.as_slice());
    let load = match LoadPath::read(root, &held) {
        Ok(load) => load,
        Err(error) => return vec![unreadable(&error)],
    };
    let quadlets = manifest.files.iter().filter_map(|file| quadlet(root, &file.path));
    units.into_iter().flat_map(|(name, paths)| unit(&load, &listed, name, &paths)).chain(quadlets).collect()
}

/// Where podman's Quadlet has its files (podman-systemd.unit(5)), and one that counts more.
const QUADLETS: &str = "/etc/containers/systemd/";
const TEMPORARY_QUADLETS: &str = "/run/containers/systemd/";

/// The unit that podman's generator makes of a Quadlet, which counts as ours.
fn generated_of(path: &str) -> Option<String> {
    let name = path.strip_prefix(QUADLETS)?.strip_suffix(".container")?;
    (!name.contains('/')).then(|| format!("/run/systemd/generator/{name}.service"))
}

/// A Quadlet of the same name that podman reads in the place of ours.
fn quadlet(root: &Root, path: &str) -> Option<Finding> {
    let _ = generated_of(path)?;
    let other = path.replacen(QUADLETS, TEMPORARY_QUADLETS, 1);
    match root.metadata(&other) {
        Ok(_) => {
            let found = "another file, which is read instead";
            Some(Finding::new(Id::UnitHidden, other, MEND).expected(format!("only {path}")).found(found))
        }
        Err(error) if error.is_not_found() => None,
        Err(error) => Some(obstacles::finding(&error)),
    }
}

/// `paths` are the unit's files in the manifest.
fn unit(load: &LoadPath<'_>, listed: &BTreeSet<&str>, name: &str, paths: &[&str]) -> Vec<Finding> {
    let unit = match load.unit(name) {
        Ok(unit) => unit,
        Err(error) => return vec![unreadable(&error)],
    };
    if let Some(mask) = masked(&unit, listed) {
        return vec![mask];
    }
    let mut findings: Vec<Finding> =
        paths.iter().filter_map(|path| hidden(load, &unit, listed, name, path)).collect();
    // a kubelet that no package brought is in a unit of its own, and hides none
    let by_hand = unit.fragment.as_ref().filter(|_| load.is_alone(name)).map(|part| part.path.as_str());
    let world = World {
        listed: &|path| listed.contains(path),
        of_package: &|path| is_of_package(path) || by_hand == Some(path),
        names: &|path| load.variables(path),
    };
    findings.extend(overrides(&unit, &world).iter().map(overridden));
    findings
}

fn masked(unit: &Unit, listed: &BTreeSet<&str>) -> Option<Finding> {
    let mask = unit.fragment.as_ref().filter(|part| part.file.is_none())?;
    (!listed.contains(mask.path.as_str())).then(|| {
        Finding::new(Id::UnitMasked, mask.path.as_str(), MEND)
            .expected("a unit that can start")
            .found("a mask")
    })
}

/// A file of the manifest that is not read, since one of the same name counts more.
fn hidden(
    load: &LoadPath<'_>,
    unit: &Unit,
    listed: &BTreeSet<&str>,
    name: &str,
    path: &str,
) -> Option<Finding> {
    let by = match unit.hidden.get(path) {
        Some(by) => by.clone(),
        None => load
            .entry(name)
            .filter(|entry| path.ends_with(&format!("/{name}")) && rank(entry) < rank(path))?,
    };
    let mask = |part: &Part| part.path == by && part.file.is_none();
    let found = if unit.drop_ins.iter().any(mask) { "a mask" } else { "another file, which is read instead" };
    (!listed.contains(by.as_str()))
        .then(|| Finding::new(Id::UnitHidden, by, MEND).expected(format!("only {path}")).found(found))
}

/// Says which key and which line, and no value: it may be a secret.
fn overridden(it: &Override) -> Finding {
    let how = match (&it.through, it.how) {
        (Some(file), _) => format!("set by {}, which line {} names", file.escape_debug(), it.line),
        (None, How::SetAgain) => format!("set again in line {}", it.line),
        (None, How::Emptied) => format!("emptied in line {}", it.line),
        (None, How::Unset) => format!("taken away in line {}", it.line),
        (None, How::Added(why)) => format!("set in line {}: {why}", it.line),
    };
    if let How::Added(_) = it.how {
        let expected = format!("{} from packages and listed files only", it.what.escape_debug());
        return Finding::new(Id::UnitOverridden, it.by.as_str(), MEND).expected(expected).found(how);
    }
    Finding::new(Id::UnitOverridden, it.by.as_str(), MEND)
        .expected(format!("{} as {} has it", it.what.escape_debug(), it.of))
        .found(how)
}

fn unreadable(error: &LoadError) -> Finding {
    let of = |at: &str, found: &str| Finding::new(Id::Unreadable, at, MEND).found(found);
    match error {
        LoadError::Walk(WalkError::TooLarge { at }) => of(at, "more than 1 MiB"),
        LoadError::Walk(error) => obstacles::finding(error),
        LoadError::TooMany { at } => of(at, "more drop-ins than any unit has"),
        LoadError::Name { at } => of(at, "a name that is not plain text"),
    }
}
