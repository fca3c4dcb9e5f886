//! What settings of the spec become in the pods.

use crate::support::example::replaced;
use crate::support::opened::machine;
use crate::support::stacked::spec;
use crate::{ANNOTATION, manifests};

/// The lines of a manifest that begin so, without the spaces before them.
fn lines<'a>(manifest: &'a str, start: &str) -> Vec<&'a str> {
    manifest
        .lines()
        .map(|line| line.trim_start().trim_start_matches("- "))
        .filter(|line| line.starts_with(start))
        .collect()
}

/// Several hosts, of these addresses: `cp` with or without a member, and members alone.
fn cluster(kubernetes: &str, rest: &str, stacked: bool, addresses: [&str; 3]) -> String {
    let text = spec("1.36.2", "static-pods", kubernetes, rest);
    let (head, _) = text.split_once("hosts:\n").unwrap();
    let roles = if stacked { "control-plane, etcd" } else { "control-plane" };
    let host = |number: u8, name: &str, roles: &str| {
        let address = addresses[usize::from(number)];
        let recipient = machine(number).to_public();
        format!("  {name}: {{addresses: [\"{address}\"], roles: [{roles}], recipients: [{recipient}]}}\n")
    };
    let mut hosts = host(0, "cp1", roles);
    for (number, name) in [(1, "e2"), (2, "e3")] {
        hosts += &host(number, name, if stacked { roles } else { "etcd" });
    }
    format!("{head}hosts:\n{hosts}")
}

const FOUR: [&str; 3] = ["10.0.0.6", "10.0.0.7", "10.0.0.8"];
const SIX: [&str; 3] = ["fd00::6", "fd00::7", "fd00::8"];

#[test]
fn external_members_are_all_named_and_no_pod_of_etcd_is_here() {
    let found = manifests(&cluster("", "", false, FOUR), "cp1");
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    );
    assert_eq!(
        lines(&found["kube-apiserver"], "--etcd-servers"),
        ["--etcd-servers=https://10.0.0.7:2379,https://10.0.0.8:2379"]
    );
    assert!(manifests(&cluster("", "", false, FOUR), "e2").is_empty(), "a member alone has its own manifest");
}

#[test]
fn stacked_members_start_together_and_each_api_server_asks_its_own() {
    let found = manifests(&cluster("", "", true, FOUR), "e2");
    assert_eq!(lines(&found["kube-apiserver"], "--etcd-servers"), ["--etcd-servers=https://127.0.0.1:2379"]);
    let etcd = &found["etcd"];
    assert_eq!(
        [lines(etcd, "--initial"), lines(etcd, "--listen"), lines(etcd, "--name")].concat(),
        [
            "--initial-advertise-peer-urls=https://10.0.0.7:2380",
            "--initial-cluster=cp1=https://10.0.0.6:2380,e2=https://10.0.0.7:2380,e3=https://10.0.0.8:2380",
            "--initial-cluster-state=new",
            "--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.7:2379",
            "--listen-metrics-urls=http://127.0.0.1:2381",
            "--listen-peer-urls=https://10.0.0.7:2380",
            "--name=e2",
        ]
    );
}

#[test]
fn ipv6_stands_in_brackets_where_a_port_follows() {
    let subnets = "  serviceSubnets: [\"fd00:96::/112\", 10.96.0.0/12]\n  apiPort: 8443\n";
    let text = cluster(subnets, "", true, SIX);
    let text = replaced(&text, "[10.244.0.0/16]", "[\"fd00:244::/56\", 10.244.0.0/16]");
    let found = manifests(&text, "cp1");
    let apiserver = &found["kube-apiserver"];
    for (start, line) in [
        ("--advertise", "--advertise-address=fd00::6"),
        ("--etcd-servers", "--etcd-servers=https://[::1]:2379"),
        ("--secure-port", "--secure-port=8443"),
        ("--service-cluster", "--service-cluster-ip-range=fd00:96::/112,10.96.0.0/12"),
        ("kubeadm.", "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: \"[fd00::6]:8443\""),
        ("containerPort", "containerPort: 8443"),
    ] {
        assert_eq!(lines(apiserver, start), [line]);
    }
    assert_eq!(lines(apiserver, "host:"), ["host: fd00::6"; 3]);
    let manager = &found["kube-controller-manager"];
    assert_eq!(lines(manager, "--cluster-cidr"), ["--cluster-cidr=fd00:244::/56,10.244.0.0/16"]);
    assert_eq!(lines(&found["etcd"], "--listen-m"), ["--listen-metrics-urls=http://[::1]:2381"]);
    assert_eq!(lines(&found["etcd"], "host:"), ["host: \"::1\""; 3]);
}

#[test]
fn node_masks_of_two_families_have_names_of_their_own() {
    let mask = |kubernetes: &str, pods: &str| -> Vec<String> {
        let text = replaced(&spec("1.36.2", "static-pods", kubernetes, ""), "[10.244.0.0/16]", pods);
        let found = manifests(&text, "cp1");
        lines(&found["kube-controller-manager"], "--node-cidr").iter().map(ToString::to_string).collect()
    };
    let services = "  serviceSubnets: [10.96.0.0/12, \"fd00:96::/112\"]\n";
    let both = format!("{services}  nodeCidrMask: {{ipv4: 25, ipv6: 72}}\n");
    assert_eq!(
        mask(&both, "[10.244.0.0/16, \"fd00:244::/56\"]"),
        ["--node-cidr-mask-size-ipv4=25", "--node-cidr-mask-size-ipv6=72"]
    );
    assert_eq!(mask("  nodeCidrMask: {ipv4: 25}\n", "[10.244.0.0/16]"), ["--node-cidr-mask-size=25"]);
}

/// Without the CA's key the controller manager gets empty names, as kubeadm's external-CA mode has it.
#[test]
fn the_signer_has_a_key_or_nothing() {
    let signer = |rest: &str| {
        let found = manifests(&spec("1.36.2", "static-pods", "", rest), "cp1");
        lines(&found["kube-controller-manager"], "--cluster-signing").join(" ")
    };
    assert_eq!(signer(""), "--cluster-signing-cert-file= --cluster-signing-key-file=");
    assert_eq!(
        signer("pki: {caKeysOnHosts: [kubernetes]}\n"),
        "--cluster-signing-cert-file=/etc/kubernetes/pki/ca-signing.crt \
         --cluster-signing-key-file=/etc/kubernetes/pki/ca.key"
    );
}

#[test]
fn the_spec_has_the_last_word() {
    let kubernetes = "  featureGates: {Foo: true, Bar: false}
  apiServer:
    extraArgs: {allow-privileged: false, service-account-issuer: [https://a.example, https://b.example], authorization-config: /etc/x.yaml}
    extraEnvs: {GOGC: \"50\"}
    extraVolumes: {ca-certs: {hostPath: /opt/certs, mountPath: /etc/ssl/certs, writable: true}}
  controllerManager: {extraArgs: {bind-address: 0.0.0.0}}
  scheduler: {extraArgs: {bind-address: 192.0.2.1}}
";
    let found = manifests(&spec("1.36.2", "static-pods", kubernetes, ""), "cp1");
    let apiserver = &found["kube-apiserver"];
    for (start, expected) in [
        ("--allow", &["--allow-privileged=false"][..]),
        ("--authorization", &["--authorization-config=/etc/x.yaml"]),
        ("--feature", &["--feature-gates=Bar=false,Foo=true"]),
        (
            "--service-account-issuer",
            &["--service-account-issuer=https://a.example", "--service-account-issuer=https://b.example"],
        ),
        ("path: /opt", &["path: /opt/certs"]),
        ("name: GOGC", &["name: GOGC"]),
        ("value:", &["value: \"50\""]),
    ] {
        assert_eq!(lines(apiserver, start), expected);
    }
    let mounted = "    - mountPath: /etc/ssl/certs\n      name: ca-certs\n    - mountPath";
    assert!(apiserver.contains(mounted), "writable, and once:\n{apiserver}");
    assert!(!apiserver.contains("path: /opt/certs\n      type"), "what it is was not said");
    // a program that listens everywhere is asked at the pod's own address
    assert_eq!(lines(&found["kube-controller-manager"], "host:"), [""; 0]);
    assert_eq!(lines(&found["kube-scheduler"], "host:"), ["host: 192.0.2.1"; 3]);
}

/// Certificates of the system and volume plugins lie where the distribution has them.
#[test]
fn distributions_have_their_paths() {
    let of = |version: &str, os: &str| {
        let rest = format!("os: {os}\n");
        manifests(&spec(version, "static-pods", "", &rest), "cp1").remove("kube-controller-manager").unwrap()
    };
    let mounts = |manifest: &str| -> Vec<String> {
        lines(manifest, "mountPath: ")
            .iter()
            .filter(|line| !line.contains("/etc/kubernetes/"))
            .map(|line| line["mountPath: ".len()..].to_owned())
            .collect()
    };
    assert_eq!(
        mounts(&of("1.36.2", "debian")),
        [
            "/etc/ssl/certs",
            "/etc/ca-certificates",
            "/usr/local/share/ca-certificates",
            "/usr/share/ca-certificates"
        ]
    );
    assert_eq!(mounts(&of("1.36.2", "rhel")), ["/etc/ssl/certs", "/etc/pki/ca-trust", "/etc/pki/tls/certs"]);
    assert_eq!(mounts(&of("1.36.2", "flatcar")), ["/etc/ssl/certs", "/usr/share/ca-certificates"]);
    let plugins = "/opt/libexec/kubernetes/kubelet-plugins/volume/exec/";
    assert!(mounts(&of("1.35.0", "flatcar")).contains(&plugins.to_owned()));
    let flag = format!("--flex-volume-plugin-dir={plugins}");
    assert_eq!(lines(&of("1.35.0", "flatcar"), "--flex"), [flag.as_str()]);
    assert_eq!(lines(&of("1.35.0", "rhel"), "--flex"), [""; 0]);
}

/// A hostile value is still one argument.
#[test]
fn no_value_adds_a_line() {
    let plain = manifests(&spec("1.36.2", "static-pods", "", ""), "cp1");
    let hostile = "a: b #c \\\"- x'{{ y }}";
    let kubernetes = format!("  apiServer: {{extraArgs: {{v: \"{hostile}\"}}}}\n");
    let found = manifests(&spec("1.36.2", "static-pods", &kubernetes, ""), "cp1");
    let found = &found["kube-apiserver"];
    assert_eq!(found.lines().count(), plain["kube-apiserver"].lines().count() + 1);
    let value = sealift::spec::yaml::document(found).unwrap();
    let command = value.pointer("/spec/containers/0/command").unwrap().as_array().unwrap();
    assert_eq!(command.last().unwrap(), &format!("--v={}", hostile.replace("\\\"", "\"")));
    assert!(found.contains(ANNOTATION));
}
