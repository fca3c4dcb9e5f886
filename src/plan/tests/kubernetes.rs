//! Plans of clusters with a control plane.

use super::super::{CertPlan, Facts, Plan, plan};
use crate::spec;

pub(super) const CLUSTER: &str = include_str!("cluster.yaml");

/// The cluster with some texts replaced; its plan and all problems.
pub(super) fn with(edits: &[(&str, &str)]) -> (Plan, Vec<String>) {
    let mut text = CLUSTER.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let loaded = spec::load(&text);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    let all = loaded.problems.iter().chain(&problems);
    let line = |problem: &spec::Problem| {
        format!("{} {}: {}", problem.severity.name(), problem.path, problem.message)
    };
    (plan, all.map(line).collect())
}

fn leaf<'a>(plan: &'a Plan, host: &str, id: &str) -> &'a CertPlan {
    let host = plan.hosts.iter().find(|(name, _)| name.as_str() == host).unwrap().1;
    host.certificates.iter().find(|leaf| leaf.row.id == id).unwrap()
}

fn names(leaf: &CertPlan) -> String {
    let ips = leaf.ips.iter().map(ToString::to_string);
    leaf.dns.iter().cloned().chain(ips).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_api_server_is_good_for_what_kubeadm_says_and_what_the_spec_adds() {
    let (plan, problems) = with(&[]);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        names(leaf(&plan, "cp1", "apiserver")),
        "api.prod.example cp1 kubernetes kubernetes.default kubernetes.default.svc \
         kubernetes.default.svc.cluster.local 10.96.0.1 192.0.2.6"
    );
    let edits = [
        ("endpoint: api.prod.example:6443", "endpoint: 192.0.2.100:6443\n  clusterDomain: k8s.example"),
        ("[10.96.0.0/12]", "[10.96.0.0/12, \"fd00:96::/112\"]"),
        ("pki: {}", "pki: {certificates: {apiserver: {sans: [192.0.2.6, \"*.prod.example\"]}}}"),
        (
            "apiAddress: 192.0.2.6",
            "apiAddress: 192.0.2.6\n    certificates: {apiserver: {sans: [own.example, \"fd00::7\"]}}",
        ),
    ];
    let (plan, problems) = with(&edits);
    let lacks = |host| {
        format!("warning hosts.{host}.addresses: {host} has no address of IPv6, which services have too")
    };
    assert_eq!(problems, ["cp1", "cp2", "cp3"].map(lacks));
    assert_eq!(
        names(leaf(&plan, "cp1", "apiserver")),
        "*.prod.example cp1 kubernetes kubernetes.default kubernetes.default.svc \
         kubernetes.default.svc.k8s.example own.example 10.96.0.1 fd00:96::1 192.0.2.6 192.0.2.100 fd00::7"
    );
    assert!(!names(leaf(&plan, "cp2", "apiserver")).contains("own.example"));
    assert_eq!(names(leaf(&plan, "w1", "kubelet-serving")), "w1 192.0.2.9 fd00::9");
}

/// k/k#138958, and the feature gate `ControlPlaneKubeletLocalMode`.
#[test]
fn releases_differ() {
    let cases = [
        ("1.29.3", Some("kubeadm:cluster-admins"), "https://api.prod.example:6443"),
        ("1.32.1", Some("kubeadm:cluster-admins"), "https://api.prod.example:6443"),
        ("1.33.0", Some("kubeadm:cluster-admins"), "https://192.0.2.6:6443"),
        ("1.36.0", Some("kubeadm:cluster-admins"), "https://192.0.2.6:6443"),
        ("1.36.1", None, "https://192.0.2.6:6443"),
    ];
    for (version, group, server) in cases {
        let (plan, _) = with(&[("version: 1.36.2", &format!("version: {version}"))]);
        let client = leaf(&plan, "cp1", "apiserver-kubelet-client");
        assert_eq!(client.subject.first().map(|(_, text)| text.as_str()), group, "{version}");
        assert_eq!(leaf(&plan, "cp1", "kubelet").server.as_deref(), Some(server), "{version}");
        let worker = leaf(&plan, "w1", "kubelet").server.as_deref();
        assert_eq!(worker, Some("https://api.prod.example:6443"), "{version}");
        let own = leaf(&plan, "cp1", "scheduler").server.as_deref();
        assert_eq!(own, Some("https://192.0.2.6:6443"), "{version}");
    }
}

#[test]
fn one_control_plane_is_the_first() {
    let holders = |plan: &Plan| -> Vec<String> {
        let holds = |host: &&crate::plan::HostPlan| {
            host.files.iter().any(|file| file.path == "/etc/kubernetes/super-admin.conf")
        };
        plan.hosts.values().filter(holds).map(|host| host.name.clone()).collect()
    };
    assert_eq!(holders(&with(&[]).0), ["cp1"]);
    let other = [("endpoint:", "firstControlPlane: cp2\n  endpoint:")];
    assert_eq!(holders(&with(&other).0), ["cp2"]);
    let running = [("endpoint:", "initialized: true\n  endpoint:")];
    assert_eq!(holders(&with(&running).0), Vec::<String>::new());
}

/// What leads to the API servers: virtual addresses, and names and addresses of somebody else's balancer.
const LED: (&str, &str) = (
    "loadBalancers: [{kind: external}]",
    "loadBalancers:
  - {kind: keepalived, on: control-plane, vips: [192.0.2.100, 192.0.2.101], interface: eth0, virtualRouterId: 1}
  - {kind: external, names: [lb.example, api.prod.example], addresses: [203.0.113.1, \"fd00::1\"]}",
);

#[test]
fn what_leads_to_the_api_server_is_in_its_certificate() {
    let (plan, problems) = with(&[LED]);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        names(leaf(&plan, "cp1", "apiserver")),
        "api.prod.example cp1 kubernetes kubernetes.default kubernetes.default.svc \
         kubernetes.default.svc.cluster.local lb.example 10.96.0.1 192.0.2.6 192.0.2.100 192.0.2.101 203.0.113.1 \
         fd00::1"
    );
    // kubeadm would make the same, and adds the endpoint itself
    let told = |plan: &Plan| {
        let kubeadm = plan.hosts.iter().next().unwrap().1.kubeadm.as_ref().unwrap();
        let kind = |map: &serde_json::Map<_, serde_json::Value>| map["kind"] == "ClusterConfiguration";
        let document = kubeadm.documents.iter().find(|document| kind(document.map())).unwrap();
        document.map()["apiServer"]["certSANs"].clone()
    };
    let more = serde_json::json!(["lb.example", "192.0.2.100", "192.0.2.101", "203.0.113.1", "fd00::1"]);
    assert_eq!(told(&plan), more);
    let virtual_one = ("api.prod.example:6443", "192.0.2.101:6443");
    let written = ("pki: {}", "pki: {certificates: {apiserver: {sans: [192.0.2.100, a.example]}}}");
    let (plan, _) = with(&[LED, virtual_one, written]);
    let more = serde_json::json!([
        "192.0.2.100",
        "a.example",
        "api.prod.example",
        "lb.example",
        "203.0.113.1",
        "fd00::1"
    ]);
    assert_eq!(told(&plan), more);
}

/// A host that is a load balancer alone: no kubelet, no certificate, nothing of Kubernetes.
#[test]
fn a_host_of_load_balancers() {
    let host = "hosts:
  lb1:
    addresses: [192.0.2.20]
    roles: [load-balancer]
    recipients: [age1303a6ml9r3y08xzsf8npet9u9gxn76jkamlr9qlv4mpgrkgvcuxqx8a7vm]
";
    let (plan, problems) = with(&[("hosts:\n", host)]);
    assert_eq!(problems, ["warning hosts.lb1.roles[0]: lb1 is a load balancer, and no balancer is on it"]);
    let planned = plan.hosts.iter().find(|(name, _)| name.as_str() == "lb1").unwrap().1;
    assert!(planned.certificates.is_empty() && planned.kubelet.is_none() && planned.kubeadm.is_none());
    let paths: Vec<_> = planned.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/etc/sealift/verify.key"]);
}

#[test]
fn what_does_not_fit_the_table() {
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "pki: {}",
            "pki: {certificates: {admin: {sans: [a.example], subject: {O: x}}, front-proxy-client: {subject: {O: x}}}}",
            &[
                "error pki.certificates.admin.sans: pki.certificates.admin.sans: admin is a client's certificate, and nobody looks for names in it",
                "error pki.certificates.admin.subject.O: pki.certificates.admin.subject.O: the API server would take x for a group of this client",
            ],
        ),
        (
            "pki: {}",
            "pki: {algorithm: ed25519}",
            &[
                "error pki.algorithm: pki.algorithm: service-account keys cannot be Ed25519",
                "error pki.algorithm: pki.algorithm: kubeadm cannot read Ed25519 keys",
            ],
        ),
        (
            "pki: {}",
            "pki: {cas: {etcd: {algorithm: ed25519}}}",
            &["error pki.cas.etcd.algorithm: pki.cas.etcd.algorithm: kubeadm cannot read Ed25519 keys"],
        ),
        (
            "pki: {}",
            "pki: {cas: {etcd: {validity: 1d}}, certificates: {kubelet: {validity: 99y}}}",
            &[
                "warning pki.cas.etcd.validity: pki.cas.etcd.validity: what it issues outlives the etcd CA",
                "warning pki.certificates.kubelet.validity: pki.certificates.kubelet.validity: kubelet outlives the kubernetes CA",
            ],
        ),
        (
            "pki: {}",
            "pki: {caKeysOnHosts: [kubernetes], certificates: {kubelet: {subject: {OU: x}}}}",
            &[
                "error pki.certificates.kubelet.subject: pki.certificates.kubelet.subject: kubelets replace this certificate by one without these fields",
            ],
        ),
        (
            "roles: [worker]",
            "roles: [worker]\n    certificates: {apiserver: {sans: [x.example]}}",
            &[
                "warning hosts.w1.certificates.apiserver: hosts.w1.certificates.apiserver: w1 has no such certificate",
            ],
        ),
    ];
    for (from, to, expected) in cases {
        let (_, mut problems) = with(&[(from, to)]);
        problems.sort();
        let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        expected.sort();
        assert_eq!(problems, expected);
    }
    let static_pods = [
        ("provisioner: kubeadm", "provisioner: static-pods"),
        ("pki: {}", "pki: {algorithm: ed25519, serviceAccount: {algorithm: ecdsa-p384}}"),
    ];
    assert_eq!(with(&static_pods).1, Vec::<String>::new());
}

#[test]
fn validity_subject_and_algorithm_are_each_ones_own() {
    let edits = [(
        "pki: {}",
        "pki:
  algorithm: ecdsa-p384
  validity: {ca: 99y, leaf: 99y}
  cas: {kubernetes: {subject: {C: DE, ST: Hessen, L: Frankfurt, O: Example Bank AG, OU: IT}}}
  certificates:
    apiserver: {validity: 90d, algorithm: ecdsa-p256, subject: {O: Example Bank AG}}",
    )];
    let (plan, problems) = with(&edits);
    assert_eq!(problems, Vec::<String>::new());
    let day = 24 * 60 * 60;
    let (server, client) = (leaf(&plan, "cp1", "apiserver"), leaf(&plan, "cp1", "apiserver-kubelet-client"));
    assert_eq!(server.not_after - plan.cluster.epoch, 90 * day);
    assert_eq!(client.not_after - plan.cluster.epoch, 99 * 365 * day);
    assert_eq!((server.algorithm.label(), client.algorithm.label()), ("ecdsa-p256", "ecdsa-p384"));
    let authority = &plan.cluster.authorities[0].certificates.active;
    let subject: Vec<_> = authority.subject.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(subject, ["DE", "Hessen", "Frankfurt", "Example Bank AG", "IT"]);
}

/// A bundle's inputs are what its host needs: nothing of another host's roles changes them.
#[test]
fn what_a_host_does_not_hold_is_no_input_of_it() {
    let part = |plan: &Plan, name: &str| {
        let host = plan.hosts.iter().find(|(host, _)| host.as_str() == name).unwrap().1;
        serde_json::to_string(&(plan.cluster.of_host(host), host)).unwrap()
    };
    let (before, _) = with(&[]);
    let edits = [(
        "pki: {}",
        "pki: {serviceAccount: {generation: 2}, cas: {front-proxy: {generation: 2}, etcd: {generation: 3}}}
encryptionAtRest: {provider: aescbc}
passwords: {stats: {roles: [control-plane]}}",
    )];
    let (after, problems) = with(&edits);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(part(&before, "w1"), part(&after, "w1"));
    assert_ne!(part(&before, "cp1"), part(&after, "cp1"));
    assert!(!part(&after, "w1").contains("etcd-ca"));
}

#[test]
fn rotations_keep_both_and_change_no_leaf_before_the_new_one_signs() {
    let spec = |step: &str| {
        let pki = format!("pki: {{cas: {{kubernetes: {{generation: 4, rotation: {step}}}}}}}");
        with(&[("pki: {}", &pki)]).0
    };
    let versions = |plan: &Plan| -> Vec<String> {
        plan.cluster.authorities[0].certificates.all().map(|version| version.generation.clone()).collect()
    };
    let (stage, promote, retire) = (spec("stage"), spec("promote"), spec("retire"));
    assert_eq!(versions(&stage), ["3", "4"]);
    assert_eq!(versions(&promote), ["4", "3"]);
    assert_eq!(versions(&retire), ["4"]);
    let generation = |plan: &Plan| leaf(plan, "w1", "kubelet").generation.clone();
    assert_eq!(generation(&stage), "1,3,1");
    assert_eq!(generation(&promote), "1,4,1");
    assert_eq!(generation(&retire), "1,4,1");
    let rotations = |plan: &Plan, host: &str| {
        plan.hosts.iter().find(|(name, _)| name.as_str() == host).unwrap().1.rotations.len()
    };
    assert_eq!((rotations(&stage, "w1"), rotations(&stage, "cp1")), (1, 1));
    assert_eq!(stage.operator.rotations.len(), 1);
}
