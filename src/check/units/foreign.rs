//! What files that are neither ours nor a package's set on a service that runs commands of ours, and that
//! decides what runs there, on which files, and what becomes of a failure.

use super::effective::{How, Item, Override, Settings, World, sources};
use super::load::Unit;
use super::words::{split, variables};
use std::collections::BTreeSet;

/// A key of `[Service]` that only packages and listed files may set.
pub(super) struct Row {
    /// The key.
    pub(super) key: &'static str,
    /// Whether assignments add up; else the last one holds.
    pub(super) adds: bool,
    /// What it does, as a finding says it.
    pub(super) why: &'static str,
}

const fn row(key: &'static str, adds: bool, why: &'static str) -> Row {
    Row { key, adds, why }
}

const ROOT: &str = "commands run in another root";
const LAID_OVER: &str = "commands see other programs or files";
const COVERED: &str = "commands do not see files that are there";
const USER: &str = "commands run as another user";

/// All of them (systemd.exec(5), systemd.service(5)). No key of an exit status but one: systemd takes
/// `SuccessExitStatus=` for every command (`service_sigchld_event` in its `service.c`); what `ExecCondition=`
/// returns can only keep a service from starting, and `Type=` and `RemainAfterExit=` say nothing about
/// commands before the first.
pub(super) const ROWS: [Row; 16] = [
    row("BindPaths", true, LAID_OVER),
    row("BindReadOnlyPaths", true, LAID_OVER),
    row("DynamicUser", false, USER),
    row("ExecSearchPath", true, "commands without a path are others"),
    row("ExecStart", true, "another command runs"),
    row("ExtensionDirectories", true, LAID_OVER),
    row("ExtensionImages", true, LAID_OVER),
    // older name of the one below
    row("InaccessibleDirectories", true, COVERED),
    row("InaccessiblePaths", true, COVERED),
    row("MountImages", true, LAID_OVER),
    row("PAMName", false, "what PAM is told to do runs first"),
    row("RootDirectory", false, ROOT),
    row("RootImage", false, ROOT),
    row("SuccessExitStatus", true, "a command that fails counts as one that succeeds"),
    row("TemporaryFileSystem", true, COVERED),
    row("User", false, USER),
];

/// Values that change nothing: what holds without the key.
const HARMLESS: [&str; 9] = ["", "/", "0", "f", "false", "n", "no", "off", "root"];

/// Keys that nobody else may empty either, when a package sets them.
const KEPT: [&str; 6] =
    ["Environment", "EnvironmentFile", "ExecCondition", "ExecStart", "ExecStartPost", "ExecStartPre"];

/// Beginnings of names of variables that change what commands do, and why; besides those that the
/// service's commands refer to.
pub(super) const VARIABLES: [(&str, &str); 4] = [
    // with ETCD_CONFIG_FILE, etcd reads no other setting
    ("ETCD_", "etcd reads its settings from it"),
    ("GCONV_PATH", "commands load other libraries"),
    ("KUBELET_", LINE),
    // ld.so(8)
    ("LD_", "commands load other libraries"),
];

const LINE: &str = "the command line becomes another";

/// What others set on a service, besides what listed files set; nothing when no listed file has a command.
pub(super) fn overrides(unit: &Unit, settings: &Settings<'_>, world: &World<'_>) -> BTreeSet<Override> {
    let Some(of) = commanding(unit, world) else { return BTreeSet::new() };
    let foreign = |item: &Item<'_>| !item.listed && !(world.of_package)(&item.part.path);
    let of_service = |key| settings.get(&("Service", key));
    let mut out = BTreeSet::new();
    for (key, setting) in KEPT.iter().filter_map(|key| Some((*key, of_service(key)?))) {
        out.extend(setting.taken.iter().map(|(lost, by)| by.overrides(key, &lost.part.path, How::Emptied)));
    }
    for (row, setting) in ROWS.iter().filter_map(|row| Some((row, of_service(row.key)?))) {
        let known = !setting.lost.is_empty() || !setting.taken.is_empty();
        let ours = setting.items.iter().any(|item| item.listed);
        // told as what it does to ours, or to a package's
        if known || ours {
            continue;
        }
        let skip = if row.adds { 0 } else { setting.items.len().saturating_sub(1) };
        let bad = |item: &&Item<'_>| {
            let value = item.assignment.value.as_str();
            foreign(item) && !HARMLESS.contains(&value)
        };
        let bad = setting.items.iter().skip(skip).filter(bad);
        out.extend(bad.map(|item| item.overrides(row.key, of, How::Added(row.why))));
    }
    out.extend(environment(settings, world, of, &foreign));
    out
}

/// The listed file that has a command of the service.
fn commanding<'a>(unit: &'a Unit, world: &World<'_>) -> Option<&'a str> {
    let mut parts = unit.fragment.iter().chain(&unit.drop_ins).filter(|part| (world.listed)(&part.path));
    let command = |(section, key): (&str, &str)| section == "Service" && key.starts_with("Exec");
    let part = parts.find(|part| {
        let mut all = part.file.iter().flat_map(|file| &file.assignments);
        all.any(|it| command((&it.section, &it.key)) && !it.value.is_empty())
    });
    part.map(|part| part.path.as_str())
}

fn environment(
    settings: &Settings<'_>,
    world: &World<'_>,
    of: &str,
    foreign: &dyn Fn(&Item<'_>) -> bool,
) -> Vec<Override> {
    let used = used(settings);
    let why = |name: &str| {
        let special = VARIABLES.iter().find(|(start, _)| name.starts_with(start));
        special.map(|(_, why)| *why).or_else(|| used.contains(name).then_some(LINE))
    };
    let mut out = Vec::new();
    for source in sources(settings, world).iter().filter(|it| !it.listed && foreign(&it.item)) {
        match &source.names {
            // of a file that nobody can name or read
            None if source.file.is_some() => {
                out.push(source.item.overrides("EnvironmentFile", of, How::Added(LINE)));
            }
            None => out.push(source.item.overrides("Environment", of, How::Added(LINE))),
            Some(names) => out.extend(names.iter().filter_map(|name| {
                let what = format!("Environment={name}");
                Some(source.item.overrides(&what, of, How::Added(why(name)?)))
            })),
        }
    }
    for key in ["PassEnvironment", "UnsetEnvironment"] {
        let items = settings.get(&("Service", key)).into_iter().flat_map(|it| &it.items);
        for item in items.filter(|item| foreign(item)) {
            for word in split(&item.assignment.value) {
                let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
                let what = format!("{key}={name}");
                out.extend(why(name).map(|why| item.overrides(&what, of, How::Added(why))));
            }
        }
    }
    out
}

/// The variables that the service's commands refer to.
fn used(settings: &Settings<'_>) -> BTreeSet<String> {
    let commands =
        settings.iter().filter(|((section, key), _)| *section == "Service" && key.starts_with("Exec"));
    let items = commands.flat_map(|(_, setting)| &setting.items);
    items.flat_map(|item| variables(&item.assignment.value)).collect()
}
