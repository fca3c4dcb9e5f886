#![allow(clippy::disallowed_methods, reason = "tests prepare the hosts that they look at")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::testkit::{
    CA, COMMA_CERT, CURRENT, NODE, NODE_CERT, OTHER_CA, SERVER, base64, digest, expected, fields_of,
    kubeconfig, placed, rewritten,
};
use super::{Difference, differences, on_host, unknown};
use crate::bundle::manifest::Fields;
use crate::host::testkit::{CERT, Host, KEY};
use std::fs;
use std::os::unix::fs::symlink;

/// `expected | found` of each difference, on a host.
fn on(host: &Host, fields: &Fields, text: &str) -> Vec<String> {
    let root = host.root();
    let named = |path: &str, link| on_host(&root, path, link);
    let line = |it: Difference| format!("{} | {}", it.expected, it.found);
    differences(fields, text.as_bytes(), &named).into_iter().map(line).collect()
}

fn of(text: &str) -> Vec<String> {
    on(&Host::new(), &expected(SERVER, CA), text)
}

const CLEAN: [&str; 0] = [];

#[test]
fn flags_of_a_kubelet_however_they_are_written() {
    let fields = fields_of("kubelet-flags", &[("anonymous-auth", ""), ("authorization-mode", "Webhook")]);
    assert_eq!(unknown(&fields), None);
    let check = |text: &str| on(&Host::new(), &fields, text);
    let mode = "--authorization-mode=Webhook";
    assert_eq!(check(&format!("KUBELET_KUBEADM_ARGS=\"--v=4 {mode}\"\n")), CLEAN);
    assert_eq!(check(&format!("# a\nKUBELET_KUBEADM_ARGS={mode}\nA=--b\n")), CLEAN);
    let opened = ["anonymous-auth: absent | anonymous-auth: true"];
    for flag in [
        "--anonymous-auth=true",
        "--anonymous-auth",
        "--anonymous-auth true",
        "--anonymous_auth=true",
        "'--anonymous-auth=true'",
        "--anon\\\\ymous-auth=true",
    ] {
        assert_eq!(check(&format!("KUBELET_KUBEADM_ARGS=\"{mode} {flag}\"")), opened, "{flag}");
        assert_eq!(check(&format!("X={mode}\nKUBELET_EXTRA_ARGS=\"a\" \"b {flag}\"")), opened, "{flag}");
    }
    assert_eq!(
        check("KUBELET_CONFIG_ARGS=\nKUBELET_KUBEADM_ARGS='--anonymous-auth= --authorization-mode=\u{1b}'"),
        [
            "anonymous-auth: absent | anonymous-auth: there, and empty",
            "authorization-mode: Webhook | authorization-mode: \u{fffd}",
            "no KUBELET_CONFIG_ARGS | KUBELET_CONFIG_ARGS",
        ]
    );
    let twice = format!("A='{mode} {mode}'");
    let said = "authorization-mode: Webhook | authorization-mode: Webhook,Webhook";
    assert_eq!(check(&twice), [said]);
}

#[test]
fn what_sealift_places_holds() {
    assert_eq!(of(&placed(SERVER, CA)), CLEAN);
}

#[test]
fn each_field_is_found() {
    let server = format!("server: {SERVER} | server: https://evil:6443");
    let ca = format!("certificateAuthority: {} | certificateAuthority: {}", digest(CA), digest(OTHER_CA));
    assert_eq!(of(&placed("https://evil:6443", CA)), [server.as_str()]);
    assert_eq!(of(&placed(SERVER, OTHER_CA)), [ca.as_str()]);
    let user = |text: &str| of(&kubeconfig(SERVER, CA, text));
    let data = |cert: &str| format!("client-certificate-data: {}", base64(cert));
    let subject = |found: &str| [format!("subject: {NODE} | subject: {found}")];
    assert_eq!(user(&data(CERT)), subject("CN=infra0"));
    assert_eq!(user("{}"), subject("absent"));
    assert_eq!(user(&data("none")), subject("no certificate with a plain subject"));
    // Printed alike, but another name.
    assert_eq!(user(&data(COMMA_CERT)), subject("no certificate with a plain subject"));
    assert_eq!(
        user("client-certificate-data: '%'"),
        subject("users[0].user.client-certificate-data is not base64")
    );
    assert_eq!(user("client-certificate: [a]"), subject("users[0].user.client-certificate is not a text"));
    let all = kubeconfig("https://evil:6443", OTHER_CA, &data(CERT));
    assert_eq!(of(&all), [&[ca, server][..], &subject("CN=infra0")].concat());
}

#[test]
fn what_would_undo_the_fields_is_found() {
    let placed = placed(SERVER, CA);
    for (member, value, refused) in [
        ("insecure-skip-tls-verify", "true", true),
        ("insecure-skip-tls-verify", "false", false),
        ("tls-server-name", "other", true),
        ("proxy-url", "http://other", true),
        ("disable-compression", "true", false),
        ("extensions", "[]", false),
    ] {
        let text = placed.replace("    server:", &format!("    {member}: {value}\n    server:"));
        let found = if refused { vec![format!("no {member} | {member}")] } else { Vec::new() };
        assert_eq!(of(&text), found, "{member}");
    }
    for (member, value, refused) in [
        ("token", "secret-4711", true),
        ("exec", "{command: x}", true),
        ("as", "x", true),
        ("as-uid", "''", false),
    ] {
        let text =
            placed.replace("    client-key-data:", &format!("    {member}: {value}\n    client-key-data:"));
        let found = if refused { vec![format!("no {member} | {member}")] } else { Vec::new() };
        assert_eq!(of(&text), found, "{member}");
    }
}

#[test]
fn the_current_context_counts() {
    let text = placed(SERVER, CA);
    // Another cluster beside it changes nothing, unless it is the one in use.
    let other = "- cluster: {server: 'https://evil:6443'}\n  name: other\n";
    let beside = text.replace("contexts:", &format!("{other}contexts:"));
    assert_eq!(of(&beside), CLEAN);
    let absent = format!("certificateAuthority: {} | certificateAuthority: absent", digest(CA));
    let server = format!("server: {SERVER} | server: https://evil:6443");
    assert_eq!(of(&beside.replace("cluster: prod", "cluster: other")), [absent, server]);
    for (from, to, found) in [
        ("current-context: node@prod", "", "no current-context"),
        (
            "current-context: node@prod",
            "current-context: x",
            "a current-context without an entry in contexts",
        ),
        ("user: node", "user: x", "a current-context without an entry in users"),
        ("cluster: prod", "cluster: x", "a current-context without an entry in clusters"),
        ("contexts:", "- cluster: {}\n  name: prod\ncontexts:", "two of the same name in clusters"),
        ("kind: Config", "kind: Pod", "another kind of file"),
        ("apiVersion: v1", "apiVersion: v2", "another kind of file"),
        ("apiVersion: v1", "a: [", "text that is not YAML in line 2"),
        ("apiVersion: v1", "kind: Config", "a key that stands twice in line 13"),
    ] {
        assert_eq!(of(&text.replace(from, to)), [format!("a kubeconfig | {found}")], "{to}");
    }
    assert_eq!(of(""), ["a kubeconfig | nothing"]);
}

#[test]
fn files_that_a_kubeconfig_names() {
    let text = rewritten(SERVER, CA);
    let pki = "/var/lib/kubelet/pki";
    let subject = |found: &str| vec![format!("subject: {NODE} | subject: {found}")];
    let is_link = subject(&format!("{CURRENT} is a symbolic link"));
    let pair = format!("{NODE_CERT}{KEY}");
    // The kubelet writes the absolute path (client-go's certificate store).
    let targets = [
        (format!("{pki}/kubelet-client-2026.pem"), Vec::new()),
        ("kubelet-client-2026.pem".to_owned(), Vec::new()),
        ("./kubelet-client-2026.pem".to_owned(), is_link.clone()),
        (format!("{pki}/../pki/kubelet-client-2026.pem"), is_link.clone()),
        ("/etc/kubelet-client-2026.pem".to_owned(), is_link.clone()),
        ("../../../../etc/kubelet-client-2026.pem".to_owned(), is_link.clone()),
        ("/".to_owned(), is_link.clone()),
        ("none".to_owned(), subject(&format!("{pki}/none does not exist"))),
        ("second".to_owned(), subject(&format!("{pki}/second is a symbolic link, not a regular file"))),
    ];
    for (target, found) in targets {
        let host = Host::new();
        host.write(&format!("{pki}/kubelet-client-2026.pem"), pair.as_bytes());
        host.write("/etc/kubelet-client-2026.pem", pair.as_bytes());
        symlink("kubelet-client-2026.pem", host.path(&format!("{pki}/second"))).unwrap();
        symlink(&target, host.path(CURRENT)).unwrap();
        assert_eq!(on(&host, &expected(SERVER, CA), &text), found, "{target}");
    }
    let host = Host::new();
    assert_eq!(on(&host, &expected(SERVER, CA), &text), subject("/var does not exist"));
    host.write(CURRENT, NODE_CERT.as_bytes());
    assert_eq!(on(&host, &expected(SERVER, CA), &text), CLEAN);
    let relative = text.replace(CURRENT, "kubelet-client-current.pem");
    let not_plain = "a file whose path is not plain and absolute";
    assert_eq!(on(&host, &expected(SERVER, CA), &relative), subject(not_plain));
    fs::rename(host.path(pki), host.path("/pki")).unwrap();
    symlink("/pki", host.path(pki)).unwrap();
    assert_eq!(on(&host, &expected(SERVER, CA), &text), subject(&format!("{pki} is a symbolic link")));
}

#[test]
fn authorities_by_path_follow_no_link_and_show_no_digest_of_a_secret() {
    let data = format!("certificate-authority-data: {}", base64(CA));
    let text = placed(SERVER, CA).replace(&data, "certificate-authority: /etc/ca.crt");
    let host = Host::new();
    host.write("/etc/real.crt", CA.as_bytes());
    symlink("real.crt", host.path("/etc/ca.crt")).unwrap();
    let ca = |found: &str| [format!("certificateAuthority: {} | certificateAuthority: {found}", digest(CA))];
    let link = "/etc/ca.crt is a symbolic link, not a regular file";
    assert_eq!(on(&host, &expected(SERVER, CA), &text), ca(link));
    fs::remove_file(host.path("/etc/ca.crt")).unwrap();
    host.write("/etc/ca.crt", CA.as_bytes());
    assert_eq!(on(&host, &expected(SERVER, CA), &text), CLEAN);
    for secret in ["password", KEY, &format!("{CA}{KEY}")] {
        host.write("/etc/ca.crt", secret.as_bytes());
        assert_eq!(on(&host, &expected(SERVER, CA), &text), ca("something else than certificates"));
    }
    // Embedded data wins, as in clientcmd.
    let both = text.replace("    server:", &format!("    {data}\n    server:"));
    assert_eq!(on(&host, &expected(SERVER, CA), &both), CLEAN);
}

#[test]
fn members_of_a_kubelet_configuration() {
    let fields = fields_of(
        "kubelet-configuration",
        &[
            ("authentication.anonymous.enabled", "false"),
            ("authentication.x509.clientCAFile", "/etc/kubernetes/pki/ca.crt"),
            ("authorization.mode", "Webhook"),
            ("staticPodPath", "/etc/kubernetes/manifests"),
            ("staticPodURL", ""),
        ],
    );
    let text = "kind: KubeletConfiguration\nauthentication:\n  anonymous: {enabled: false}\n  x509:\n    \
                clientCAFile: /etc/kubernetes/pki/ca.crt\nauthorization: {mode: Webhook}\n\
                staticPodPath: \"/etc/kubernetes/manifests\"\nstaticPodURL: \"\"\nmaxPods: 5\n";
    let host = Host::new();
    assert_eq!(on(&host, &fields, text), CLEAN);
    assert_eq!(on(&host, &fields, &text.replace("staticPodURL: \"\"\n", "")), CLEAN);
    for (from, to, found) in [
        (
            "enabled: false",
            "enabled: true",
            "authentication.anonymous.enabled: false | authentication.anonymous.enabled: true",
        ),
        (
            "{enabled: false}",
            "no",
            "authentication.anonymous.enabled: false | authentication.anonymous.enabled: a value that is no mapping on the way",
        ),
        ("{mode: Webhook}", "{}", "authorization.mode: Webhook | authorization.mode: absent"),
        (
            "mode: Webhook",
            "mode: [Webhook]",
            "authorization.mode: Webhook | authorization.mode: a list or mapping",
        ),
        ("URL: \"\"", "URL: \"http://x\\e[2J\"", "staticPodURL: absent | staticPodURL: http://x\u{fffd}[2J"),
        ("kind: Kubelet", "kind: Kube", "a KubeletConfiguration | another kind of file"),
    ] {
        assert_eq!(on(&host, &fields, &text.replace(from, to)), [found], "{to}");
    }
    let long = text.replace("URL: \"\"", &format!("URL: {}", "x".repeat(300)));
    assert_eq!(
        on(&host, &fields, &long),
        [format!("staticPodURL: absent | staticPodURL: {}…", "x".repeat(200))]
    );
}

#[test]
fn formats_and_fields_of_another_sealift() {
    assert_eq!(unknown(&expected(SERVER, CA)), None);
    assert_eq!(unknown(&fields_of("kubelet-configuration", &[("a.b2", "")])), None);
    for (format, name, found) in [
        ("kubeconfig", "token", "field token of format kubeconfig"),
        ("other", "server", "format other"),
        ("kubelet-configuration", "a..b", "field a..b of format kubelet-configuration"),
    ] {
        assert_eq!(unknown(&fields_of(format, &[(name, "")])).as_deref(), Some(found));
    }
    let other = fields_of("other", &[("a", "")]);
    assert_eq!(on(&Host::new(), &other, "a: b"), ["a format that this sealift reads | other"]);
}

proptest::proptest! {
    /// Whatever a component writes in the place of a part, nothing panics, and a value that is not
    /// the expected one is never taken for it.
    #[test]
    fn no_other_server_passes(server in "[ -~]{0,40}", at in 0_usize..400, bytes: Vec<u8>) {
        let text = placed(SERVER, CA).replace(SERVER, &server);
        proptest::prop_assert!(server.trim() == SERVER || !of(&text).is_empty());
        let mut damaged = placed(SERVER, CA).into_bytes();
        let end = (at + bytes.len()).min(damaged.len());
        damaged.splice(at..end, bytes);
        let named = |_: &str, _| Ok(None);
        let _ = differences(&expected(SERVER, CA), &damaged, &named);
    }
}
