//! Members of etcd that come and go between two builds.

mod words;

use crate::bundle::open::Verified;
use crate::cli::world::SpecFile;
use crate::plan::{EtcdPlan, HostPlan, OPERATOR};
use crate::spec::Problem;
use crate::spec::scalars::HostName;
use crate::spec::types::{EtcdRun, EtcdState, Host};
use std::collections::{BTreeMap, BTreeSet};

/// What every member's host has, however etcd runs.
const EVERY_MEMBERS: &str = "/etc/etcd/etcdctl.env";
/// Where a member's settings stand, by how etcd runs; kubeadm's members have none of them.
const SETTINGS: &[&str] = &[POD, "/etc/etcd/etcd.env", "/etc/etcd/etcd.yaml"];
/// What a member in a pod has.
const POD: &str = "/etc/kubernetes/manifests/etcd.yaml";
/// What only a member has that runs as a service.
const SERVICE: &str = "/etc/sysusers.d/etcd.conf";

/// A member as the build before had it.
#[derive(Debug)]
pub(super) struct Old {
    name: String,
    generation: u32,
    recipients: Vec<String>,
    /// Whether it joined; none when its files do not say.
    joined: Option<bool>,
    /// Its peer URL, when its files say it.
    peer_url: Option<String>,
    /// Whom it lists, by name; empty when its files do not say.
    listed: BTreeMap<String, String>,
    /// Under what it ran.
    run: EtcdRun,
    /// Its data directory and that of its write-ahead log, when its files say it.
    directories: Option<(String, String)>,
    /// Whose its data directory was, when the manifest has it.
    owner: Option<(u32, u32)>,
}

impl Old {
    /// The member in a bundle; none when it has none.
    pub(super) fn of(bundle: &Verified) -> Option<Self> {
        let host = &bundle.manifest().host;
        if host.name == OPERATOR || bundle.file(EVERY_MEMBERS).is_none() {
            return None;
        }
        let text = SETTINGS.iter().find_map(|path| bundle.contents(path));
        let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        let state = setting(text, "initial-cluster-state");
        let data = setting(text, "data-dir");
        let owned = bundle.manifest().directories.iter().find(|directory| Some(&*directory.path) == data);
        Some(Self {
            run: run(bundle),
            directories: data.map(|data| (data.to_owned(), log(data, setting(text, "wal-dir")))),
            owner: owned.map(|directory| (directory.uid, directory.gid)),
            name: host.name.clone(),
            generation: host.generation,
            recipients: host.recipients.clone(),
            joined: state.map(|state| state == EtcdState::Existing.name()),
            peer_url: setting(text, "initial-advertise-peer-urls").map(str::to_owned),
            listed: setting(text, "initial-cluster").map(pairs).unwrap_or_default(),
        })
    }
}

/// Under what the member in a bundle runs; one without settings is kubeadm's.
fn run(bundle: &Verified) -> EtcdRun {
    let has = |path: &&str| bundle.file(path).is_some();
    match SETTINGS.iter().copied().find(has) {
        None | Some(POD) => EtcdRun::StaticPod,
        Some(_) if has(&SERVICE) => EtcdRun::Systemd,
        Some(_) => EtcdRun::Container,
    }
}

/// Where the write-ahead log lies.
fn log(data: &str, wal: Option<&str>) -> String {
    wal.map_or_else(|| format!("{data}/member/wal"), str::to_owned)
}

/// The value of a setting: as a flag in a manifest, a variable, or a key of etcd's configuration file.
/// None of the values that are looked for has a space, a quote or a comma before a space.
fn setting<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let variable = format!("ETCD_{}=", name.to_uppercase().replace('-', "_"));
    let starts = [format!("--{name}="), variable, format!("{name}: ")];
    text.lines().find_map(|line| {
        let line = line.trim_start().trim_start_matches("- ").trim_matches(['"', '\'']);
        let value = starts.iter().find_map(|start| line.strip_prefix(start.as_str()))?;
        Some(value.trim_matches(['"', '\'', ' ']))
    })
}

/// `name=url` pairs, joined by commas.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, url)| (name.to_owned(), url.to_owned())).collect()
}

/// What a change does to the members.
struct Change<'a> {
    spec: &'a SpecFile,
    old: &'a [Old],
    now: BTreeMap<&'a str, &'a EtcdPlan>,
}

/// What is wrong with the change from the members of the build before to those of the spec.
pub(super) fn problems(spec: &SpecFile, old: &[Old]) -> Vec<Problem> {
    if old.is_empty() {
        return Vec::new();
    }
    let member = |host: &'_ HostPlan| host.etcd.is_some();
    let hosts = spec.plan.hosts.values().filter(|host| member(host));
    let now = hosts.filter_map(|host| Some((host.name.as_str(), host.etcd.as_deref()?))).collect();
    let change = Change { spec, old, now };
    if spec.loaded.spec.etcd.run == EtcdRun::StatefulSet {
        // whatever its pods are, none of them has the data of these
        return change.quorum().into_iter().collect();
    }
    let mut problems: Vec<_> = change.quorum().into_iter().chain(change.gone()).collect();
    problems.extend(change.begins());
    problems.extend(change.begins_again());
    problems.extend(change.one_by_one());
    problems.extend(change.told_apart());
    problems.extend(change.out_of_turn());
    problems.extend(change.joins_no_more());
    problems.extend(change.listed_otherwise());
    problems.extend(change.moved());
    problems.extend(change.run());
    problems.extend(change.data());
    problems
}

impl Change<'_> {
    fn host(&self, name: &str) -> Option<&Host> {
        let mut hosts = self.spec.loaded.spec.hosts.iter();
        hosts.find(|(host, _)| host.as_str() == name).map(|(_, host)| host)
    }

    fn stays(&self, name: &str) -> bool {
        self.old.iter().any(|old| old.name == name) && self.now.contains_key(name)
    }

    /// Whether a member's machine is another one: it joins, and did not with this generation.
    fn replaced(&self, old: &Old) -> bool {
        let joins = self.now.get(old.name.as_str()).is_some_and(|etcd| etcd.state == EtcdState::Existing);
        let again = self.host(&old.name).is_some_and(|host| host.generation.get() > old.generation);
        joins && (again || old.joined == Some(false))
    }

    /// Whether a member's machine seems to be another one, and its data gone: new keys, sealed to none of
    /// the machine's old ones, and it does not join. All that tells where kubeadm makes the members.
    fn made_anew(&self, old: &Old) -> bool {
        let host = self.host(&old.name);
        let kept = |host: &Host| host.recipients.iter().any(|key| old.recipients.contains(&key.to_string()));
        let anew = host.is_some_and(|host| host.generation.get() > old.generation && !kept(host));
        anew && self.now.contains_key(old.name.as_str()) && !self.replaced(old)
    }

    fn removed(&self) -> impl Iterator<Item = &Old> {
        self.old.iter().filter(|old| !self.now.contains_key(old.name.as_str()))
    }

    /// Those that join by this change, by name.
    fn joiners(&self) -> impl Iterator<Item = (&str, &EtcdPlan)> {
        let joins = |name: &str, etcd: &EtcdPlan| {
            let old = self.old.iter().find(|old| old.name == name);
            etcd.state == EtcdState::Existing && old.is_none_or(|old| self.replaced(old))
        };
        self.now.iter().filter(move |(name, etcd)| joins(name, etcd)).map(|(name, etcd)| (*name, *etcd))
    }

    /// A majority of the members of before must be there at any time.
    fn quorum(&self) -> Option<Problem> {
        let replaced = self.old.iter().filter(|old| self.replaced(old) || self.made_anew(old));
        let removed: Vec<_> = self.removed().map(|old| old.name.as_str()).collect();
        let lost: Vec<_> = removed.iter().copied().chain(replaced.map(|old| old.name.as_str())).collect();
        let left = self.old.len() - lost.len();
        // one that runs may leave any cluster, down to the last
        let leaves = removed.len() == 1 && lost.len() == 1 && left > 0;
        // one that only got other keys may have its data
        let kept = lost.len() == 1 && self.old.iter().any(|old| self.made_anew(old));
        let alone = leaves || kept;
        (!alone && left < self.old.len() / 2 + 1 && !lost.is_empty())
            .then(|| words::quorum(&lost, left, self.old.len()))
    }

    fn gone(&self) -> Vec<Problem> {
        let leaving = &self.spec.loaded.spec.etcd.leaving;
        let told = |old: &&Old| leaving.iter().any(|name| name.as_str() == old.name);
        let names: Vec<_> = leaving.iter().map(HostName::as_str).collect();
        self.removed().filter(|old| !told(old)).map(|old| words::gone(&old.name, &names)).collect()
    }

    /// A new member that would begin a cluster; kubeadm tells its members itself.
    fn begins(&self) -> Vec<Problem> {
        let known = self.old.iter().any(|old| old.joined.is_some());
        let new = |(name, etcd): &(&&str, &&EtcdPlan)| {
            known && etcd.state == EtcdState::New && self.old.iter().all(|old| old.name != **name)
        };
        self.now.iter().filter(new).map(|(name, _)| words::begins(name)).collect()
    }

    /// One that seems to be another machine and does not say that it joins.
    fn begins_again(&self) -> Vec<Problem> {
        let anew = self.old.iter().filter(|old| old.joined.is_some() && self.made_anew(old));
        anew.map(|old| words::begins_again(&old.name)).collect()
    }

    fn one_by_one(&self) -> Option<Problem> {
        let names: Vec<_> = self.joiners().map(|(name, _)| name).collect();
        (names.len() > 1).then(|| words::one_by_one(&names))
    }

    /// The operators' runbook tells of the latest turn: all who join by this change, and no others.
    fn told_apart(&self) -> Vec<Problem> {
        let turn = |name: &str| self.host(name).map(|host| host.etcd.join.unwrap_or_default().get());
        let joiners: Vec<_> = self.joiners().map(|(name, _)| name).collect();
        let joins = |etcd: &EtcdPlan| etcd.state == EtcdState::Existing;
        let turns = self.now.iter().filter(|(_, etcd)| joins(etcd)).filter_map(|(name, _)| turn(name));
        let Some(latest) = turns.max() else { return Vec::new() };
        let (told, untold): (Vec<&str>, Vec<&str>) =
            joiners.into_iter().partition(|name| turn(name) == Some(latest));
        if untold.is_empty() || told.is_empty() {
            return Vec::new();
        }
        vec![words::told_apart(&told, &untold, latest)]
    }

    /// etcd refuses a member that lists others than there are.
    fn out_of_turn(&self) -> Vec<Problem> {
        let turn = |host: &Host| host.etcd.join.unwrap_or_default().get();
        let joined = self.old.iter().filter(|old| self.stays(&old.name) && !self.replaced(old));
        let joined: Vec<_> = joined.collect();
        let last = joined.iter().filter_map(|old| {
            let host = self.host(&old.name)?;
            (host.etcd.state == Some(EtcdState::Existing)).then(|| turn(host))
        });
        let next = last.max().unwrap_or(0).saturating_add(1);
        let problem = |(name, etcd): (&str, &EtcdPlan)| {
            let listed = pairs(&etcd.listed.initial_cluster);
            let unlisted: Vec<_> =
                joined.iter().map(|old| old.name.as_str()).filter(|old| !listed.contains_key(*old)).collect();
            (!unlisted.is_empty()).then(|| words::out_of_turn(name, &unlisted, next))
        };
        self.joiners().filter_map(problem).collect()
    }

    fn joins_no_more(&self) -> Vec<Problem> {
        let dropped = |old: &&Old| {
            let now = self.now.get(old.name.as_str()).map(|etcd| etcd.state);
            old.joined == Some(true) && now == Some(EtcdState::New)
        };
        self.old.iter().filter(dropped).map(|old| words::joins_no_more(&old.name)).collect()
    }

    /// Whom the files of other members list: only a member that leaves, begins or moves must change it.
    fn listed_otherwise(&self) -> Vec<Problem> {
        let mut more: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut less = more.clone();
        let staying = self.old.iter().filter(|old| !old.listed.is_empty() && !self.replaced(old));
        for old in staying {
            let Some(etcd) = self.now.get(old.name.as_str()) else { continue };
            let now = pairs(&etcd.listed.initial_cluster);
            for name in now.keys().filter(|name| !old.listed.contains_key(*name)) {
                if let Some((name, _)) = self.now.get_key_value(name.as_str()) {
                    more.entry(name).or_default().insert(&old.name);
                }
            }
            for name in old.listed.keys().filter(|name| !now.contains_key(*name)) {
                if let Some((name, _)) = self.now.get_key_value(name.as_str()) {
                    less.entry(name).or_default().insert(&old.name);
                }
            }
        }
        let joins = |name: &str| self.now.get(name).is_some_and(|etcd| etcd.state == EtcdState::Existing);
        let told = |lists: BTreeMap<&str, BTreeSet<&str>>, founder: bool| {
            let lists = lists.into_iter().filter(|(name, _)| joins(name));
            // where only those listed it that joined later, nothing written makes them list it again
            let began =
                |name: &&str| self.old.iter().any(|old| old.name == *name && old.joined != Some(true));
            lists
                .map(|(name, of)| words::listed(name, &of, founder, !founder || of.iter().any(began)))
                .collect::<Vec<_>>()
        };
        told(more, false).into_iter().chain(told(less, true)).collect()
    }

    /// A member that keeps its data and is reached elsewhere.
    fn moved(&self) -> Vec<Problem> {
        let moved = self.old.iter().filter(|old| !self.replaced(old)).filter_map(|old| {
            let now = &self.now.get(old.name.as_str())?.peer_url;
            let was = old.peer_url.as_ref().filter(|was| *was != now)?;
            Some(words::moved(&old.name, was, now))
        });
        moved.collect()
    }

    /// Members that keep their data, with what becomes of them.
    fn kept(&self) -> impl Iterator<Item = (&Old, &EtcdPlan)> {
        let kept = self.old.iter().filter(|old| !self.replaced(old));
        kept.filter_map(|old| Some((old, *self.now.get(old.name.as_str())?)))
    }

    /// Members that something else runs from now on.
    fn run(&self) -> Vec<Problem> {
        let mut changes: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for (old, etcd) in self.kept().filter(|(old, etcd)| old.run != etcd.run) {
            changes.entry((old.run.name(), etcd.run.name())).or_default().push(&old.name);
        }
        changes.into_iter().map(|((was, now), of)| words::run(&of, was, now)).collect()
    }

    /// Members whose data lies elsewhere from now on, or is somebody else's.
    fn data(&self) -> Vec<Problem> {
        let mut moved: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        let mut owned: BTreeMap<_, Vec<&str>> = BTreeMap::new();
        for (old, etcd) in self.kept() {
            let Some((data, wal)) = &old.directories else { continue };
            let now = log(&etcd.data_dir, etcd.log().as_deref());
            if *data != etcd.data_dir {
                moved.entry(("dataDir", data.as_str(), etcd.data_dir.clone())).or_default().push(&old.name);
            }
            // one inside the data goes with it
            let inside = |wal: &str, data: &str| wal.strip_prefix(data).map(str::to_owned);
            let with_it = inside(wal, data).is_some_and(|was| inside(&now, &etcd.data_dir) == Some(was));
            if *wal != now && !with_it {
                moved.entry(("walDir", wal.as_str(), now)).or_default().push(&old.name);
            }
            let new = etcd.owner();
            let new = (new.uid, new.gid);
            if old.owner.is_some_and(|was| was != new) {
                owned.entry((new, etcd.directories().join(" "))).or_default().push(&old.name);
            }
        }
        let moved = moved.into_iter().map(|((field, was, now), of)| words::elsewhere(&of, field, was, &now));
        moved.chain(owned.into_iter().map(|((owner, paths), of)| words::owner(&of, owner, &paths))).collect()
    }
}
