//! Random valid specs: clusters of every shape, as a person might write them.

use super::opened::machine;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One spec, with what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The spec.
    pub(crate) yaml: String,
    /// The hosts' names; the number of each is its place.
    pub(crate) hosts: Vec<String>,
    /// Its features in words, to show that all of them occur.
    pub(crate) features: BTreeSet<String>,
}

/// What a cluster is, before it is written down.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "one per choice")]
struct Shape {
    provisioner: &'static str,
    version: &'static str,
    stacked: bool,
    family: &'static str,
    roles: Vec<u8>,
    endpoint_is_name: bool,
    by_token: bool,
    /// Under what etcd runs.
    etcd: &'static str,
    /// Whether its members have one certificate.
    shared: bool,
    settings: Settings,
}

#[derive(Clone, Debug)]
struct Settings {
    algorithm: &'static str,
    ca_algorithm: Option<&'static str>,
    leaf_algorithm: Option<&'static str>,
    validity: (&'static str, &'static str),
    subjects: bool,
    sans: bool,
    ca_keys: BTreeSet<&'static str>,
    generations: (u8, u8, u8),
    rotation: Option<(&'static str, &'static str)>,
}

const POD: &str = "run: static-pod";
const SERVICE: &str = "run: systemd, version: 3.5.16, config: yaml, walDir: /srv/wal";
const CONTAINER: &str = "run: container, container: {engine: docker}, user: {uid: 400, gid: 401}";
const ED25519: &str = "ed25519";
const ALGORITHMS: [&str; 3] = ["ecdsa-p256", "ecdsa-p384", ED25519];
const AUTHORITIES: [&str; 3] = ["etcd", "front-proxy", "kubernetes"];

fn algorithm() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&ALGORITHMS[..])
}

/// Specs with one to nine hosts.
pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let settings = (
        algorithm(),
        option::of(algorithm()),
        option::of(algorithm()),
        prop_oneof![Just(("10y", "1y")), Just(("99y", "99y")), Just(("99y", "30d")), Just(("90d", "36h"))],
        any::<bool>(),
        any::<bool>(),
        btree_set(proptest::sample::select(&AUTHORITIES[..]), 0..=3),
        (1..4_u8, 1..4_u8, 1..4_u8),
        option::of((
            proptest::sample::select(&AUTHORITIES[..]),
            prop_oneof![Just("stage"), Just("promote"), Just("retire")],
        )),
    );
    let settings = settings.prop_map(
        |(
            algorithm,
            ca_algorithm,
            leaf_algorithm,
            validity,
            subjects,
            sans,
            ca_keys,
            generations,
            rotation,
        )| Settings {
            algorithm,
            ca_algorithm,
            leaf_algorithm,
            validity,
            subjects,
            sans,
            ca_keys,
            generations,
            rotation,
        },
    );
    let shape = (
        prop_oneof![1 => Just("none"), 3 => Just("kubeadm"), 3 => Just("static-pods")],
        prop_oneof![Just("1.36.2"), Just("1.36.0"), Just("1.33.2"), Just("1.29.10")],
        any::<bool>(),
        prop_oneof![Just("IPv4"), Just("IPv6"), Just("dual stack"), Just("dual stack, IPv6 first")],
        vec(any::<u8>(), 1..=9),
        any::<bool>(),
        any::<bool>(),
        (prop_oneof![2 => Just(POD), 1 => Just(SERVICE), 1 => Just(CONTAINER)], any::<bool>()),
        settings,
    );
    shape.prop_map(
        |(
            provisioner,
            version,
            stacked,
            family,
            roles,
            endpoint_is_name,
            by_token,
            (etcd, shared),
            settings,
        )| {
            let shape = Shape {
                provisioner,
                version,
                stacked,
                family,
                roles,
                endpoint_is_name,
                by_token,
                etcd,
                shared,
                settings,
            };
            shape.valid().case()
        },
    )
}

impl Shape {
    /// The same without what a spec may not say.
    fn valid(mut self) -> Self {
        let settings = &mut self.settings;
        if self.provisioner == "none" {
            self.by_token = false;
            self.stacked = false;
            settings.ca_keys.retain(|ca| *ca == "etcd");
            settings.rotation = settings.rotation.filter(|(ca, _)| *ca == "etcd");
        }
        if self.provisioner == "kubeadm" {
            // kubeadm knows ECDSA alone, and P-384 from 1.34 on
            let known = if self.version.starts_with("1.36") { &ALGORITHMS[..2] } else { &ALGORITHMS[..1] };
            let fallback = known[known.len() - 1];
            let limit = |algorithm: &mut &'static str| {
                if !known.contains(algorithm) {
                    *algorithm = fallback;
                }
            };
            limit(&mut settings.algorithm);
            settings.ca_algorithm.iter_mut().chain(&mut settings.leaf_algorithm).for_each(limit);
        }
        if self.by_token {
            // the cluster signs what joins
            settings.ca_keys.insert("kubernetes");
        }
        // an external etcd has a host of its own
        if self.provisioner != "none" && !self.stacked && self.roles.len() == 1 {
            self.stacked = true;
        }
        // kubeadm makes members with certificates of their own
        self.shared &= !(self.provisioner == "kubeadm" && self.stacked && self.etcd == POD);
        self
    }

    /// The roles of each host: one of each that the cluster cannot be without, then any.
    fn roles_of(&self, index: usize) -> &'static str {
        let dice = self.roles[index];
        match (self.provisioner, self.stacked, index) {
            ("none", ..) | (_, false, 1) => "etcd",
            (_, true, 0) => "control-plane, etcd",
            (_, false, 0) => "control-plane",
            (_, true, _) => ["worker", "control-plane, etcd", "etcd, control-plane"][usize::from(dice % 3)],
            (_, false, _) => ["worker", "control-plane", "etcd"][usize::from(dice % 3)],
        }
    }

    fn case(self) -> Case {
        let hosts: Vec<String> = (0..self.roles.len()).map(|index| format!("node{index}")).collect();
        let mut yaml = format!(
            "apiVersion: sealift/v1\ncluster:\n  name: prod\n  id: \"7e570000000000000000000000000001\"\n  \
             epoch: 2026-11-20T00:00:00Z\n  revision: 1\n  operators:\n    - {OPERATOR}\n{}{}hosts:\n",
            self.kubernetes(),
            self.pki(),
        );
        for (index, host) in hosts.iter().enumerate() {
            yaml += &self.host(index, host);
        }
        Case { features: self.features(), yaml, hosts }
    }

    fn addresses(&self, net: u8, last: u8) -> String {
        let (v4, v6) = (format!("10.{net}.0.{last}"), format!("fd0{net}::{last}"));
        match self.family {
            "IPv4" => v4,
            "IPv6" => v6,
            "dual stack" => format!("{v4}, \"{v6}\""),
            _ => format!("\"{v6}\", {v4}"),
        }
    }

    fn kubernetes(&self) -> String {
        let mut text = format!(
            "kubernetes:\n  version: {}\n  provisioner: {}\netcd: {{{}, certificates: {}}}\n",
            self.version,
            self.provisioner,
            self.etcd,
            if self.shared { "shared" } else { "member" },
        );
        if self.provisioner == "none" {
            return text;
        }
        let (pods, services) = match self.family {
            "IPv4" => ("10.244.0.0/16", "10.96.0.0/12"),
            "IPv6" => ("\"fd44::/56\"", "\"fd96::/112\""),
            "dual stack" => ("10.244.0.0/16, \"fd44::/56\"", "10.96.0.0/12, \"fd96::/112\""),
            _ => ("\"fd44::/56\", 10.244.0.0/16", "\"fd96::/112\", 10.96.0.0/12"),
        };
        let endpoint = match (self.endpoint_is_name, self.family.starts_with("IPv4")) {
            (true, _) => "api.prod.example:6443",
            (false, true) => "10.0.0.250:6443",
            (false, false) => "[fd00::250]:6443",
        };
        let (join, tokens) = if self.by_token {
            ("token", "{first: {}, late: {expires: 48h}}")
        } else {
            ("certificates", "{}")
        };
        let rest = format!(
            "  endpoint: \"{endpoint}\"\n  podSubnets: [{pods}]\n  serviceSubnets: [{services}]\n  join: {join}\n  \
             bootstrapTokens: {tokens}\nloadBalancers: [{{kind: external}}]\netcd:"
        );
        text = text.replace("etcd:", &rest);
        text + "encryptionAtRest: {provider: aescbc}\npasswords:\n  vrrp: {roles: [control-plane]}\n"
    }

    fn pki(&self) -> String {
        let Settings { algorithm, validity: (ca, leaf), generations: (all, ca_generation, _), .. } =
            self.settings;
        let mut text = format!(
            "pki:\n  algorithm: {algorithm}\n  validity: {{ca: {ca}, leaf: {leaf}}}\n  generation: {all}\n  \
             caKeysOnHosts: [{}]\n",
            self.settings.ca_keys.iter().copied().collect::<Vec<_>>().join(", ")
        );
        if algorithm == ED25519 {
            text += "  serviceAccount: {algorithm: ecdsa-p256}\n";
        }
        text += "  cas:\n";
        let kubernetes: &[&str] = if self.provisioner == "none" { &["etcd"] } else { &AUTHORITIES };
        for name in kubernetes {
            let rotation = self.settings.rotation.filter(|(rotated, _)| rotated == name);
            let generation = ca_generation + u8::from(rotation.is_some());
            let _ = write!(text, "    {name}:\n      generation: {generation}\n");
            if let Some((_, step)) = rotation {
                let _ = writeln!(text, "      rotation: {step}");
            }
            if let Some(algorithm) = self.settings.ca_algorithm.filter(|_| *name != "front-proxy") {
                let _ = writeln!(text, "      algorithm: {algorithm}");
            }
            if self.settings.subjects {
                text += "      subject: {C: DE, ST: Berlin, L: Köln am Rhein, O: Example Bank AG, OU: Platform}\n";
            }
        }
        text + &self.certificates()
    }

    fn certificates(&self) -> String {
        let mut etcd = Vec::new();
        let mut api = Vec::new();
        if let Some(algorithm) = self.settings.leaf_algorithm {
            etcd.push(format!("algorithm: {algorithm}"));
            api.push(format!("algorithm: {algorithm}"));
        }
        if self.settings.sans {
            etcd.push("sans: [etcd.example, \"*.etcd.example\", 192.0.2.7]".to_owned());
            api.push("sans: [Z.example, a.example, \"2001:db8::7\", localhost]".replace("Z.", "z."));
        }
        if self.settings.subjects {
            etcd.push("subject: {O: Example Bank AG, OU: \"etcd, of the platform\"}".to_owned());
            api.push("subject: {C: CH, OU: API}".to_owned());
        }
        let id = if self.shared { "etcd-shared" } else { "etcd-server" };
        let mut text = format!("  certificates:\n    {id}: {{{}}}\n", etcd.join(", "));
        if self.provisioner != "none" {
            let _ = writeln!(text, "    apiserver: {{{}}}", api.join(", "));
        }
        text
    }

    fn host(&self, index: usize, name: &str) -> String {
        let number = u8::try_from(index).unwrap();
        let roles = self.roles_of(index);
        let mut text = format!(
            "  {name}:\n    addresses: [{}]\n    roles: [{roles}]\n    recipients: [{}]\n    generation: {}\n",
            self.addresses(0, number + 1),
            machine(number).to_public(),
            if index == 1 { self.settings.generations.2 } else { 1 },
        );
        if index == 0 && self.settings.sans {
            let id = if roles.contains("etcd") { "etcd-peer" } else { "apiserver" };
            let own = !self.shared || id == "apiserver";
            let _ =
                own.then(|| writeln!(text, "    certificates: {{{id}: {{sans: [own.example, 192.0.2.9]}}}}"));
        }
        text
    }

    fn features(&self) -> BTreeSet<String> {
        let settings = &self.settings;
        let mut all = BTreeSet::from([
            format!("provisioner {}", self.provisioner),
            format!("algorithm {}", settings.algorithm),
            format!("family {}", self.family),
            format!("leaf validity {}", settings.validity.1),
        ]);
        let mut note = |is: bool, feature: &str| all.extend(is.then(|| feature.to_owned()));
        let kubernetes = self.provisioner != "none";
        note(self.etcd == SERVICE, "etcd as a service");
        note(self.etcd == CONTAINER, "etcd in a container");
        note(self.shared, "one certificate of etcd");
        note(kubernetes && self.stacked, "stacked");
        note(kubernetes && !self.stacked, "external etcd");
        note(kubernetes && self.endpoint_is_name, "endpoint by name");
        note(kubernetes && !self.endpoint_is_name, "endpoint by address");
        note(self.by_token, "join by token");
        note(kubernetes && !self.by_token, "join by certificates");
        note(self.roles.len() >= 7, "many hosts");
        note(settings.subjects, "subjects");
        note(settings.sans, "further names");
        note(settings.generations.0 > 1 && settings.generations.1 > 1, "generations");
        for ca in &settings.ca_keys {
            note(true, &format!("{ca} key on hosts"));
        }
        note(settings.ca_keys.is_empty(), "no CA key on hosts");
        if let Some((_, step)) = settings.rotation {
            note(true, step);
        }
        let mixed = [settings.ca_algorithm, settings.leaf_algorithm];
        note(mixed.iter().flatten().any(|other| *other != settings.algorithm), "mixed algorithms");
        let roles: BTreeSet<_> = (0..self.roles.len()).map(|index| self.roles_of(index)).collect();
        note(roles.contains("worker"), "workers");
        all
    }
}

/// The example's operators.
const OPERATOR: &str = "age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl";
