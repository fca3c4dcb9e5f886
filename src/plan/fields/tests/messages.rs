//! What is said of wrong configurations, whole.

use super::{at, check, told};
use crate::plan::fields::Configuration::{Cluster, Init, Join, KubeProxy, Kubelet};
use crate::plan::fields::notation::{is_duration, is_quantity};
use crate::spec::Path;
use serde_json::json;

const NONE: [&str; 0] = [];

#[test]
fn a_misspelt_field() {
    assert_eq!(at(Kubelet, 36, "maxPod: 200"), NONE);
}

#[test]
fn an_unknown_field_among_few_and_among_many() {
    assert_eq!(at(Kubelet, 36, "memorySwap: {limit: 1Gi}"), NONE);
    assert_eq!(at(Kubelet, 36, "evictionSoftLimits: {}"), NONE);
    assert_eq!(at(Kubelet, 36, "swap: true"), NONE);
    assert_eq!(at(Kubelet, 36, "xyz: true"), NONE);
    assert_eq!(at(Join, 36, "discovery: {bootstrapToken: {caCertHash: []}}"), NONE);
    // one that is written already cannot have been meant
    assert_eq!(at(KubeProxy, 36, "conntrack: {min: 1, mim: 2}"), NONE);
}

#[test]
fn a_field_of_another_release() {
    assert_eq!(at(Kubelet, 35, "tlsCurvePreferences: [29]"), NONE);
    assert_eq!(at(Kubelet, 35, "memoryReservationPolicy: None"), NONE);
    assert_eq!(at(Cluster, 34, "etcd: {external: {httpEndpoints: []}}"), NONE);
    assert_eq!(at(Cluster, 30, "dns: {disabled: true}"), NONE);
    assert_eq!(at(Cluster, 31, "apiServer: {timeoutForControlPlane: 4m}"), NONE);
    assert_eq!(at(Join, 36, "discovery: {timeout: 5m}"), NONE);
}

#[test]
fn a_field_whose_type_changed() {
    assert_eq!(at(Cluster, 31, "apiServer: {extraArgs: {v: '2'}}"), NONE);
    assert_eq!(at(Init, 30, "nodeRegistration: {kubeletExtraArgs: [{name: v, value: '2'}]}"), NONE);
    assert_eq!(at(Cluster, 36, "scheduler: {extraArgs: v=2}"), NONE);
}

#[test]
fn wrong_types() {
    let text = "
maxPods: many
port: '10250'
podsPerCore: 1.5
registerNode: 'yes'
seccompDefault: 'true'
clusterDNS: 10.96.0.10
authentication: []
evictionHard: {memory.available: 100}
address: true
podCIDR: [10.0.0.0/8]
syncFrequency: 10
tlsCipherSuites: [null]
memoryThrottlingFactor: '0.9'
";
    assert_eq!(at(Kubelet, 36, text), NONE);
    assert_eq!(told(&check(Kubelet, 36, &json!([]), &Path::root().key("config"))), NONE);
    assert_eq!(told(&check(Kubelet, 36, &json!(null), &Path::root())), NONE);
}

#[test]
fn wrong_values() {
    let text = "
port: 70000
maxPods: -1
oomScoreAdj: 99999999999999999999
syncFrequency: 10 seconds
evictionSoftGracePeriod: {memory.available: 1d}
reservedMemory: [{numaNode: 0, limits: {memory: 1GB}}]
cgroupDriver: systmd
topologyManagerPolicy: strict
memorySwap: {swapBehavior: UnlimitedSwap}
logging: {flushFrequency: soon}
";
    assert_eq!(at(Kubelet, 36, text), NONE);
    assert_eq!(at(Kubelet, 31, "enforceNodeAllocatable: [pods, kube-reserved-compressible]"), NONE);
    assert_eq!(at(Cluster, 33, "encryptionAlgorithm: ECDSA-P384"), NONE);
    assert_eq!(at(Cluster, 34, "encryptionAlgorithm: ECDSA-P384"), NONE);
    assert_eq!(at(KubeProxy, 36, "mode: IPVS"), NONE);
    assert_eq!(at(Kubelet, 29, "memorySwap: {swapBehavior: UnlimitedSwap}"), NONE);
}

#[test]
fn null_and_the_empty_word_are_the_default() {
    assert_eq!(at(Kubelet, 36, "{maxPods: null, cgroupDriver: '', authentication: null}"), NONE);
}

#[test]
fn what_sealift_writes() {
    let text = "{apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, maxPods: 1}";
    assert_eq!(at(Kubelet, 36, text), NONE);
}

#[test]
fn a_secret_is_never_shown() {
    let value = json!({
        "certificateKey": 987_654_321,
        "bootstrapTokens": [{"token": ["QQQQ"]}, {"token": {"QQQQ": 1}}],
    });
    let problems = check(Init, 36, &value, &Path::root());
    assert!(problems.iter().all(|problem| problem.secret));
    assert_eq!(told(&problems), NONE);
    let header = json!({"staticPodURLHeader": {"Authorization": [987_654_321]}});
    let problems = check(Kubelet, 36, &header, &Path::root());
    assert!(problems.iter().all(|problem| problem.secret));
    assert_eq!(told(&problems), NONE);
}

#[test]
fn durations_are_those_of_go() {
    for text in
        ["0", "-0", "0s", "10s", "1h30m", "1.5h", ".5s", "1.s", "-1m", "+1m", "3µs", "3μs", "1ns2us3ms"]
    {
        assert!(is_duration(text), "{text}");
    }
    for text in ["", "+", "-", "10", "s", ".s", "1d", "1h30", "1 h", "1..5s", "1e3s", "h1", "9999999h", "∞s"]
    {
        assert!(!is_duration(text), "{text}");
    }
}

#[test]
fn quantities_are_those_of_kubernetes() {
    for text in ["0", "1", "-1", "0.5", ".5", "5.", "500m", "1Gi", "100k", "1e3", "1E3", "1e-3", "1E", "2Ei"]
    {
        assert!(is_quantity(text), "{text}");
    }
    for text in ["", ".", "-", "Gi", "1GB", "1 Gi", "1K", "1e", "1e+", "1..2", "0x10", "10%"] {
        assert!(!is_quantity(text), "{text}");
    }
}
