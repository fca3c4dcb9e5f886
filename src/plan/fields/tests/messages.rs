//! What is said of wrong configurations, whole.

use super::{at, check, told};
use crate::plan::fields::Configuration::{Cluster, Init, Join, KubeProxy, Kubelet};
use crate::plan::fields::notation::{is_duration, is_quantity};
use crate::spec::Path;
use serde_json::json;

const NONE: [&str; 0] = [];

#[test]
fn a_misspelt_field() {
    assert_eq!(
        at(Kubelet, 36, "maxPod: 200"),
        ["config.maxPod | unknown field `maxPod` in config | did you mean `maxPods`?"]
    );
}

#[test]
fn an_unknown_field_among_few_and_among_many() {
    assert_eq!(
        at(Kubelet, 36, "memorySwap: {limit: 1Gi}"),
        ["config.memorySwap.limit | unknown field `limit` in config.memorySwap | known here: `swapBehavior`"]
    );
    assert_eq!(
        at(Kubelet, 36, "evictionSoftLimits: {}"),
        [
            "config.evictionSoftLimits | unknown field `evictionSoftLimits` in config | did you mean `evictionSoft`?"
        ]
    );
    assert_eq!(
        at(Kubelet, 36, "swap: true"),
        [
            "config.swap | unknown field `swap` in config | known here and like it: `failSwapOn` and `memorySwap`"
        ]
    );
    assert_eq!(
        at(Kubelet, 36, "xyz: true"),
        ["config.xyz | unknown field `xyz` in config | remove it: no field here has a name like it"]
    );
    assert_eq!(
        at(Join, 36, "discovery: {bootstrapToken: {caCertHash: []}}"),
        [
            "config.discovery.bootstrapToken.caCertHash | unknown field `caCertHash` in config.discovery.bootstrapToken | did you mean `caCertHashes`?"
        ]
    );
    assert_eq!(
        at(Kubelet, 36, "reservedCPUs: '0'"),
        [
            "config.reservedCPUs | unknown field `reservedCPUs` in config | known here and like it: `reservedSystemCPUs`, `reservedMemory`, `kubeReservedCgroup` and `systemReservedCgroup`"
        ]
    );
    assert_eq!(
        at(Cluster, 36, "kubeletConfiguration: {}"),
        [
            "config.kubeletConfiguration | unknown field `kubeletConfiguration` in config | remove it: no field here has a name like it"
        ]
    );
    // one that is written already cannot have been meant
    assert_eq!(
        at(KubeProxy, 36, "conntrack: {min: 1, mim: 2}"),
        [
            "config.conntrack.mim | unknown field `mim` in config.conntrack | known here: `maxPerCore`, `min`, `tcpBeLiberal`, `tcpCloseWaitTimeout`, `tcpEstablishedTimeout`, `udpStreamTimeout` and `udpTimeout`"
        ]
    );
}

#[test]
fn a_field_of_another_release() {
    assert_eq!(
        at(Kubelet, 35, "tlsCurvePreferences: [29]"),
        [
            "config.tlsCurvePreferences | KubeletConfiguration of 1.35 has no `tlsCurvePreferences` in config; it came with 1.36 | remove it, or change `kubernetes.version`"
        ]
    );
    assert_eq!(
        at(Kubelet, 35, "memoryReservationPolicy: None"),
        [
            "config.memoryReservationPolicy | KubeletConfiguration of 1.35 has no `memoryReservationPolicy` in config; it came with 1.36 | remove it, or change `kubernetes.version`"
        ]
    );
    assert_eq!(
        at(Cluster, 34, "etcd: {external: {httpEndpoints: []}}"),
        [
            "config.etcd.external.httpEndpoints | ClusterConfiguration of 1.34 has no `httpEndpoints` in config.etcd.external; it came with 1.35 | remove it, or change `kubernetes.version`"
        ]
    );
    assert_eq!(
        at(Cluster, 30, "dns: {disabled: true}"),
        [
            "config.dns.disabled | ClusterConfiguration of 1.30 has no `disabled` in config.dns; it came with 1.31 | remove it, or change `kubernetes.version`"
        ]
    );
    assert_eq!(
        at(Cluster, 31, "apiServer: {timeoutForControlPlane: 4m}"),
        [
            "config.apiServer.timeoutForControlPlane | ClusterConfiguration of 1.31 has no `timeoutForControlPlane` in config.apiServer; it was last in 1.30 | write `InitConfiguration.timeouts.controlPlaneComponentHealthCheck` instead"
        ]
    );
    assert_eq!(
        at(Join, 36, "discovery: {timeout: 5m}"),
        [
            "config.discovery.timeout | JoinConfiguration of 1.36 has no `timeout` in config.discovery; it was last in 1.30 | write `timeouts.discovery` instead"
        ]
    );
}

#[test]
fn a_field_whose_type_changed() {
    assert_eq!(
        at(Cluster, 31, "apiServer: {extraArgs: {v: '2'}}"),
        [
            "config.apiServer.extraArgs | config.apiServer.extraArgs: expected a list, found a mapping | a mapping up to 1.30, a list from 1.31 on"
        ]
    );
    assert_eq!(
        at(Init, 30, "nodeRegistration: {kubeletExtraArgs: [{name: v, value: '2'}]}"),
        [
            "config.nodeRegistration.kubeletExtraArgs | config.nodeRegistration.kubeletExtraArgs: expected a mapping, found a list | a mapping up to 1.30, a list from 1.31 on"
        ]
    );
    assert_eq!(
        at(Cluster, 36, "scheduler: {extraArgs: v=2}"),
        [
            r#"config.scheduler.extraArgs | config.scheduler.extraArgs: expected a list, found a string, "v=2" | write it as [a, b], or with `- ` before each item"#
        ]
    );
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
    assert_eq!(
        at(Kubelet, 36, text),
        [
            r#"config.address | config.address: expected a string, found a boolean, true | put it in quotes: "true""#,
            "config.authentication | config.authentication: expected a mapping, found a list | write `key: value` lines below it",
            r#"config.clusterDNS | config.clusterDNS: expected a list, found a string, "10.96.0.10" | write it as [a, b], or with `- ` before each item"#,
            r#"config.evictionHard."memory.available" | config.evictionHard."memory.available": expected a string, found a number, 100 | put it in quotes: "100""#,
            r#"config.maxPods | config.maxPods: expected a whole number, found a string, "many" | write decimal digits alone"#,
            r#"config.memoryThrottlingFactor | config.memoryThrottlingFactor: expected a number, found a string, "0.9" | remove the quotes"#,
            "config.podCIDR | config.podCIDR: expected a string, found a list | write a single value",
            "config.podsPerCore | config.podsPerCore: expected a whole number, found a number, 1.5 | write decimal digits alone",
            r#"config.port | config.port: expected a whole number, found a string, "10250" | remove the quotes"#,
            r#"config.registerNode | config.registerNode: expected a boolean, found a string, "yes" | write true or false"#,
            r#"config.seccompDefault | config.seccompDefault: expected a boolean, found a string, "true" | remove the quotes"#,
            "config.syncFrequency | config.syncFrequency: expected a duration, found a number, 10 | write it with its unit, such as 10s or 1h30m",
            "config.tlsCipherSuites[0] | config.tlsCipherSuites[0]: expected a string, found nothing | write a value, or remove the key"
        ]
    );
    assert_eq!(
        told(&check(Kubelet, 36, &json!([]), &Path::root().key("config"))),
        ["config | config: expected a mapping, found a list | write `key: value` lines below it"]
    );
    assert_eq!(
        told(&check(Kubelet, 36, &json!(null), &Path::root())),
        [" | the spec: expected a mapping, found nothing | write a value, or remove the key"]
    );
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
    assert_eq!(
        at(Kubelet, 36, text),
        [
            "config.cgroupDriver | config.cgroupDriver: `systmd` is not known | did you mean `systemd`?",
            r#"config.evictionSoftGracePeriod."memory.available" | config.evictionSoftGracePeriod."memory.available": `1d` is not a Go duration | write numbers with h, m, s or ms after each, such as 1h30m"#,
            "config.logging.flushFrequency | config.logging.flushFrequency: `soon` is not a Go duration | write numbers with h, m, s or ms after each, such as 1h30m",
            "config.maxPods | config.maxPods: `-1` is not a whole number from 0 to 2147483647 | write a number within these bounds",
            "config.memorySwap.swapBehavior | config.memorySwap.swapBehavior: `UnlimitedSwap` is not known in 1.36; it was last in 1.29 | did you mean `LimitedSwap`?",
            "config.oomScoreAdj | config.oomScoreAdj: expected a whole number, found a number, 1e+20 | write decimal digits alone",
            "config.port | config.port: `70000` is not a whole number from 0 to 65535 | write a number within these bounds",
            "config.reservedMemory[0].limits.memory | config.reservedMemory[0].limits.memory: `1GB` is not a quantity | write a number, with m, k, M, G, Ki, Mi or Gi after it where needed",
            "config.syncFrequency | config.syncFrequency: `10 seconds` is not a Go duration | write numbers with h, m, s or ms after each, such as 1h30m",
            "config.topologyManagerPolicy | config.topologyManagerPolicy: `strict` is not known | write `none`, `best-effort`, `restricted` or `single-numa-node`"
        ]
    );
    assert_eq!(
        at(Kubelet, 31, "enforceNodeAllocatable: [pods, kube-reserved-compressible]"),
        [
            "config.enforceNodeAllocatable[1] | config.enforceNodeAllocatable[1]: `kube-reserved-compressible` is not known in 1.31; it came with 1.32 | write `none`, `pods`, `system-reserved` or `kube-reserved`"
        ]
    );
    assert_eq!(
        at(Cluster, 33, "encryptionAlgorithm: ECDSA-P384"),
        [
            "config.encryptionAlgorithm | config.encryptionAlgorithm: `ECDSA-P384` is not known in 1.33; it came with 1.34 | did you mean `ECDSA-P256`?"
        ]
    );
    assert_eq!(at(Cluster, 34, "encryptionAlgorithm: ECDSA-P384"), NONE);
    assert_eq!(
        at(KubeProxy, 36, "mode: IPVS"),
        ["config.mode | config.mode: `IPVS` is not known | did you mean `ipvs`?"]
    );
    assert_eq!(at(Kubelet, 29, "memorySwap: {swapBehavior: UnlimitedSwap}"), NONE);
}

#[test]
fn null_and_the_empty_word_are_the_default() {
    assert_eq!(at(Kubelet, 36, "{maxPods: null, cgroupDriver: '', authentication: null}"), NONE);
}

#[test]
fn what_sealift_writes() {
    let text = "{apiVersion: kubelet.config.k8s.io/v1beta1, kind: KubeletConfiguration, maxPods: 1}";
    assert_eq!(
        at(Kubelet, 36, text),
        [
            "config.apiVersion | `apiVersion` in config is written by sealift | remove it",
            "config.kind | `kind` in config is written by sealift | remove it"
        ]
    );
}

#[test]
fn a_secret_is_never_shown() {
    let value = json!({
        "certificateKey": 987_654_321,
        "bootstrapTokens": [{"token": ["QQQQ"]}, {"token": {"QQQQ": 1}}],
    });
    let problems = check(Init, 36, &value, &Path::root());
    assert!(problems.iter().all(|problem| problem.secret));
    assert_eq!(
        told(&problems),
        [
            "bootstrapTokens[0].token | bootstrapTokens[0].token: expected a string, found a list | write a single value",
            "bootstrapTokens[1].token | bootstrapTokens[1].token: expected a string, found a mapping | write a single value",
            "certificateKey | certificateKey: expected a string, found a number | put it in quotes"
        ]
    );
    let header = json!({"staticPodURLHeader": {"Authorization": [987_654_321]}});
    let problems = check(Kubelet, 36, &header, &Path::root());
    assert!(problems.iter().all(|problem| problem.secret));
    assert_eq!(
        told(&problems),
        [
            "staticPodURLHeader.Authorization[0] | staticPodURLHeader.Authorization[0]: expected a string, found a number | put it in quotes"
        ]
    );
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
