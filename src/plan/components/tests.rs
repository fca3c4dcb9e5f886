#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::{Component, Extras, extras};
use crate::spec;
use serde_json::{Value, json};

const CLUSTER: &str = include_str!("../tests/cluster.yaml");

/// What a component is told of the cluster with some texts replaced.
fn told(component: Component, edits: &[(&str, &str)]) -> Value {
    let mut text = CLUSTER.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let loaded = spec::load(&text);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    serde_json::to_value(extras(&loaded.spec, component)).unwrap()
}

/// With this below `kubernetes`.
fn kubernetes(component: Component, settings: &str) -> Value {
    told(component, &[("  endpoint:", &format!("{settings}  endpoint:"))])
}

fn none() -> Value {
    serde_json::to_value(Extras::default()).unwrap()
}

fn args(args: &Value) -> Value {
    json!({"args": args, "volumes": [], "envs": {}})
}

#[test]
fn nothing_beyond_kubeadms_defaults() {
    for component in Component::ALL {
        assert_eq!(told(component, &[]), none());
    }
}

#[test]
fn gates_are_for_all() {
    for component in Component::ALL {
        let gates = "  featureGates: {NodeSwap: false, AnyVolumeDataSource: true}\n";
        let expected = args(&json!({"feature-gates": ["AnyVolumeDataSource=true,NodeSwap=false"]}));
        assert_eq!(kubernetes(component, gates), expected);
    }
}

#[test]
fn encryption_is_the_api_servers() {
    let edits = [("pki: {}", "pki: {}\nencryptionAtRest: {provider: secretbox}")];
    let [apiserver, others @ ..] = Component::ALL;
    let expected =
        args(&json!({"encryption-provider-config": ["/etc/kubernetes/pki/encryption-config.yaml"]}));
    assert_eq!(told(apiserver, &edits), expected);
    assert_eq!(others.map(|component| told(component, &edits)), [none(), none()]);
}

fn directory() -> Value {
    json!({
        "name": "apiserver-config",
        "hostPath": "/etc/kubernetes/apiserver",
        "mountPath": "/etc/kubernetes/apiserver",
        "readOnly": true,
        "pathType": "Directory",
    })
}

fn log(path: &str) -> Value {
    json!({
        "name": "audit-log",
        "hostPath": path,
        "mountPath": path,
        "readOnly": false,
        "pathType": "DirectoryOrCreate",
    })
}

#[test]
fn an_audit_log() {
    let policy = "policy: {rules: [{level: Metadata}]}";
    let of = |settings: &str| {
        kubernetes(Component::KubeApiserver, &format!("  apiServer: {{audit: {{{policy}{settings}}}}}\n"))
    };
    let expected = |path: &str, directory_of_log: &str, numbers: [&str; 3]| {
        let [age, backups, size] = numbers;
        json!({
            "args": {
                "audit-log-maxage": [age],
                "audit-log-maxbackup": [backups],
                "audit-log-maxsize": [size],
                "audit-log-path": [path],
                "audit-policy-file": ["/etc/kubernetes/apiserver/audit-policy.yaml"],
            },
            "volumes": [directory(), log(directory_of_log)],
            "envs": {},
        })
    };
    let default = "/var/log/kubernetes/audit/audit.log";
    assert_eq!(of(""), expected(default, "/var/log/kubernetes/audit", ["30", "10", "100"]));
    assert_eq!(
        of(", log: /srv/audit/api.log, maxAge: 1, maxBackups: 2, maxSize: 3"),
        expected("/srv/audit/api.log", "/srv/audit", ["1", "2", "3"])
    );
}

#[test]
fn tokens_of_others() {
    let least = "  apiServer: {oidc: {issuerUrl: https://id.example, clientId: k8s}}\n";
    let expected = args(&json!({"oidc-client-id": ["k8s"], "oidc-issuer-url": ["https://id.example"]}));
    assert_eq!(kubernetes(Component::KubeApiserver, least), expected);
    let all = "  apiServer:
    oidc:
      issuerUrl: https://id.example
      clientId: k8s
      usernameClaim: email
      usernamePrefix: \"oidc:\"
      groupsClaim: groups
      groupsPrefix: \"g:\"
      ca: |
        -----BEGIN CERTIFICATE-----
        MIIBjDCCARKgAwIBAgIBGjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MB4X
        DTI2MTExOTIzNTUwMFoXDTM2MTExNjIzNTUwMFowDzENMAsGA1UEAwwEcm9vdDB2
        MBAGByqGSM49AgEGBSuBBAAiA2IABMlEVdqAY9n8gJaLEVdsr9iwhW2ruO6lZb46
        NoLAXex9BavLCcw2P6+0cDy88WIEqfHBbvvbo7mE6GoJ4TpPENT/8J4Xz0ke+24O
        ioefRtzprqYch1MrEqi+DyzmbxdYgaNCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNV
        HQ8BAf8EBAMCAqQwHQYDVR0OBBYEFDYyd75hLRySTG9k4yIzl8fVskziMAoGCCqG
        SM49BAMCA2gAMGUCMQDi4ZYzuEC9WQHBBYZzeLFQT6IgDSg+pC6Mcrzg1AitAm4V
        YE9rCXhHcRB0YeYZUiECMCe3y15gNRD/ZvJJ+bSpvk0DEyZHjbBGs9FTzM+CyXzz
        0v6Qw5W/lTeWIPIlw81qsw==
        -----END CERTIFICATE-----
";
    let expected = json!({
        "args": {
            "oidc-ca-file": ["/etc/kubernetes/apiserver/oidc-ca.crt"],
            "oidc-client-id": ["k8s"],
            "oidc-groups-claim": ["groups"],
            "oidc-groups-prefix": ["g:"],
            "oidc-issuer-url": ["https://id.example"],
            "oidc-username-claim": ["email"],
            "oidc-username-prefix": ["oidc:"],
        },
        "volumes": [directory()],
        "envs": {},
    });
    assert_eq!(kubernetes(Component::KubeApiserver, all), expected);
}

#[test]
fn configuration_files() {
    let settings = "  apiServer:
    authentication: {apiVersion: apiserver.config.k8s.io/v1, kind: AuthenticationConfiguration}
    admission: {apiVersion: apiserver.config.k8s.io/v1, kind: AdmissionConfiguration}
";
    let expected = json!({
        "args": {
            "admission-control-config-file": ["/etc/kubernetes/apiserver/admission.yaml"],
            "authentication-config": ["/etc/kubernetes/apiserver/authentication.yaml"],
        },
        "volumes": [directory()],
        "envs": {},
    });
    assert_eq!(kubernetes(Component::KubeApiserver, settings), expected);
}

#[test]
fn what_the_controller_manager_signs_with() {
    let edits = [("pki: {}", "pki: {caKeysOnHosts: [kubernetes]}")];
    let expected = args(&json!({"cluster-signing-cert-file": ["/etc/kubernetes/pki/ca-signing.crt"]}));
    assert_eq!(told(Component::KubeControllerManager, &edits), expected);
    assert_eq!(told(Component::KubeApiserver, &edits), none());
}

/// The controller manager refuses the flags of both families without two ranges, and the flag of one
/// with two (`nodeipamcontroller.go`).
#[test]
fn masks_of_nodes() {
    for (settings, expected) in [
        ("podSubnets: [10.244.0.0/16]\n  nodeCidrMask: {ipv4: 25}", json!({"node-cidr-mask-size": ["25"]})),
        (
            "podSubnets: [\"fd00:10::/64\"]\n  nodeCidrMask: {ipv6: 72}",
            json!({"node-cidr-mask-size": ["72"]}),
        ),
        (
            "podSubnets: [10.244.0.0/16, \"fd00:10::/64\"]\n  nodeCidrMask: {ipv4: 25, ipv6: 72}",
            json!({"node-cidr-mask-size-ipv4": ["25"], "node-cidr-mask-size-ipv6": ["72"]}),
        ),
        (
            "podSubnets: [10.244.0.0/16, \"fd00:10::/64\"]\n  nodeCidrMask: {ipv6: 72}",
            json!({"node-cidr-mask-size-ipv6": ["72"]}),
        ),
        ("podSubnets: [10.244.0.0/16]\n  nodeCidrMask: {ipv6: 72}", json!({})),
        ("podSubnets: []\n  nodeCidrMask: {ipv4: 25}", json!({})),
    ] {
        let planned = kubernetes(Component::KubeControllerManager, &format!("  {settings}\n"));
        assert_eq!(planned, args(&expected), "{settings}");
    }
}

#[test]
fn how_long_nodes_may_be_silent() {
    let settings = "  controllerManager: {nodeMonitorPeriod: 4s, nodeMonitorGracePeriod: 1m}\n";
    let expected = json!({"node-monitor-grace-period": ["60s"], "node-monitor-period": ["4s"]});
    assert_eq!(kubernetes(Component::KubeControllerManager, settings), args(&expected));
}

#[test]
fn the_specs_own_words_win() {
    let settings = "  proxy: {https: http://proxy.example:3128}
  apiServer:
    audit: {policy: {rules: [{level: Metadata}]}}
    extraArgs: {audit-log-path: \"-\", service-account-issuer: [https://a.example, https://b.example], v: 4}
    extraVolumes:
      audit-log: {hostPath: /srv/audit, mountPath: /audit, writable: true}
      a: {hostPath: /srv/a, pathType: File}
    extraEnvs: {HTTPS_PROXY: http://own.example:3128, GODEBUG: a=1}
";
    let mut planned = kubernetes(Component::KubeApiserver, settings);
    let envs = planned["envs"].as_object_mut().unwrap();
    // the rest of them is the proxy's
    envs.retain(|name, _| ["HTTPS_PROXY", "https_proxy", "GODEBUG"].contains(&name.as_str()));
    let expected = json!({
        "args": {
            "audit-log-maxage": ["30"],
            "audit-log-maxbackup": ["10"],
            "audit-log-maxsize": ["100"],
            "audit-log-path": ["-"],
            "audit-policy-file": ["/etc/kubernetes/apiserver/audit-policy.yaml"],
            "service-account-issuer": ["https://a.example", "https://b.example"],
            "v": ["4"],
        },
        "volumes": [
            {"name": "a", "hostPath": "/srv/a", "mountPath": "/srv/a", "readOnly": true, "pathType": "File"},
            directory(),
            {"name": "audit-log", "hostPath": "/srv/audit", "mountPath": "/audit", "readOnly": false},
        ],
        "envs": {
            "GODEBUG": "a=1",
            "HTTPS_PROXY": "http://own.example:3128",
            "https_proxy": "http://proxy.example:3128",
        },
    });
    assert_eq!(planned, expected);
}

#[test]
fn each_component_has_words_of_its_own() {
    let settings = "  apiServer: {extraArgs: {v: 1}}
  controllerManager: {extraArgs: {v: 2}, extraEnvs: {A: b}}
  scheduler: {extraArgs: {v: 3}, extraVolumes: {x: {hostPath: /x}}}
";
    let volume = json!({"name": "x", "hostPath": "/x", "mountPath": "/x", "readOnly": true});
    let expected = [
        json!({"args": {"v": ["1"]}, "volumes": [], "envs": {}}),
        json!({"args": {"v": ["2"]}, "volumes": [], "envs": {"A": "b"}}),
        json!({"args": {"v": ["3"]}, "volumes": [volume], "envs": {}}),
    ];
    assert_eq!(Component::ALL.map(|component| kubernetes(component, settings)), expected);
}
