//! What kubeadm and the kubelet expect of a host before the first `init` or `join`, as a table:
//! provisioner × role × where the Kubernetes CA's key is, and the same with etcd as a unit. From runs of Kubernetes 1.36.2 and from
//! `cmd/kubeadm/app/preflight/checks.go`.

use super::super::{Facts, FilePlan, HostPlan, Policy, plan};
use crate::spec;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Where the key of the Kubernetes CA is, and how nodes join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// With the operators alone; nodes have their certificates from here.
    NoKey,
    /// On control planes too.
    Key,
    /// On control planes too, and nodes join with a token.
    Token,
}

/// The host of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    First,
    Joining,
    Worker,
    Etcd,
}

struct Row {
    provisioner: &'static str,
    stacked: bool,
    mode: Mode,
    of: Of,
    /// Files below /etc/kubernetes and /var/lib/kubelet that the bundle places: these and no others.
    exist: &'static [&'static [&'static str]],
    /// Files that another program makes, and whose presence would be refused or overwritten.
    must_not: &'static [&'static str],
    /// Files of the bundle that a component rewrites.
    rewritten: &'static [&'static str],
    /// Files of the bundle that may be gone later.
    once: &'static [&'static str],
}

const PKI: &[&str] = &[
    "/etc/kubernetes/pki/apiserver-etcd-client.crt",
    "/etc/kubernetes/pki/apiserver-etcd-client.key",
    "/etc/kubernetes/pki/apiserver-kubelet-client.crt",
    "/etc/kubernetes/pki/apiserver-kubelet-client.key",
    "/etc/kubernetes/pki/apiserver.crt",
    "/etc/kubernetes/pki/apiserver.key",
    "/etc/kubernetes/pki/ca.crt",
    "/etc/kubernetes/pki/etcd/ca.crt",
    "/etc/kubernetes/pki/front-proxy-ca.crt",
    "/etc/kubernetes/pki/front-proxy-client.crt",
    "/etc/kubernetes/pki/front-proxy-client.key",
    "/etc/kubernetes/pki/sa.key",
    "/etc/kubernetes/pki/sa.pub",
];
const MEMBER: &[&str] = &[
    "/etc/kubernetes/pki/etcd/healthcheck-client.crt",
    "/etc/kubernetes/pki/etcd/healthcheck-client.key",
    "/etc/kubernetes/pki/etcd/peer.crt",
    "/etc/kubernetes/pki/etcd/peer.key",
    "/etc/kubernetes/pki/etcd/server.crt",
    "/etc/kubernetes/pki/etcd/server.key",
];
const SIGNING: &[&str] = &["/etc/kubernetes/pki/ca-signing.crt", "/etc/kubernetes/pki/ca.key"];
const CONFS: &[&str] = &["/etc/kubernetes/controller-manager.conf", "/etc/kubernetes/scheduler.conf"];
const KUBELET: &[&str] =
    &["/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/pki/kubelet.crt", "/var/lib/kubelet/pki/kubelet.key"];
/// Without kubeadm.
const NODE: &[&str] = &["/etc/kubernetes/kubelet/config.yaml"];
const BOOTSTRAP: &[&str] = &["/etc/kubernetes/bootstrap-kubelet.conf"];
const ADMIN: &[&str] = &["/etc/kubernetes/admin.conf"];
const SUPER_ADMIN: &[&str] = &["/etc/kubernetes/super-admin.conf"];
const CA: &[&str] = &["/etc/kubernetes/pki/ca.crt"];
const PODS: &[&str] = &[
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/kubernetes/manifests/kube-controller-manager.yaml",
    "/etc/kubernetes/manifests/kube-scheduler.yaml",
];
const ETCD_POD: &[&str] = &["/etc/kubernetes/manifests/etcd.yaml"];
const INIT: &[&str] = &["/etc/kubernetes/kubeadm/init.yaml"];
const JOIN: &[&str] = &["/etc/kubernetes/kubeadm/join.yaml"];
/// Of a control plane that joins.
const CLUSTER: &[&str] = &["/etc/kubernetes/kubeadm/cluster.yaml"];
const PATCH: &[&str] = &["/etc/kubernetes/patches/kubeletconfiguration+merge.json"];
const ALONE: &[&str] = &[
    "/etc/kubernetes/kubeadm/config.yaml",
    "/etc/kubernetes/kubelet/config.yaml",
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/kubernetes/pki/etcd/ca.crt",
];

/// `kubeadm init` refuses the first four; it writes the others, and a kubelet.conf of a token join.
const KUBEADMS: &[&str] = &[
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/kubernetes/manifests/kube-controller-manager.yaml",
    "/etc/kubernetes/manifests/kube-scheduler.yaml",
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/instance-config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/kubernetes/pki/etcd/ca.key",
    "/etc/kubernetes/pki/front-proxy-ca.key",
];
/// What a join with a token refuses besides, on workers the CA too.
const TOKEN_REFUSES: &[&str] = &["/etc/kubernetes/kubelet.conf"];
const WORKER_REFUSES: &[&str] = &["/etc/kubernetes/kubelet.conf", "/etc/kubernetes/pki/ca.crt"];
/// What the kubelet writes itself when the cluster signs its certificate.
const KUBELETS_OWN: &[&str] = &[
    "/etc/kubernetes/kubelet.conf",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet.crt",
    "/var/lib/kubelet/pki/kubelet.key",
];
const NO_KEY: &[&str] = &["/etc/kubernetes/pki/ca.key"];
const KUBELET_CONF: &[&str] = &["/etc/kubernetes/kubelet.conf"];

#[rustfmt::skip]
const TABLE: &[Row] = &[
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::NoKey, of: Of::First,
          exist: &[PKI, MEMBER, CONFS, KUBELET, ADMIN, SUPER_ADMIN, INIT, PATCH], must_not: NO_KEY, rewritten: &[],
          once: &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"] },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::NoKey, of: Of::Joining,
          exist: &[PKI, MEMBER, CONFS, KUBELET, ADMIN, JOIN, CLUSTER, PATCH], must_not: NO_KEY, rewritten: &[], once: ADMIN },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::NoKey, of: Of::Worker,
          exist: &[CA, KUBELET, JOIN, PATCH], must_not: NO_KEY, rewritten: &[], once: &[] },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::Key, of: Of::First,
          exist: &[PKI, MEMBER, SIGNING, CONFS, KUBELET, ADMIN, SUPER_ADMIN, INIT, PATCH], must_not: &[],
          rewritten: KUBELET_CONF,
          once: &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"] },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::Key, of: Of::Joining,
          exist: &[PKI, MEMBER, SIGNING, CONFS, KUBELET, ADMIN, JOIN, CLUSTER, PATCH], must_not: &[], rewritten: KUBELET_CONF,
          once: ADMIN },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::Key, of: Of::Worker,
          exist: &[CA, KUBELET, JOIN, PATCH], must_not: NO_KEY, rewritten: KUBELET_CONF, once: &[] },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::Token, of: Of::First,
          exist: &[PKI, MEMBER, SIGNING, CONFS, KUBELET, ADMIN, SUPER_ADMIN, INIT, PATCH], must_not: &[],
          rewritten: KUBELET_CONF,
          once: &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"] },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::Token, of: Of::Joining,
          exist: &[PKI, MEMBER, SIGNING, CONFS, ADMIN, JOIN, CLUSTER, PATCH], must_not: TOKEN_REFUSES, rewritten: &[], once: &["/etc/kubernetes/admin.conf", "/etc/kubernetes/kubeadm/join.yaml"] },
    Row { provisioner: "kubeadm", stacked: true, mode: Mode::Token, of: Of::Worker,
          exist: &[JOIN, PATCH], must_not: WORKER_REFUSES, rewritten: &[], once: JOIN },
    Row { provisioner: "kubeadm", stacked: false, mode: Mode::NoKey, of: Of::First,
          exist: &[PKI, CONFS, KUBELET, ADMIN, SUPER_ADMIN, INIT, PATCH], must_not: NO_KEY, rewritten: &[],
          once: &["/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"] },
    Row { provisioner: "kubeadm", stacked: false, mode: Mode::NoKey, of: Of::Joining,
          exist: &[PKI, CONFS, KUBELET, ADMIN, JOIN, CLUSTER, PATCH], must_not: NO_KEY, rewritten: &[], once: ADMIN },
    Row { provisioner: "kubeadm", stacked: false, mode: Mode::NoKey, of: Of::Etcd,
          exist: &[ALONE, MEMBER], must_not: &[], rewritten: &[], once: &[] },
    Row { provisioner: "kubeadm", stacked: false, mode: Mode::Token, of: Of::Etcd,
          exist: &[ALONE, MEMBER], must_not: &[], rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::NoKey, of: Of::First,
          exist: &[PKI, MEMBER, CONFS, KUBELET, NODE, PODS, ETCD_POD], must_not: NO_KEY, rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::NoKey, of: Of::Joining,
          exist: &[PKI, MEMBER, CONFS, KUBELET, NODE, PODS, ETCD_POD], must_not: NO_KEY, rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::Key, of: Of::First,
          exist: &[PKI, MEMBER, SIGNING, CONFS, KUBELET, NODE, PODS, ETCD_POD], must_not: &[], rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: false, mode: Mode::NoKey, of: Of::First,
          exist: &[PKI, CONFS, KUBELET, NODE, PODS], must_not: NO_KEY, rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::NoKey, of: Of::Worker,
          exist: &[CA, KUBELET, NODE], must_not: NO_KEY, rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::Token, of: Of::Worker,
          exist: &[CA, NODE, BOOTSTRAP], must_not: KUBELETS_OWN, rewritten: &[], once: BOOTSTRAP },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::Token, of: Of::First,
          exist: &[PKI, MEMBER, SIGNING, CONFS, KUBELET, NODE, PODS, ETCD_POD], must_not: &[], rewritten: &[], once: &[] },
    Row { provisioner: "static-pods", stacked: true, mode: Mode::Token, of: Of::Joining,
          exist: &[PKI, MEMBER, SIGNING, CONFS, NODE, BOOTSTRAP, PODS, ETCD_POD], must_not: KUBELETS_OWN, rewritten: &[],
          once: BOOTSTRAP },
    Row { provisioner: "none", stacked: false, mode: Mode::NoKey, of: Of::Etcd,
          exist: &[ALONE, MEMBER], must_not: &[], rewritten: &[], once: &[] },
];

const RECIPIENTS: [&str; 5] = [
    "age1aw95ezgx3p70ep3c570lfrrxwdqatm6w2ag6tvq6vxlpdwknjvns7p9ftl",
    "age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05",
    "age1s8hcwpexnlmx2h3aj28m32ue36nk33cmudctqhqrntvag7ytmdaqtqzfs4",
    "age1722sn843ns8njx5r3n9d6wydu72psm4c3ec77ve9pzm4xj22qesqmfezvr",
    "age1a0f54gve9ddysc39kkqj0vvndlrwjj6ynvw7yhz3x200wcxl59hshr93s8",
];

/// A spec with one host of each kind that a row knows.
fn spec(row: &Row, run: &str) -> String {
    let [operator, recipients @ ..] = RECIPIENTS;
    let none = row.provisioner == "none";
    let control_plane = if row.stacked { "control-plane, etcd" } else { "control-plane" };
    let mut hosts = vec![("etcd0", "etcd")];
    if !none {
        hosts = vec![("cp0", control_plane), ("cp1", control_plane), ("w0", "worker")];
        hosts.extend((!row.stacked).then_some(("etcd0", "etcd")));
    }
    let mut text = format!(
        "apiVersion: sealift/v1
cluster: {{name: day-zero, id: \"7e570000000000000000000000000001\", epoch: 2026-11-20T00:00:00Z, operators: [{operator}]}}
etcd: {{run: {run}, version: 3.6.8}}
kubernetes:
  version: 1.36.2
  provisioner: {}
",
        row.provisioner
    );
    if !none {
        text += "  endpoint: api.prod.example:6443\n";
    }
    if row.mode == Mode::Token {
        text += "  join: token\n  bootstrapTokens: {join: {}}\n";
    }
    if row.mode != Mode::NoKey {
        text += "pki: {caKeysOnHosts: [kubernetes]}\n";
    }
    if !none {
        text += "loadBalancers: [{kind: external}]\n";
    }
    text += "hosts:\n";
    for (index, ((name, roles), recipient)) in hosts.into_iter().zip(recipients).enumerate() {
        writeln!(
            text,
            "  {name}: {{addresses: [192.0.2.{}], roles: [{roles}], recipients: [{recipient}]}}",
            index + 1
        )
        .unwrap();
    }
    text
}

fn planned(row: &Row) -> HostPlan {
    planned_with(row, "static-pod")
}

fn planned_with(row: &Row, run: &str) -> HostPlan {
    let loaded = spec::load(&spec(row, run));
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert!(!problems.iter().any(spec::Problem::is_error), "{problems:?}");
    let name = match row.of {
        Of::First => "cp0",
        Of::Joining => "cp1",
        Of::Worker => "w0",
        Of::Etcd => "etcd0",
    };
    plan.hosts.into_iter().find(|(host, _)| host.as_str() == name).unwrap().1
}

/// The same hosts with etcd as a unit: what was kubeadm's or a kubelet's for etcd is gone, and nothing else
/// is another. On a host of etcd alone nothing is left of a kubelet.
#[test]
fn etcd_as_a_unit_takes_etcds_pod_away_and_nothing_else() {
    for (row, run) in TABLE.iter().flat_map(|row| ["systemd", "container"].map(|run| (row, run))) {
        let context =
            format!("{run} {} {:?} {:?} stacked: {}", row.provisioner, row.of, row.mode, row.stacked);
        let host = planned_with(row, run);
        let theirs = |file: &&FilePlan| {
            file.path.starts_with("/etc/kubernetes/") || file.path.starts_with("/var/lib/")
        };
        let placed: BTreeSet<&str> = host
            .files
            .iter()
            .filter(|file| file.policy != Policy::Foreign)
            .filter(theirs)
            .map(|file| file.path.as_str())
            .collect();
        let mut expected: BTreeSet<&str> = row.exist.iter().flat_map(|set| set.iter().copied()).collect();
        expected.retain(|path| !ETCD_POD.contains(path));
        if row.of == Of::Etcd {
            expected.retain(|path| path.starts_with("/etc/kubernetes/pki/"));
            assert!(host.kubelet.is_none() && host.kubeadm.is_none(), "{context}");
            assert!(!host.directories.iter().any(|one| one.path == "/etc/kubernetes/manifests"), "{context}");
        }
        assert_eq!(placed, expected, "{context}");
        // nobody makes it, so nobody may: kubeadm refuses one that is there
        assert!(!host.files.iter().any(|file| ETCD_POD.contains(&&*file.path)), "{context}");
        let restarts = host.files.iter().flat_map(|file| file.restart.iter());
        assert!(!restarts.into_iter().any(|target| *target == "static-pod/etcd"), "{context}");
        assert!(host.pods.iter().all(|pod| pod.name != "etcd"), "{context}");
        let member = row.of == Of::Etcd || (row.stacked && row.of != Of::Worker);
        assert_eq!(host.etcd.is_some(), member, "{context}");
        let unit = match run {
            "systemd" => "/etc/systemd/system/etcd.service",
            _ => "/etc/containers/systemd/etcd.container",
        };
        assert_eq!(host.files.iter().any(|file| file.path == unit), member, "{context}");
    }
}

#[test]
fn hosts_hold_what_kubeadm_wants_and_nothing_that_it_refuses() {
    for row in TABLE {
        let context = format!("{} {:?} {:?} stacked: {}", row.provisioner, row.of, row.mode, row.stacked);
        let host = planned(row);
        let with = |wanted: &dyn Fn(&FilePlan) -> bool| -> BTreeSet<&str> {
            host.files.iter().filter(|file| wanted(file)).map(|file| file.path.as_str()).collect()
        };
        let theirs =
            |file: &FilePlan| file.path.starts_with("/etc/kubernetes/") || file.path.starts_with("/var/lib/");
        let placed = with(&|file| file.policy != Policy::Foreign && theirs(file));
        let expected: BTreeSet<&str> = row.exist.iter().flat_map(|set| set.iter().copied()).collect();
        assert_eq!(placed, expected, "{context}");
        let refused: Vec<_> = row.must_not.iter().filter(|path| placed.contains(**path)).collect();
        assert_eq!(refused, Vec::<&&str>::new(), "{context}");
        if row.provisioner == "kubeadm" && row.of != Of::Etcd {
            assert!(!KUBEADMS.iter().any(|path| placed.contains(path)), "{context}");
        }
        let of = |policy| with(&|file| file.policy == policy);
        assert_eq!(of(Policy::Initial), row.rewritten.iter().copied().collect(), "{context}");
        assert_eq!(of(Policy::Bootstrap), row.once.iter().copied().collect(), "{context}");
    }
}

/// What kubeadm writes is listed: in `/etc/kubernetes/manifests` nothing else is allowed.
#[test]
fn what_kubeadm_writes_is_foreign() {
    for row in TABLE.iter().filter(|row| row.of != Of::Etcd) {
        let host = planned(row);
        let manifest = |file: &&FilePlan| file.path.starts_with("/etc/kubernetes/manifests/");
        let foreign = host.files.iter().filter(|file| file.policy == Policy::Foreign);
        let (foreign, others): (Vec<_>, Vec<_>) = foreign.partition(manifest);
        let names: Vec<_> = foreign.iter().filter_map(|file| file.path.rsplit('/').next()).collect();
        let expected: &[&str] = match (row.provisioner, row.of, row.stacked) {
            ("kubeadm", Of::First | Of::Joining, true) => {
                &["etcd.yaml", "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"]
            }
            ("kubeadm", Of::First | Of::Joining, false) => {
                &["kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml"]
            }
            _ => &[],
        };
        assert_eq!(names, expected);
        assert!(foreign.iter().all(|file| file.mode == 0o600));
        let bootstraps = row.provisioner == "static-pods" && row.mode == Mode::Token && row.of != Of::First;
        let expected: &[_] = match row.provisioner {
            "kubeadm" => &[
                ("/var/lib/kubelet/config.yaml", 0o644),
                ("/var/lib/kubelet/instance-config.yaml", 0o644),
                ("/var/lib/kubelet/kubeadm-flags.env", 0o644),
            ],
            _ if bootstraps => &[("/etc/kubernetes/kubelet.conf", 0o600)],
            _ => &[],
        };
        let others: Vec<_> = others.iter().map(|file| (file.path.as_str(), file.mode)).collect();
        assert_eq!(others, expected);
    }
}
