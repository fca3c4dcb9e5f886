//! What is wrong with a host's preparation after all layers, each at the most specific place that says it.

use super::{Site, is_off, kernel, runtimes, swap, time};
use crate::plan::{directories::SYSTEM, os};
use crate::spec::layers::{Layer, layers_of};
use crate::spec::scalars::{HostAddress, HostName};
use crate::spec::types::{HostPrep, NtpClient, Os, SwapMode, SysctlPrep};
use crate::spec::{Path, Problem};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Settings without which pods' packets do not pass a node.
const FORWARDING: [&str; 3] =
    ["net.bridge.bridge-nf-call-ip6tables", "net.bridge.bridge-nf-call-iptables", "net.ipv4.ip_forward"];

/// Settings that the kubelet compares with its own values (`setupKernelTunables`).
const PROTECTED: [&str; 6] = [
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
    "kernel.panic",
    "kernel.panic_on_oops",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
];

/// What is wrong with one host's.
pub(in crate::plan) fn problems(site: &Site<'_>) -> Vec<Problem> {
    let mut layers: Vec<_> = layers_of(site.shared.spec, site.name, site.host).collect();
    layers.reverse();
    let host = Prepared { site, layers };
    let mut problems = runtimes::problems(site);
    host.sysctl(&mut problems);
    host.modules(&mut problems);
    host.swap(&mut problems);
    host.logrotate(&mut problems);
    host.time(&mut problems);
    host.entries(&mut problems);
    problems
}

/// A host with the layers that it has settings from, the most specific first.
struct Prepared<'a> {
    site: &'a Site<'a>,
    layers: Vec<Layer<'a>>,
}

impl Prepared<'_> {
    fn prep(&self) -> &HostPrep {
        &self.site.settings.prep
    }

    /// Which layer says something, and where its part stands.
    fn says(&self, part: &str, has: impl Fn(&HostPrep) -> bool) -> Option<(usize, Path)> {
        let found = self.layers.iter().enumerate().find(|(_, layer)| has(layer.prep));
        found.map(|(number, layer)| (number, layer.path.key("hostPrep").key(part)))
    }

    fn at(&self, part: &str, has: impl Fn(&HostPrep) -> bool) -> Path {
        self.says(part, has).map_or_else(|| Path::root().key("hostPrep").key(part), |(_, path)| path)
    }

    fn sysctl(&self, problems: &mut Vec<Problem>) {
        let Some(part) = self.prep().sysctl.as_ref().filter(|part| !is_off(part.enabled)) else { return };
        for key in part.settings.keys() {
            let Some(since) = kernel::removed(key) else { continue };
            let at = self.at("sysctl", |prep| {
                prep.sysctl.as_ref().is_some_and(|part| part.settings.contains_key(key))
            });
            let message = format!("the kernel has no {key} since {since}");
            problems.push(Problem::warning(at.key("settings").key(key.as_str()), message).hint("remove it"));
        }
        self.values(part, problems);
        let omits = |prep: &HostPrep| prep.sysctl.as_ref().is_some_and(|part| !part.omit.is_empty());
        let Some((number, at)) = self.says("sysctl", omits) else { return };
        for (index, key) in part.omit.iter().enumerate() {
            let at = at.key("omit").index(index);
            let sets =
                |prep: &HostPrep| prep.sysctl.as_ref().is_some_and(|part| part.settings.contains_key(key));
            match self.says("sysctl", sets) {
                Some((setter, _)) if setter <= number => problems.push(
                    Problem::error(at, format!("{key} is set and left out"))
                        .hint("remove it from one of both"),
                ),
                Some(_) => {}
                None if kernel::SETTINGS.iter().any(|row| row.key == key.as_str()) => {}
                None => problems.push(nothing_to_omit(at, key.as_str())),
            }
        }
    }

    /// Other values of settings that are there by default.
    fn values(&self, part: &SysctlPrep, problems: &mut Vec<Problem>) {
        let strict = self.site.settings.kubelet_config.map().get("protectKernelDefaults");
        let strict = self.site.kubelet.is_some() && strict.and_then(Value::as_bool) == Some(true);
        for (key, value) in &part.settings {
            let (name, value) = (key.as_str(), value.as_str());
            let Some(row) = kernel::SETTINGS.iter().find(|row| row.key == name) else { continue };
            let number = value.parse::<i64>().ok();
            let at = || {
                let sets =
                    |prep: &HostPrep| prep.sysctl.as_ref().is_some_and(|it| it.settings.contains_key(key));
                self.at("sysctl", sets).key("settings").key(name)
            };
            let problem = if number.is_none() {
                let message = format!("{name} is a number, not {value}");
                Problem::error(at(), message).hint("write an integer")
            } else if FORWARDING.contains(&name) && number == Some(0) && self.site.host.is_node() {
                let message = format!("{name} is 0: packets of pods are lost on this node");
                Problem::warning(at(), message).hint("remove it, or write 1")
            } else if strict && PROTECTED.contains(&name) && row.value != value {
                let message = format!(
                    "with protectKernelDefaults the kubelet starts only where {name} is {}",
                    row.value
                );
                Problem::warning(at(), message).hint("remove it, or protectKernelDefaults")
            } else {
                continue;
            };
            problems.push(problem);
        }
    }

    fn modules(&self, problems: &mut Vec<Problem>) {
        let Some(part) = self.prep().modules.as_ref().filter(|part| !is_off(part.enabled)) else { return };
        let scheduler = kernel::scheduler(self.site.shared.spec);
        let known = |name: &str| {
            kernel::MODULES.iter().any(|row| row.name == name) || scheduler.as_deref() == Some(name)
        };
        let omits = |prep: &HostPrep| prep.modules.as_ref().is_some_and(|part| !part.omit.is_empty());
        let Some((number, at)) = self.says("modules", omits) else { return };
        for (index, name) in part.omit.iter().enumerate() {
            let at = at.key("omit").index(index);
            let loads = |prep: &HostPrep| prep.modules.as_ref().is_some_and(|part| part.extra.contains(name));
            match self.says("modules", loads) {
                Some((loader, _)) if loader <= number => problems.push(
                    Problem::error(at, format!("{name} is loaded and left out"))
                        .hint("remove it from one of both"),
                ),
                Some(_) => {}
                None if known(name.as_str()) => {}
                None => problems.push(nothing_to_omit(at, name.as_str())),
            }
        }
    }

    fn swap(&self, problems: &mut Vec<Problem>) {
        let mode = swap::mode(self.prep()).filter(|_| self.site.kubelet.is_some());
        let Some(mode) = mode else { return };
        let at =
            || self.at("swap", |prep| prep.swap.as_ref().is_some_and(|part| part.mode.is_some())).key("mode");
        if let Some(behavior) = swap::behavior(mode) {
            let spec = self.site.shared.spec;
            let gate = spec.kubernetes.feature_gates.iter().find(|(name, _)| name.as_str() == "NodeSwap");
            let own = self.site.settings.kubelet_config.map().get("featureGates");
            let own = own.and_then(|gates| gates.get("NodeSwap")).and_then(Value::as_bool);
            if self.site.shared.release.is_some_and(|release| release.minor < 30) {
                let message = format!("a kubelet before 1.30 has no swapBehavior {behavior}");
                problems.push(Problem::error(at(), message).hint("turn swap off, or take a newer release"));
            } else if !own.or(gate.map(|(_, on)| *on)).unwrap_or(true) {
                let message =
                    format!("swapBehavior {behavior} needs the feature gate NodeSwap, which is off");
                problems.push(Problem::error(at(), message).hint("do not turn NodeSwap off"));
            }
            if mode == SwapMode::Limited && spec.kubernetes.cgroup_v1 {
                problems.push(
                    Problem::error(at(), "pods have swap with cgroup v2 only")
                        .hint("remove kubernetes.cgroupV1, or write `mode: system`"),
                );
            }
        }
        self.kubelets_swap(mode, problems);
    }

    /// What the spec tells the kubelet in its own words, which wins.
    fn kubelets_swap(&self, mode: SwapMode, problems: &mut Vec<Problem>) {
        let behavior = swap::behavior(mode);
        let fields = [("failSwapOn", None), ("memorySwap", Some("swapBehavior"))];
        for (field, inner) in fields {
            let value = |config: &serde_json::Map<String, Value>| {
                let value = config.get(field)?;
                let value = inner.map_or(Some(value), |inner| value.get(inner))?;
                (!value.is_null()).then(|| value.clone())
            };
            let Some(found) = value(self.site.settings.kubelet_config.map()) else { continue };
            let wanted = match inner {
                None => Some(Value::Bool(behavior.is_none())),
                Some(_) => behavior.map(Value::from),
            };
            if wanted.is_none_or(|wanted| wanted == found) {
                continue;
            }
            let layer = self.layers.iter().find(|layer| value(layer.kubelet.config.map()).is_some());
            let path = layer.map_or_else(Path::root, |layer| layer.path.clone());
            let path = [Some("kubelet"), Some("config"), Some(field), inner]
                .into_iter()
                .flatten()
                .fold(path, |path, key| path.key(key));
            let message = format!("{field} does not fit hostPrep.swap, and wins");
            let problem = if behavior.is_none() {
                Problem::warning(path, message)
            } else {
                Problem::error(path, message)
            };
            problems.push(problem.hint("remove it: hostPrep.swap sees to it"));
        }
    }

    fn logrotate(&self, problems: &mut Vec<Problem>) {
        let Some(part) = self.prep().logrotate.as_ref().filter(|part| !is_off(part.enabled)) else { return };
        if part.paths.is_empty() {
            let at = self.at("logrotate", |prep| prep.logrotate.is_some());
            let message = "no logs are named";
            problems.push(Problem::error(at, message).hint("list them: paths: [/var/log/etcd/*.log]"));
        }
        let lists = |prep: &HostPrep| prep.logrotate.as_ref().is_some_and(|part| !part.paths.is_empty());
        let at = self.at("logrotate", lists).key("paths");
        let mut seen = BTreeSet::new();
        for (index, pattern) in part.paths.iter().enumerate() {
            let (at, pattern) = (at.index(index), pattern.as_str());
            if !seen.insert(pattern) {
                problems.push(Problem::error(at, format!("{pattern} is listed twice")).hint("remove one"));
            } else if let Some(why) = no_logs(pattern) {
                problems.push(
                    Problem::error(at, format!("{pattern} is not for logrotate: {why}"))
                        .hint("name logs that a program writes to a file, below /var/log"),
                );
            } else if let Some(other) =
                part.paths.iter().take(index).find(|other| overlap(other.as_str(), pattern))
            {
                let message = format!("{pattern} and {other} name the same logs");
                problems.push(Problem::error(at, message).hint("remove one: logrotate takes no log twice"));
            }
        }
    }

    /// A name has one address of each family: whoever resolves it would get both.
    fn entries(&self, problems: &mut Vec<Problem>) {
        let Some(part) = self.prep().hosts.as_ref().filter(|part| !is_off(part.enabled)) else { return };
        let mut first: BTreeMap<(&str, bool), HostAddress> = BTreeMap::new();
        for (address, names) in &part.entries {
            let distinct: BTreeSet<&str> = names.iter().map(HostName::as_str).collect();
            for name in distinct {
                let Some(other) = first.insert((name, address.get().is_ipv6()), *address) else { continue };
                let says = |prep: &HostPrep| {
                    prep.hosts.as_ref().is_some_and(|part| part.entries.contains_key(address))
                };
                let at = self.at("hosts", says).key("entries").key(address.to_string());
                let message = format!("{name} is at {other}, too");
                problems.push(Problem::error(at, message).hint("write each name at one address of a family"));
            }
        }
    }

    fn time(&self, problems: &mut Vec<Problem>) {
        let zone = self.prep().timezone.as_ref().filter(|part| !is_off(part.enabled));
        if zone.is_some_and(|part| part.name.is_none()) {
            let at = self.at("timezone", |prep| prep.timezone.is_some());
            problems.push(Problem::error(at, "no time zone is named").hint("write it: name: Europe/Berlin"));
        }
        let Some(part) = self.prep().ntp.as_ref().filter(|part| !is_off(part.enabled)) else { return };
        let at = self.at("ntp", |prep| prep.ntp.is_some());
        if part.servers.is_empty() {
            let message = "no time servers are named";
            problems.push(Problem::error(at.clone(), message).hint("list them: servers: [ntp.example]"));
        }
        let lists = |prep: &HostPrep| prep.ntp.as_ref().is_some_and(|part| !part.servers.is_empty());
        let list = self.at("ntp", lists).key("servers");
        let mut seen = BTreeSet::new();
        for (index, server) in part.servers.iter().enumerate() {
            if !seen.insert(server) {
                let at = list.index(index);
                problems.push(Problem::error(at, format!("{server} is listed twice")).hint("remove one"));
            } else if server.to_string().parse().is_ok_and(|address: IpAddr| address.is_unspecified()) {
                let message = format!("{server} is the unspecified address");
                problems
                    .push(Problem::error(list.index(index), message).hint("write the time server's address"));
            }
        }
        let own = self.says("ntp", |prep| prep.ntp.as_ref().is_some_and(|part| part.client.is_some()));
        let at = own.map_or(at, |(_, path)| path.key("client"));
        match (time::client(part, self.site.settings.os), self.site.settings.os) {
            (NtpClient::Timesyncd, Os::Rhel) => problems.push(
                Problem::warning(at, "RHEL brings no systemd-timesyncd")
                    .hint("write `client: chrony`, or install the other one"),
            ),
            (NtpClient::Chrony, os) if os::paths(os).chrony.is_none() => problems.push(
                Problem::error(at, "it is not known where Flatcar has chrony's servers")
                    .hint("write `client: systemd-timesyncd`, which it brings"),
            ),
            _ => {}
        }
    }
}

fn nothing_to_omit(at: Path, what: &str) -> Problem {
    Problem::warning(at, format!("{what} would not be there anyway"))
        .hint("remove it; docs/host-preparation.md lists what is there by default")
}

/// Why no log is rotated there.
fn no_logs(pattern: &str) -> Option<&'static str> {
    const KUBELETS: &[&str] = &["/var/log/containers", "/var/log/pods"];
    const OTHERS: &[&str] = &["/var/lib/containers", "/var/lib/etcd", "/var/lib/sealift", "/var/log/journal"];
    let within = |list: &[&str]| list.iter().any(|directory| meets(pattern, directory));
    if within(KUBELETS) {
        return Some("the kubelet rotates the logs of pods");
    }
    (within(SYSTEM) || within(OTHERS)).then_some("no logs of programs lie there")
}

/// Whether one of two patterns names the other, and so all that it names.
fn overlap(one: &str, other: &str) -> bool {
    covers(one, other) || covers(other, one)
}

/// Whether a pattern names another path, word by word: no `*` goes beyond a slash.
fn covers(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(path).all(|(pattern, word)| names(pattern, word))
}

/// Whether a word with `*` for anything names another: each part after the one before, as early as it can.
fn names(pattern: &str, word: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == word };
    let Some(mut left) = word.strip_prefix(before) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(last)
}

/// Whether a pattern can name something in a directory: word by word, as far as the directory goes.
fn meets(pattern: &str, directory: &str) -> bool {
    let mut words = pattern.split('/');
    let fits = |word: &str, name: &str| match word.split_once('*') {
        None => word == name,
        Some((before, rest)) => {
            let after = rest.rsplit('*').next().unwrap_or_default();
            name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
        }
    };
    directory.split('/').all(|name| words.next().is_some_and(|word| fits(word, name)))
}

#[cfg(test)]
mod tests {
    use super::{meets, no_logs, overlap};
    use crate::plan::{Facts, plan};
    use crate::spec::{self, Problem};

    const CLUSTER: &str = include_str!("../tests/cluster.yaml");

    /// What is said of these lines at the top of the cluster's spec.
    fn told(rest: &str) -> Vec<String> {
        let loaded = spec::load(&CLUSTER.replace("pki: {}\n", &format!("pki: {{}}\n{rest}\n")));
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        let (_, problems) = plan(&loaded.spec, &Facts::default());
        let text = |it: &Problem| format!("{} {} | {}", it.severity.name(), it.path, it.message);
        let mut all: Vec<_> = problems.iter().map(text).collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn values_of_settings() {
        let sysctl = |settings: &str| told(&format!("hostPrep: {{sysctl: {{settings: {{{settings}}}}}}}"));
        let at = "hostPrep.sysctl.settings";
        assert_eq!(
            sysctl("vm.swappiness: 10, kernel.panic: soon, net.ipv4.ip_forward: 0"),
            [
                format!("error {at}.\"kernel.panic\" | kernel.panic is a number, not soon"),
                format!(
                    "warning {at}.\"net.ipv4.ip_forward\" | net.ipv4.ip_forward is 0: packets of pods are lost on this node"
                ),
            ]
        );
        assert_eq!(sysctl("kernel.panic: 30"), [""; 0]);
        let strict = "kubelet: {config: {protectKernelDefaults: true}}\n";
        let own = "hostPrep: {sysctl: {settings: {kernel.panic: 30, vm.overcommit_memory: 1}}}";
        assert_eq!(
            told(&format!("{strict}{own}")),
            [format!(
                "warning {at}.\"kernel.panic\" | with protectKernelDefaults the kubelet starts only where kernel.panic is 10"
            )]
        );
    }

    #[test]
    fn a_name_at_two_addresses() {
        let with = |entries: &str| told(&format!("hostPrep: {{hosts: {{entries: {{{entries}}}}}}}"));
        assert_eq!(with("192.0.2.50: [a, b, a], \"fd00::50\": [a]"), [""; 0]);
        assert_eq!(
            with("192.0.2.50: [a, b], 192.0.2.51: [a]"),
            ["error hostPrep.hosts.entries.\"192.0.2.51\" | a is at 192.0.2.50, too"]
        );
    }

    #[test]
    fn no_time_from_nowhere() {
        let all = told("hostPrep: {ntp: {servers: [192.0.2.60, 0.0.0.0, \"::\"]}}");
        assert_eq!(
            all,
            [
                "error hostPrep.ntp.servers[1] | 0.0.0.0 is the unspecified address",
                "error hostPrep.ntp.servers[2] | :: is the unspecified address"
            ]
        );
    }

    #[test]
    fn logs_that_two_patterns_name() {
        let of = |paths: &str| told(&format!("hostPrep: {{logrotate: {{paths: [{paths}]}}}}"));
        assert_eq!(
            of("/var/log/a/*.log, /var/log/a/b.log"),
            ["error hostPrep.logrotate.paths[1] | /var/log/a/b.log and /var/log/a/*.log name the same logs"]
        );
        for (one, other) in
            [("/a/*", "/a/b*c"), ("/*/x", "/a/x"), ("/a/b*c*d", "/a/bxcycd"), ("/a/*b*", "/a/b")]
        {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in
            [("/a/*", "/a/b/c"), ("/a/b*c", "/a/bd"), ("/a/ab*ba", "/a/aba"), ("/a/b*c*d", "/a/bcx")]
        {
            assert!(!overlap(one, other), "{one} {other}");
        }
    }

    #[test]
    fn patterns_that_are_no_logs() {
        for pattern in [
            "/etc/passwd",
            "/*/passwd",
            "/var/log/p*/a/*.log",
            "/var/lib/etcd/member/*",
            "/e*c/a",
            "/v*/l*b/kubelet/*",
        ] {
            assert!(no_logs(pattern).is_some(), "{pattern}");
        }
        for pattern in ["/var/log/etcd/*.log", "/var/log/*.log", "/srv/logs/a", "/var/log/pods.log"] {
            assert_eq!(no_logs(pattern), None, "{pattern}");
        }
        assert!(!meets("/var", "/var/lib/etcd"));
    }
}
