//! What holds of a unit in the end, and which files took back what others set.

use super::foreign;
use super::keys::{self, Kind};
use super::load::{Part, Unit};
use super::syntax::Assignment;
use super::words::{split, variables};
use std::collections::{BTreeMap, BTreeSet};

/// Something that a listed file sets and that another file changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Override {
    /// The file that changes it.
    pub by: String,
    /// The line there, from 1.
    pub line: usize,
    /// What was set: a key, or `Environment=NAME`.
    pub what: String,
    /// The listed file that sets or uses it.
    pub of: String,
    /// How it is changed.
    pub how: How,
    /// The file of variables that changes it, when it is not `by` itself.
    pub through: Option<String>,
}

/// How a setting is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is set to something else, or once more where once is all that systemd takes.
    SetAgain,
    /// An empty assignment takes it back.
    Emptied,
    /// A variable of the environment is taken away by `UnsetEnvironment=`.
    Unset,
    /// It is set on a service that runs commands of ours, with what that does.
    Added(&'static str),
}

/// One assignment, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) assignment: &'a Assignment,
    pub(super) part: &'a Part,
    pub(super) listed: bool,
}

impl Item<'_> {
    pub(super) fn overrides(&self, what: &str, of: &str, how: How) -> Override {
        let (by, line) = (self.part.path.clone(), self.assignment.line);
        Override { by, line, what: what.to_owned(), of: of.to_owned(), how, through: None }
    }
}

/// What is left of one setting.
#[derive(Debug, Default)]
pub(super) struct Setting<'a> {
    pub(super) items: Vec<Item<'a>>,
    /// What listed files set and another file took back, with what took it back.
    pub(super) lost: Vec<(Item<'a>, Item<'a>)>,
    /// The same of what packages set, and what neither took back.
    pub(super) taken: Vec<(Item<'a>, Item<'a>)>,
}

/// The names that a file of variables sets; none when that cannot be told.
pub type Names = Option<BTreeSet<String>>;

/// Whose files are whose, and what files of variables say.
pub struct World<'a> {
    /// Whether a path is one that counts as ours.
    pub listed: &'a dyn Fn(&str) -> bool,
    /// Whether a path is one of a package's, which may set what runs and what our commands use.
    pub of_package: &'a dyn Fn(&str) -> bool,
    /// The names that the file of variables at a path sets.
    pub names: &'a dyn Fn(&str) -> Names,
}

/// All that other files change of what listed ones set, in byte order.
pub fn overrides(unit: &Unit, world: &World<'_>) -> BTreeSet<Override> {
    let settings = settings(unit, world);
    let mut out = BTreeSet::new();
    let oneshot = settings.get(&("Service", "Type")).and_then(|it| it.items.last());
    let oneshot = oneshot.is_some_and(|item| item.listed && item.assignment.value == "oneshot");
    for (name, setting) in &settings {
        let kind = match keys::kind(*name) {
            Kind::Single if name.1 == "ExecStart" && oneshot => Kind::List,
            kind => kind,
        };
        if kind == Kind::Dependency {
            continue;
        }
        for (lost, by) in setting.lost.iter().filter(|(lost, _)| !lost.assignment.value.is_empty()) {
            out.insert(by.overrides(name.1, &lost.part.path, How::Emptied));
        }
        if kind == Kind::Single {
            out.extend(set_again(name.1, setting));
        }
    }
    out.extend(environment(&settings, world));
    let told: BTreeSet<_> = out.iter().map(|it| (it.by.clone(), it.line, it.what.clone())).collect();
    let through: BTreeSet<_> =
        out.iter().filter(|it| it.through.is_some()).map(|it| (it.by.clone(), it.line)).collect();
    let new = |it: &Override| {
        !told.contains(&(it.by.clone(), it.line, it.what.clone()))
            && (it.what != "EnvironmentFile" || !through.contains(&(it.by.clone(), it.line)))
    };
    out.extend(foreign::overrides(unit, &settings, world).into_iter().filter(new));
    out
}

pub(super) type Settings<'a> = BTreeMap<(&'a str, &'a str), Setting<'a>>;

fn settings<'a>(unit: &'a Unit, world: &World<'_>) -> Settings<'a> {
    let mut settings = Settings::new();
    for part in unit.fragment.iter().chain(&unit.drop_ins) {
        let listed = (world.listed)(&part.path);
        for assignment in part.file.iter().flat_map(|file| &file.assignments) {
            let name = keys::setting(&assignment.section, &assignment.key);
            let item = Item { assignment, part, listed };
            let setting = settings.entry(name).or_default();
            // set anew by ours: whatever was lost before does not matter any more
            if listed && keys::kind(name) != Kind::List {
                setting.lost.clear();
            }
            if !assignment.value.is_empty() || keys::kind(name) == Kind::Dependency {
                setting.items.push(item);
                continue;
            }
            let before = std::mem::take(&mut setting.items);
            let of_package = (world.of_package)(&part.path);
            if listed || of_package {
                setting.taken.clear();
            } else {
                let theirs = before.iter().filter(|it| !it.listed && (world.of_package)(&it.part.path));
                setting.taken.extend(theirs.map(|lost| (*lost, item)));
            }
            if listed {
                setting.lost.clear();
                // `CapabilityBoundingSet=` alone says something too
                setting.items.extend((keys::kind(name) == Kind::Single).then_some(item));
            } else {
                setting.lost.extend(before.into_iter().filter(|it| it.listed).map(|lost| (lost, item)));
            }
        }
    }
    settings
}

/// Of a setting that has one value: what others set behind ours.
fn set_again(what: &str, setting: &Setting<'_>) -> Vec<Override> {
    let Some(at) = setting.items.iter().rposition(|item| item.listed) else { return Vec::new() };
    let Some((before, after)) = setting.items.split_at_checked(at + 1) else { return Vec::new() };
    let Some(ours) = before.last() else { return Vec::new() };
    let differs = |item: &&Item<'_>| what == "ExecStart" || item.assignment.value != ours.assignment.value;
    let last = after.last().filter(differs);
    last.map(|item| item.overrides(what, &ours.part.path, How::SetAgain)).into_iter().collect()
}

/// One `NAME=VALUE` of `Environment=`, or a file of them.
pub(super) struct Source<'a> {
    pub(super) item: Item<'a>,
    /// The file of variables.
    pub(super) file: Option<String>,
    pub(super) listed: bool,
    pub(super) names: Names,
    /// With `Environment=`.
    value: Option<String>,
}

/// Variables that listed files set or use, and that come from elsewhere in the end.
fn environment(settings: &Settings<'_>, world: &World<'_>) -> Vec<Override> {
    let sources = sources(settings, world);
    let mut out = Vec::new();
    let mut ours: BTreeMap<&str, &Source<'_>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.item.listed) {
        ours.extend(source.names.iter().flatten().map(|name| (name.as_str(), source)));
    }
    let sets =
        |source: &Source<'_>, name: &str| source.names.as_ref().is_none_or(|names| names.contains(name));
    for (name, own) in &ours {
        let last = sources.iter().rev().find(|source| sets(source, name));
        if let Some(last) =
            last.filter(|last| !last.listed && (last.value.is_none() || last.value != own.value))
        {
            out.push(last.overrides(name, &own.item.part.path));
        }
    }
    for (name, of) in used(settings).into_iter().filter(|(name, _)| !ours.contains_key(name.as_str())) {
        let last = sources.iter().rev().find(|source| sets(source, &name));
        // a file of variables that a listed file or a package names is meant to be written
        let last = last.filter(|last| !last.item.listed && !(world.of_package)(&last.item.part.path));
        out.extend(last.map(|last| last.overrides(&name, &of)));
    }
    let unset = settings.get(&("Service", "UnsetEnvironment"));
    for item in unset.iter().flat_map(|it| &it.items).filter(|item| !item.listed) {
        for word in split(&item.assignment.value) {
            let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
            out.extend(
                ours.get(name).map(|own| {
                    item.overrides(&format!("Environment={name}"), &own.item.part.path, How::Unset)
                }),
            );
        }
    }
    out
}

impl Source<'_> {
    fn overrides(&self, name: &str, of: &str) -> Override {
        let plain = self.item.overrides(&format!("Environment={name}"), of, How::SetAgain);
        Override { through: self.file.clone(), ..plain }
    }
}

/// All sources of variables, those that hold behind those that they replace (systemd.exec(5):
/// `EnvironmentFile=` overrides `Environment=`).
pub(super) fn sources<'a>(settings: &Settings<'a>, world: &World<'_>) -> Vec<Source<'a>> {
    let items = |key| settings.get(&("Service", key)).map(|it| it.items.as_slice()).unwrap_or_default();
    let mut out = Vec::new();
    for item in items("Environment").iter().filter(|item| !item.assignment.value.is_empty()) {
        for word in split(&item.assignment.value) {
            let Some((name, value)) = word.split_once('=') else { continue };
            // a name with a specifier may become any
            let names = (!name.contains('%')).then(|| BTreeSet::from([name.to_owned()]));
            out.push(Source {
                item: *item,
                file: None,
                listed: item.listed,
                names,
                value: Some(value.to_owned()),
            });
        }
    }
    for item in items("EnvironmentFile").iter().filter(|item| !item.assignment.value.is_empty()) {
        let path = item.assignment.value.trim_start_matches('-');
        let plain = path.starts_with('/') && !path.contains(['%', '*', '?', '[', '\\', '"', '\'']);
        let names = if plain { (world.names)(path) } else { None };
        let listed = item.listed || (plain && (world.listed)(path));
        out.push(Source { item: *item, file: Some(path.to_owned()), listed, names, value: None });
    }
    out
}

/// The variables that commands of listed files refer to, and where.
fn used(settings: &Settings<'_>) -> BTreeMap<String, String> {
    let commands = settings.iter().filter(|((_, key), _)| key.starts_with("Exec"));
    let items = commands.flat_map(|(_, setting)| &setting.items).filter(|item| item.listed);
    let name = |item: &Item<'_>| {
        let path = item.part.path.clone();
        variables(&item.assignment.value).into_iter().map(move |name| (name, path.clone()))
    };
    items.flat_map(name).collect()
}
