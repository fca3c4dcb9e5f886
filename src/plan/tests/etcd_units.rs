//! Members that are units of systemd, and certificates that all members share.

use super::super::{Facts, HostPlan, plan};
use super::kubernetes;
use super::{EXAMPLE, hosts, with};
use crate::spec;

const SERVICE: &str = "run: systemd\n  version: 3.6.8";

/// All problems of the example with this as its `etcd.run` and what stands below it.
fn all_problems(run: &str) -> Vec<String> {
    let text = EXAMPLE.replacen("run: static-pod", run, 1);
    let loaded = spec::load(&text);
    let (_, planned) = plan(&loaded.spec, &Facts::default());
    let line = |problem: &spec::Problem| {
        format!("{} {}: {}", problem.severity.name(), problem.path, problem.message)
    };
    loaded.problems.iter().chain(&planned).map(line).collect()
}

fn settings(host: &HostPlan, name: &str) -> String {
    let settings = host.etcd.as_deref().unwrap().unit_settings();
    settings.iter().find(|setting| setting.name == name).unwrap().value()
}

#[test]
fn listeners_are_its_address_and_loopback_of_its_family() {
    let planned = hosts(&with("run: static-pod", SERVICE));
    assert_eq!(settings(&planned[0], "listen-client-urls"), "https://10.0.0.6:2379,https://127.0.0.1:2379");
    assert_eq!(settings(&planned[0], "listen-metrics-urls"), "http://127.0.0.1:2381");
    let text = EXAMPLE.replacen("run: static-pod", &format!("{SERVICE}\n  plainLoopback: true"), 1);
    let text = text.replacen("[10.0.0.6]", "[\"fd00::6\"]", 1);
    let planned = hosts(&spec::load(&text));
    assert_eq!(settings(&planned[0], "listen-client-urls"), "https://[fd00::6]:2379,http://[::1]:2379");
    assert_eq!(settings(&planned[1], "listen-client-urls"), "https://10.0.0.7:2379,http://127.0.0.1:2379");
    assert_eq!(settings(&planned[0], "listen-metrics-urls"), "http://[::1]:2381");
    assert_eq!(planned[0].etcd.as_deref().unwrap().local_url(), "https://[fd00::6]:2379");
}

/// Without TLS on loopback, an API server beside a member takes the member's own URL.
#[test]
fn api_servers_go_where_tls_is() {
    let servers = |etcd: &str| {
        let run = format!("etcd: {{run: systemd, version: 3.6.8{etcd}}}");
        let edits = [("provisioner: kubeadm", "provisioner: static-pods"), ("etcd: {run: static-pod}", &run)];
        let (plan, problems) = kubernetes::with(&edits);
        let pods = &plan.hosts.values().next().unwrap().pods;
        let flags = pods.iter().flat_map(|pod| &pod.flags);
        (flags.filter(|flag| flag.starts_with("--etcd-servers=")).cloned().collect::<Vec<_>>(), problems)
    };
    assert_eq!(servers(""), (vec!["--etcd-servers=https://127.0.0.1:2379".to_owned()], vec![]));
    let warning = "warning etcd.plainLoopback: etcd.plainLoopback: pods on the network of a member's host reach all of etcd without a password";
    assert_eq!(
        servers(", plainLoopback: true"),
        (vec!["--etcd-servers=https://192.0.2.1:2379".to_owned()], vec![warning.to_owned()])
    );
}

/// No quote means the same to all that read `etcd.env`.
#[test]
fn what_variables_cannot_hold() {
    let args = "\n  extraArgs: {log-rotation-config-json: '{\"maxsize\": 1}'}";
    let message = "error etcd.config: etcd.env cannot hold the value \"{\\\"maxsize\\\": 1}\" of --log-rotation-config-json";
    let problems = |run: &str| {
        let all = all_problems(run).into_iter();
        // the example has settings of kubelets, too
        all.filter(|problem| !problem.starts_with("warning kubelet:")).collect::<Vec<_>>()
    };
    assert_eq!(problems(&format!("{SERVICE}{args}")), [message]);
    assert_eq!(problems(&format!("{SERVICE}{args}\n  config: yaml")), [""; 0]);
    let file = |run: &str| hosts(&with("run: static-pod", run))[0].etcd.clone().unwrap().unit.unwrap().file;
    assert_eq!(file(SERVICE), None);
    let yaml = file(&format!("{SERVICE}{args}\n  config: yaml")).unwrap();
    assert_eq!(yaml.map()["log-rotation-config-json"], "{\"maxsize\": 1}");
    assert_eq!(yaml.map()["client-transport-security"]["client-cert-auth"], true);
    assert_eq!(yaml.map()["watch-progress-notify-interval"], 5_000_000_000_u64);
}

#[test]
fn settings_that_mean_nothing() {
    assert_eq!(
        all_problems(
            "run: static-pod\n  program: /a\n  user: {name: a, uid: 400, gid: 400}\n  config: yaml\n  gate: {run: none}\n  plainLoopback: true"
        ),
        [
            "warning etcd.program: etcd.program means nothing to etcd with `run: static-pod`",
            "warning etcd.user.name: etcd.user.name means nothing to etcd with `run: static-pod`",
            "warning etcd.user.uid: etcd.user.uid means nothing to etcd with `run: static-pod`",
            "warning etcd.user.gid: etcd.user.gid means nothing to etcd with `run: static-pod`",
            "warning etcd.config: etcd.config means nothing to etcd with `run: static-pod`",
            "warning etcd.gate: etcd.gate means nothing to etcd with `run: static-pod`",
            "error etcd.plainLoopback: etcd.plainLoopback: with `run: static-pod` etcd serves TLS on loopback",
        ]
    );
    assert_eq!(
        all_problems("run: systemd"),
        [
            // the example's gate
            "warning kubelet: kubelet means nothing: no kubelet runs there",
            "error etcd.version: which release of etcd the service runs is not known",
        ]
    );
    let unused = format!("{SERVICE}\n  certificates: shared");
    let text = EXAMPLE.replacen("run: static-pod", &unused, 1);
    let text = text.replacen("pki:\n", "pki:\n  certificates: {etcd-peer: {}, etcd-shared: {}}\n", 1);
    let paths =
        |text: &str| spec::load(text).problems.into_iter().map(|problem| problem.path).collect::<Vec<_>>();
    assert_eq!(paths(&text), ["kubelet", "pki.certificates.etcd-peer"]);
    assert_eq!(
        paths(&text.replace("certificates: shared", "certificates: member")),
        ["kubelet", "pki.certificates.etcd-shared"]
    );
}

#[test]
fn one_certificate_is_good_for_every_member_and_no_hosts() {
    for run in [SERVICE, "run: static-pod"] {
        let shared = format!("{run}\n  certificates: shared");
        let text = EXAMPLE.replacen("run: static-pod", &shared, 1);
        let text = text.replacen(
            "  infra1:\n",
            "  infra1:\n    generation: 3\n    seed: 2\n    certificates: {etcd-shared: {sans: [own.example]}}\n",
            1,
        );
        let planned = hosts(&spec::load(&text));
        let leaves: Vec<_> = planned.iter().map(|host| &host.certificates[0]).collect();
        let ids: Vec<_> = planned[0].certificates.iter().map(|leaf| leaf.row.id).collect();
        assert_eq!(ids, ["etcd-shared", "etcd-healthcheck-client"]);
        let text = |leaf: &super::super::CertPlan| serde_json::to_string(leaf).unwrap();
        assert!(leaves.iter().all(|leaf| text(leaf) == text(leaves[0])), "{leaves:?}");
        let leaf = leaves[1];
        assert_eq!(
            (leaf.host.as_deref(), leaf.cn.as_str(), leaf.seed, leaf.generation.as_str()),
            (None, "etcd", 1, "1,1")
        );
        assert_eq!(leaf.dns, ["infra0", "infra1", "infra2", "localhost", "own.example"]);
        let ips: Vec<_> = leaf.ips.iter().map(ToString::to_string).collect();
        assert_eq!(ips, ["10.0.0.6", "10.0.0.7", "10.0.0.8", "127.0.0.1", "::1"]);
        for (flag, end) in
            [("cert-file", "crt"), ("key-file", "key"), ("peer-cert-file", "crt"), ("peer-key-file", "key")]
        {
            assert_eq!(settings(&planned[0], flag), format!("/etc/kubernetes/pki/etcd/etcd.{end}"));
        }
    }
}

/// kubeadm makes the members of control planes, and names each one's files itself.
#[test]
fn kubeadm_knows_no_shared_certificate() {
    let shared = |run: &str| {
        let run = format!("etcd: {{run: {run}, certificates: shared}}");
        kubernetes::with(&[("etcd: {run: static-pod}", &run)]).1
    };
    assert_eq!(
        shared("static-pod"),
        [
            "error etcd.certificates: kubeadm gives each member of etcd on a control plane certificates of its own"
        ]
    );
    assert_eq!(shared("systemd, version: 3.6.8"), [""; 0]);
}
