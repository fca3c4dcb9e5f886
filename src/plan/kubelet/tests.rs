//! Configurations and flags of nodes without kubeadm.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use crate::plan::fields::{Configuration, check};
use crate::plan::{Facts, HostPlan, Plan, plan};
use crate::spec;
use serde_json::{Value, json};

const CLUSTER: &str = include_str!("../tests/cluster.yaml");

/// The cluster without kubeadm, with some texts replaced.
fn with(edits: &[(&str, &str)]) -> Plan {
    let mut text = CLUSTER.replacen("provisioner: kubeadm", "provisioner: static-pods", 1);
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let loaded = spec::load(&text);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert!(!problems.iter().any(spec::Problem::is_error), "{problems:?}");
    plan
}

fn host<'p>(plan: &'p Plan, name: &str) -> &'p HostPlan {
    plan.hosts.iter().find(|(host, _)| host.as_str() == name).unwrap().1
}

fn configuration(plan: &Plan, name: &str) -> Value {
    let kubelet = host(plan, name).kubelet.as_ref().unwrap();
    Value::Object(kubelet.node.as_ref().unwrap().configuration.map().clone())
}

fn arguments(plan: &Plan, name: &str) -> Vec<String> {
    host(plan, name).kubelet.as_ref().unwrap().arguments.clone()
}

#[test]
fn a_worker_with_certificates() {
    let plan = with(&[]);
    assert_eq!(
        configuration(&plan, "w1"),
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": false},
                "webhook": {"enabled": true},
                "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "systemd",
            "clusterDNS": ["10.96.0.10"],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": "unix:///var/run/containerd/containerd.sock",
            "healthzBindAddress": "127.0.0.1",
            "healthzPort": 10248,
            "rotateCertificates": false,
            "staticPodPath": "/etc/kubernetes/manifests",
            "tlsCertFile": "/var/lib/kubelet/pki/kubelet.crt",
            "tlsPrivateKeyFile": "/var/lib/kubelet/pki/kubelet.key",
        })
    );
    assert_eq!(arguments(&plan, "w1"), ["--hostname-override=w1", "--node-ip=192.0.2.9"]);
    let mut control_plane = configuration(&plan, "w1");
    let taint = json!([{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]);
    control_plane["registerWithTaints"] = taint;
    assert_eq!(configuration(&plan, "cp1"), control_plane);
}

#[test]
fn what_the_spec_says() {
    let plan = with(&[
        (
            "  serviceSubnets: [10.96.0.0/12]",
            "  serviceSubnets: [10.96.0.0/12, \"fd00:96::/112\"]
  clusterDomain: k8s.example
  cgroupV1: true
  featureGates: {NodeSwap: true}
  untaintControlPlanes: true",
        ),
        (
            "    roles: [worker]",
            "    roles: [worker]
    os: flatcar
    labels: {rack: r1, node-restriction.kubernetes.io/x: y, topology.kubernetes.io/zone: a}
    taints: [{key: a, value: b, effect: NoExecute}]
    kubelet:
      cgroupDriver: cgroupfs
      extraArgs: {v: 4, image-credential-provider-config: /etc/a b}
      environment: {GODEBUG: x}
      config: {maxPods: 250, authentication: {webhook: {cacheTTL: 1m}}, healthzPort: null}",
        ),
        ("pki: {}", "pki: {}\ncontainerRuntime: {kind: cri-o}"),
    ]);
    let kubelet = host(&plan, "w1").kubelet.as_ref().unwrap();
    assert_eq!(kubelet.program, "/opt/bin/kubelet");
    assert_eq!(kubelet.gate.program, "/opt/bin/sealift");
    assert_eq!(kubelet.environment.as_ref().map(|own| own.file), Some("/etc/default/kubelet"));
    assert_eq!(
        kubelet.arguments,
        [
            "--hostname-override=w1",
            "--image-credential-provider-config=/etc/a b",
            "--node-ip=192.0.2.9,fd00::9",
            "--node-labels=rack=r1,topology.kubernetes.io/zone=a",
            "--v=4",
        ]
    );
    let found = configuration(&plan, "w1");
    let of = |names: &[&str]| names.iter().map(|name| found[*name].clone()).collect::<Vec<_>>();
    assert_eq!(
        of(&["cgroupDriver", "clusterDNS", "clusterDomain", "containerRuntimeEndpoint", "failCgroupV1"]),
        [
            json!("cgroupfs"),
            json!(["10.96.0.10"]),
            json!("k8s.example"),
            json!("unix:///var/run/crio/crio.sock"),
            json!(false),
        ]
    );
    assert_eq!(
        of(&["featureGates", "maxPods", "healthzPort", "registerWithTaints", "volumePluginDir"]),
        [
            json!({"NodeSwap": true}),
            json!(250),
            Value::Null,
            json!([{"effect": "NoExecute", "key": "a", "value": "b"}]),
            json!("/opt/libexec/kubernetes/kubelet-plugins/volume/exec/"),
        ]
    );
    let authentication = json!({
        "anonymous": {"enabled": false},
        "webhook": {"cacheTTL": "1m", "enabled": true},
        "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
    });
    assert_eq!(found["authentication"], authentication);
    assert_eq!(configuration(&plan, "cp1")["registerWithTaints"], Value::Null);
}

#[test]
fn with_a_token_the_cluster_signs() {
    let plan = with(&[
        ("  endpoint:", "  join: token\n  bootstrapTokens: {b: {}, a: {}}\n  endpoint:"),
        ("pki: {}", "pki: {caKeysOnHosts: [kubernetes]}"),
    ]);
    let bootstrap = host(&plan, "w1").bootstrap().unwrap();
    assert_eq!((bootstrap.token.as_str(), bootstrap.server.as_str()), ("a", "https://api.prod.example:6443"));
    // from 1.33 on a control plane's kubelet speaks to its own API server
    assert_eq!(host(&plan, "cp2").bootstrap().unwrap().server, "https://192.0.2.7:6443");
    assert_eq!(host(&plan, "cp1").bootstrap(), None);
    let (worker, first) = (configuration(&plan, "w1"), configuration(&plan, "cp1"));
    assert_eq!((&worker["rotateCertificates"], &worker["tlsCertFile"]), (&json!(true), &Value::Null));
    assert_eq!(
        (&first["rotateCertificates"], &first["tlsCertFile"]),
        (&json!(false), &json!("/var/lib/kubelet/pki/kubelet.crt"))
    );
}

/// Every release knows every field; flags and fields that a release lacks are not there.
#[test]
fn each_release_reads_it() {
    for minor in 29..=36 {
        let version = format!("version: 1.{minor}.1");
        let plan = with(&[("version: 1.36.2", &version), ("  endpoint:", "  cgroupV1: true\n  endpoint:")]);
        for name in ["cp1", "w1"] {
            let mut found = configuration(&plan, name);
            // the check is of what a spec says, which does not say these
            for header in ["apiVersion", "kind"] {
                found.as_object_mut().unwrap().remove(header);
            }
            let problems = check(Configuration::Kubelet, minor, &found, &spec::Path::root());
            assert_eq!(problems, [], "1.{minor} {name}");
            assert_eq!(found.get("failCgroupV1").is_some(), minor >= 35);
            let pause =
                arguments(&plan, name).iter().any(|flag| flag.starts_with("--pod-infra-container-image="));
            assert_eq!(pause, minor <= 34);
        }
    }
}

#[test]
fn what_breaks_or_opens_a_node_is_told() {
    let config = "kubelet:
  config:
    staticPodPath: /srv/pods
    authentication: {anonymous: {enabled: true}, x509: {clientCAFile: /srv/ca.crt}}
    authorization: {mode: AlwaysAllow}
roles: {etcd: {kubelet: {config: {authorization: {mode: AlwaysAllow}}}}}
hosts:
";
    let loaded = spec::load(&CLUSTER.replacen("hosts:\n", config, 1));
    let (_, problems) = plan(&loaded.spec, &Facts::default());
    let told: Vec<_> = problems.iter().map(|one| format!("{} {}", one.severity.name(), one.path)).collect();
    assert_eq!(
        told,
        [
            "error kubelet.config.staticPodPath",
            "warning kubelet.config.authentication.anonymous.enabled",
            "warning kubelet.config.authentication.x509.clientCAFile",
            "warning kubelet.config.authorization.mode",
        ]
    );
}
