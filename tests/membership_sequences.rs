//! Random histories of etcd's members, each change as docs/etcd.md has it: what a member lists is what there
//! is when it joins, and those whom a change does not concern keep every byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use sealift::plan::{Facts, HostPlan, plan};
use sealift::render::templates::Templates;
use sealift::render::{Digests, Renderer};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const HEAD: &str = "apiVersion: sealift/v1
cluster: {name: prod, id: \"7e570000000000000000000000000001\", epoch: 2026-11-20T00:00:00Z, revision: 1, operators: [age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl]}
kubernetes: {version: 1.36.2, provisioner: none}
";

/// A host of the spec.
#[derive(Clone, Debug)]
struct Member {
    address: u8,
    generation: u32,
    /// Its turn, when it joins.
    turn: Option<u32>,
    /// Whether `founder` is written.
    founder: Option<bool>,
}

/// A spec, and the cluster as etcd has it.
#[derive(Clone, Debug)]
struct World {
    hosts: BTreeMap<String, Member>,
    retired: BTreeMap<String, u32>,
    leaving: Vec<String>,
    /// etcd's list: name and peer URL.
    members: BTreeMap<String, String>,
    next: u8,
    turn: u32,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Grow { before: bool },
    Replace { which: u8 },
    Shrink { which: u8 },
}

fn url(address: u8) -> String {
    format!("https://10.0.0.{address}:2380")
}

impl World {
    fn new(count: u8) -> Self {
        let mut world = Self {
            hosts: BTreeMap::new(),
            retired: BTreeMap::new(),
            leaving: Vec::new(),
            members: BTreeMap::new(),
            next: 1,
            turn: 0,
        };
        for _ in 0..count {
            let address = world.next;
            world.next += 1;
            let member = Member { address, generation: 1, turn: None, founder: None };
            world.hosts.insert(format!("m{address:03}"), member);
            world.members.insert(format!("m{address:03}"), url(address));
        }
        world
    }

    /// Takes a step; says who joins, and who was there and is no concern of it.
    fn take(&mut self, step: Step) -> (Option<String>, BTreeSet<String>) {
        let names: Vec<String> = self.hosts.keys().cloned().collect();
        let mut others: BTreeSet<String> = names.iter().cloned().collect();
        self.leaving.clear();
        match step {
            Step::Grow { before } => {
                let address = self.next;
                self.next += 1;
                self.turn += 1;
                // in byte order before all, or behind
                let name = format!("{}{address:03}", if before { 'a' } else { 'z' });
                let member = Member { address, generation: 1, turn: Some(self.turn), founder: None };
                self.hosts.insert(name.clone(), member);
                self.members.insert(name.clone(), url(address));
                (Some(name), others)
            }
            Step::Replace { which } => {
                let name = names[usize::from(which) % names.len()].clone();
                self.turn += 1;
                let began = self.hosts[&name].turn.is_none() || self.hosts[&name].founder == Some(true);
                let host = self.hosts.get_mut(&name).unwrap();
                host.generation += 1;
                host.turn = Some(self.turn);
                host.founder = Some(began);
                others.remove(&name);
                if !began {
                    // those that joined after it listed it, and it joins after them now
                    others.retain(|other| self.hosts[other].turn.is_none());
                }
                (Some(name), others)
            }
            Step::Shrink { which } => {
                let name = names[usize::from(which) % names.len()].clone();
                let host = self.hosts.remove(&name).unwrap();
                self.members.remove(&name);
                self.retired.insert(name.clone(), host.generation);
                self.leaving.push(name);
                (None, BTreeSet::new())
            }
        }
    }

    fn spec(&self, run: &str) -> String {
        let mut text = format!("{HEAD}etcd:\n  {run}\n  leaving: [{}]\n", self.leaving.join(", "));
        let retired = self.retired.iter().map(|(name, generation)| format!("{name}: {generation}"));
        let _ = writeln!(text, "retired: {{{}}}\nhosts:", retired.collect::<Vec<_>>().join(", "));
        for (name, host) in &self.hosts {
            let etcd = host.turn.map_or_else(String::new, |turn| {
                let founder = host.founder.map_or_else(String::new, |is| format!(", founder: {is}"));
                format!(", etcd: {{state: existing, join: {turn}{founder}}}")
            });
            let key = recipient(host.address, host.generation);
            let _ = writeln!(
                text,
                "  {name}: {{addresses: [10.0.0.{}], roles: [etcd], generation: {}, recipients: [{key}]{etcd}}}",
                host.address, host.generation
            );
        }
        text
    }
}

/// An SSH recipient of its own for each machine.
fn recipient(address: u8, generation: u32) -> String {
    let seed = [address; 28].into_iter().chain(generation.to_be_bytes()).collect::<Vec<u8>>();
    let seed: [u8; 32] = seed.try_into().unwrap();
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    let mut blob = vec![0, 0, 0, 11];
    blob.extend(b"ssh-ed25519");
    blob.extend([0, 0, 0, 32]);
    blob.extend(public);
    format!("ssh-ed25519 {}", STANDARD.encode(blob))
}

type Files = BTreeMap<String, Vec<u8>>;

/// Of each host its files, and whom its member lists.
fn built(spec: &str) -> BTreeMap<String, (Files, BTreeMap<String, String>)> {
    let loaded = sealift::spec::load(spec);
    assert!(!loaded.has_errors(), "{:?}\n{spec}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:?}\n{spec}");
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    let of = |host: &HostPlan| {
        let mut files = renderer.templates(host).unwrap();
        files.extend(renderer.pods(host, &Digests::new()).unwrap());
        let listed = &host.etcd.as_ref().unwrap().listed.initial_cluster;
        let pairs = listed.split(',').map(|pair| pair.split_once('=').unwrap());
        let pairs = pairs.map(|(name, url)| (name.to_owned(), url.to_owned())).collect();
        (host.name.clone(), (files, pairs))
    };
    plan.hosts.values().map(of).collect()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|before| Step::Grow { before }),
        3 => any::<u8>().prop_map(|which| Step::Replace { which }),
        2 => any::<u8>().prop_map(|which| Step::Shrink { which }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn histories(
        count in prop_oneof![Just(1_u8), Just(3), Just(5)],
        steps in vec(step(), 1..10),
        run in prop_oneof![Just("run: static-pod"), Just("{run: systemd}"), Just("run: container")],
    ) {
        let run = if run.starts_with('{') { "run: systemd\n  version: 3.6.8" } else { run };
        let mut world = World::new(count);
        let mut before = built(&world.spec(run));
        for step in steps {
            let mut next = world.clone();
            let (joins, others) = next.take(step);
            // one stays, and somebody who began the cluster
            if next.hosts.values().all(|host| host.turn.is_some()) {
                continue;
            }
            world = next;
            let now = built(&world.spec(run));
            for name in &others {
                assert_eq!(now[name].0, before[name].0, "{name} after {step:?}\n{}", world.spec(run));
            }
            for (name, host) in world.hosts.iter().filter(|(_, host)| host.turn == Some(world.turn)) {
                assert_eq!(now[name].1, world.members, "{name} {host:?} after {step:?}");
            }
            if let Some(name) = joins {
                assert_eq!(now[&name].1, world.members, "{name} joins by {step:?}\n{}", world.spec(run));
            }
            before = now;
        }
    }
}
