//! What stays checked of the files that kubeadm writes.

use super::kubernetes;
use std::collections::BTreeMap;

/// Fields of a file on a host, with some texts of the spec replaced.
fn fields(edits: &[(&str, &str)], host: &str, path: &str) -> BTreeMap<String, String> {
    let (plan, _) = kubernetes::with(edits);
    let (_, host) = plan.hosts.iter().find(|(name, _)| name.as_str() == host).unwrap();
    let file = host.files.iter().find(|file| file.path == path).unwrap();
    file.fields.as_ref().map(|fields| fields.values.clone()).unwrap_or_default()
}

fn with(of: &BTreeMap<String, String>, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    of.clone().into_iter().chain(changes).collect()
}

#[test]
fn a_kubelet_is_as_kubeadm_writes_it_and_the_spec_says() {
    const CONFIG: &str = "/var/lib/kubelet/config.yaml";
    let plain = fields(&[], "cp1", CONFIG);
    let expected = [
        ("authentication.anonymous.enabled", "false"),
        ("authentication.webhook.enabled", "true"),
        ("authentication.x509.clientCAFile", "/etc/kubernetes/pki/ca.crt"),
        ("authorization.mode", "Webhook"),
        ("readOnlyPort", ""),
        ("staticPodPath", "/etc/kubernetes/manifests"),
        ("staticPodURL", ""),
    ];
    assert_eq!(plain, with(&BTreeMap::new(), &expected));
    assert_eq!(fields(&[], "w1", CONFIG), plain);
    let told = "pki: {}\nkubelet: {config: {readOnlyPort: 10255, authentication: {anonymous: {enabled: true}, \
                x509: null}}}\npatches: {/var/lib/kubelet/config.yaml: {authorization: {mode: AlwaysAllow}}}";
    let changed = [
        ("authentication.anonymous.enabled", "true"),
        ("authentication.x509.clientCAFile", ""),
        ("authorization.mode", "AlwaysAllow"),
        ("readOnlyPort", "10255"),
    ];
    assert_eq!(fields(&[("pki: {}", told)], "w1", CONFIG), with(&plain, &changed));
}

#[test]
fn flags_of_a_kubelet_are_the_specs_alone() {
    const FLAGS: &str = "/var/lib/kubelet/kubeadm-flags.env";
    let plain = fields(&[], "w1", FLAGS);
    assert_eq!(plain.len(), 11);
    assert!(plain.values().all(String::is_empty));
    let told = "pki: {}\nkubelet: {extraArgs: {v: 4, anonymous-auth: \"true\"}}";
    for version in ["1.30.14", "1.36.2"] {
        let edits = [("pki: {}", told), ("version: 1.36.2", &format!("version: {version}"))];
        assert_eq!(fields(&edits, "w1", FLAGS), with(&plain, &[("anonymous-auth", "true")]), "{version}");
    }
}
