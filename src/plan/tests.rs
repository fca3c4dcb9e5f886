//! Plans of whole specs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod balancers;
mod day_zero;
mod etcd;
mod etcd_units;
mod kubeadm;
mod kubeadm_checked;
mod kubernetes;
mod units;

use super::{Facts, HostPlan, plan};
use crate::spec;
use crate::spec::types::GateRun;

const EXAMPLE: &str = include_str!("../../bundles/etcd-static-pods/sealift.yaml");

/// The example with one text replaced.
fn with(from: &str, to: &str) -> spec::Loaded {
    assert!(EXAMPLE.contains(from), "{from}");
    let loaded = spec::load(&EXAMPLE.replacen(from, to, 1));
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    loaded
}

fn hosts(loaded: &spec::Loaded) -> Vec<HostPlan> {
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert_eq!(problems, [], "no problems");
    plan.hosts.into_values().collect()
}

/// Severity, path and message of every problem.
fn problems(loaded: &spec::Loaded) -> Vec<String> {
    let (_, problems) = plan(&loaded.spec, &Facts::default());
    let line = |problem: spec::Problem| {
        let problem = loaded.locate(problem);
        format!("{} {}: {}", problem.severity.name(), problem.path, problem.message)
    };
    problems.into_iter().map(line).collect()
}

#[test]
fn the_most_specific_setting_wins() {
    let layers = "roles:
  etcd:
    kubelet:
      gate: {run: none}
      cgroupDriver: cgroupfs
hosts:
  infra0:
    kubelet:
      gate: {run: sha256sum}
    addresses: [10.0.0.6]";
    let planned = hosts(&with("hosts:\n  infra0:\n    addresses: [10.0.0.6]", layers));
    let gates: Vec<_> = planned.iter().map(|host| host.kubelet.as_ref().unwrap().gate.run).collect();
    assert_eq!(gates, [GateRun::Sha256sum, GateRun::None, GateRun::None]);
    let drivers: Vec<_> = planned.iter().map(|host| host.kubelet.as_ref().unwrap().cgroup_driver).collect();
    assert_eq!(drivers, ["cgroupfs"; 3]);
}

#[test]
fn no_gate_no_file() {
    let planned = hosts(&with("run: sealift", "run: none"));
    assert!(planned.iter().flat_map(|host| host.files.iter()).all(|file| !file.path.contains("gate")));
}

#[test]
fn a_host_of_its_own_generation_and_seed_changes_nobody_else() {
    let before = hosts(&with("revision: 1", "revision: 1"));
    let after = hosts(&with("  infra0:\n", "  infra0:\n    generation: 2\n    seed: 3\n"));
    let text = |host: &HostPlan| serde_json::to_string(host).unwrap();
    assert_ne!(text(&before[0]), text(&after[0]));
    assert_eq!(after[0].certificates[0].generation, "1,1,2");
    assert_eq!((after[0].certificates[0].seed, after[0].item.seed), (3, 3));
    assert_eq!(
        before[1..].iter().map(text).collect::<Vec<_>>(),
        after[1..].iter().map(text).collect::<Vec<_>>()
    );
}

#[test]
fn what_only_the_tables_know() {
    assert_eq!(
        problems(&with("version: 1.36.2", "version: 1.37.0")),
        ["error kubernetes.version: sealift does not know Kubernetes 1.37.0"]
    );
    assert_eq!(
        problems(&with("version: 1.36.2", "version: 1.29.14")),
        ["error kubernetes.version: the etcd image of Kubernetes 1.29.14 is not known here"]
    );
    assert_eq!(
        problems(&with("run: static-pod", "run: static-pod\n  image: registry.example/my-etcd:3.6.8")),
        ["error etcd.image: this image cannot be told to kubeadm"]
    );
    assert_eq!(
        problems(&with("run: static-pod", "run: static-pod\n  dataDir: /etc/kubernetes/pki/data")),
        [
            "error etcd.dataDir: /etc/kubernetes/pki/data cannot be etcd's data directory beside /etc/kubernetes"
        ]
    );
    for path in ["/usr", "/var", "/var/lib", "/etc/ssh", "/run/etcd", "/var/lib/kubelet/etcd"] {
        let spec = with("run: static-pod", &format!("run: static-pod\n  dataDir: {path}"));
        assert_eq!(problems(&spec).len(), 1, "{path}");
    }
    for path in ["/data", "/srv/etcd", "/var/lib/etcd-prod", "/home/etcd"] {
        let spec = with("run: static-pod", &format!("run: static-pod\n  dataDir: {path}"));
        assert_eq!(problems(&spec), Vec::<String>::new(), "{path}");
    }
    let allow =
        "allowFiles: [/etc/kubernetes/manifests/x.yaml, /srv/x, /etc/kubernetes/manifests/sub/x.yaml]";
    assert_eq!(
        problems(&with("  infra0:\n", &format!("  infra0:\n    {allow}\n"))),
        [
            "warning hosts.infra0.allowFiles[1]: /srv/x needs no allowance",
            "error hosts.infra0.allowFiles[2]: /etc/kubernetes/manifests/sub/x.yaml cannot be allowed by itself"
        ]
    );
}

#[test]
fn a_pinned_image_is_taken_apart_for_kubeadm() {
    let digest = "sha256:".to_owned() + &"0".repeat(64);
    let image = format!("run: static-pod\n  image: registry.example:5000/a/etcd:3.6.8-0@{digest}");
    let planned = hosts(&with("run: static-pod", &image));
    let etcd = planned[0].etcd.as_deref().unwrap();
    assert_eq!(etcd.image.as_ref().unwrap().repository, "registry.example:5000/a");
    assert_eq!(etcd.image.as_ref().unwrap().tag, format!("3.6.8-0@{digest}"));
}

#[test]
fn members_have_brackets_around_ipv6() {
    let planned = hosts(&with("[10.0.0.6]", "[\"fd00::6\", 10.0.0.6]"));
    let etcd = planned[0].etcd.as_deref().unwrap();
    assert_eq!(etcd.client_url, "https://[fd00::6]:2379");
    assert!(etcd.listed.initial_cluster.starts_with("infra0=https://[fd00::6]:2380,"));
    let server = planned[0].certificates.iter().find(|leaf| leaf.row.id == "etcd-server").unwrap();
    let ips: Vec<_> = server.ips.iter().map(ToString::to_string).collect();
    assert_eq!(ips, ["fd00::6", "127.0.0.1", "::1"]);
}

/// etcd compares a peer's address with a certificate's addresses first: one that may change has no place
/// there.
#[test]
fn members_with_names_have_no_address_in_certificates() {
    let text = EXAMPLE.replacen("run: static-pod", "run: systemd\n  version: 3.6.8\n  urls: name", 1);
    let text = text.replacen("  infra1:\n", "  infra1:\n    etcdName: etcd1.example\n", 1);
    let hosts = |text: &str| hosts(&spec::load(text));
    let sans = |host: &HostPlan, id: &str| {
        let leaf = host.certificates.iter().find(|leaf| leaf.row.id == id).unwrap();
        leaf.dns.iter().cloned().chain(leaf.ips.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    let planned = hosts(&text);
    for id in ["etcd-server", "etcd-peer"] {
        assert_eq!(sans(&planned[0], id), ["infra0", "localhost", "127.0.0.1", "::1"]);
        assert_eq!(sans(&planned[1], id), ["etcd1.example", "infra1", "localhost", "127.0.0.1", "::1"]);
    }
    let etcd = planned[1].etcd.as_deref().unwrap();
    assert_eq!(etcd.client_url, "https://etcd1.example:2379");
    assert_eq!(etcd.client_listener(), "https://10.0.0.7:2379");
    let shared = hosts(&text.replace("urls: name", "urls: name\n  certificates: shared"));
    assert_eq!(
        sans(&shared[2], "etcd-shared"),
        ["etcd1.example", "infra0", "infra1", "infra2", "localhost", "127.0.0.1", "::1"]
    );
}

#[test]
fn ca_keys_are_with_the_operators_alone() {
    let (plan, _) = plan(&with("revision: 1", "revision: 1").spec, &Facts::default());
    let has = |host: &HostPlan| host.files.iter().any(|file| file.path == "/etc/kubernetes/pki/etcd/ca.key");
    assert!(has(&plan.operator) && !plan.hosts.values().any(has));
}
