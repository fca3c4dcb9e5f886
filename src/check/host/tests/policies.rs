//! Files that components rewrite, that are needed once, and that others write.

use super::{PLAIN, found, verify};
use crate::check::fields::testkit::{
    CA, CURRENT, NODE, NODE_CERT, OTHER_CA, SERVER, base64, digest, expected, fields_of, kubeconfig, placed,
    rewritten,
};
use crate::check::record::{HOST_SUMS, MANIFEST};
use crate::finding::{Finding, Id};
use crate::host::testkit::{CERT, Draft, Host, KEY, is_root, options, skip};
use crate::verify_key::VERIFY_KEY_PATH;
use std::fs;
use std::os::unix::fs::{chown, symlink};

const KUBELET: &str = "/etc/kubernetes/kubelet.conf";
const CONFIG: &str = "/var/lib/kubelet/config.yaml";
const ADMIN: &str = "/etc/kubernetes/admin.conf";
const STATE: &str = "/etc/pods/state";
const DIFFERS: &str = "find out who changed it; move it out of the way, then run `sealift install` again with this host's bundle";
const FOREIGN: &str = "set it with chmod or chown, and see which program writes it so";
const KUBELET_CONFIG: &str =
    "kind: KubeletConfiguration\nstaticPodPath: /etc/pods\nauthentication: {anonymous: {enabled: false}}\n";

/// A file of each policy.
fn draft() -> Draft {
    let mut draft = Draft::new();
    draft.initial(KUBELET, &placed(SERVER, CA), expected(SERVER, CA));
    let values =
        [("authentication.anonymous.enabled", "false"), ("staticPodPath", "/etc/pods"), ("staticPodURL", "")];
    draft.initial(CONFIG, KUBELET_CONFIG, fields_of("kubelet-configuration", &values));
    draft.file(CONFIG).sealed = false;
    draft.bootstrap(ADMIN, b"admin 1\n");
    draft.foreign(STATE);
    draft
}

/// The host as it is once kubeadm and the kubelet did their work.
fn in_use() -> Host {
    let (host, _) = Host::with(&draft());
    let dated = "/var/lib/kubelet/pki/kubelet-client-2026.pem";
    host.write(dated, format!("{NODE_CERT}{KEY}").as_bytes());
    symlink(dated, host.path(CURRENT)).unwrap();
    host.write(KUBELET, rewritten(SERVER, CA).as_bytes());
    host.write(CONFIG, format!("{KUBELET_CONFIG}maxPods: 5\n").as_bytes());
    fs::remove_file(host.path(ADMIN)).unwrap();
    host.write(STATE, b"theirs");
    host.chmod(STATE, 0o644);
    host
}

#[test]
fn what_components_did_is_no_drift() {
    assert_eq!(found(&Host::with(&draft()).0), [""; 0]);
    assert_eq!(found(&in_use()), [""; 0]);
}

#[test]
fn drift_of_files_that_are_not_managed() {
    let write = |path: &'static str, text: String| move |host: &Host| host.write(path, text.as_bytes());
    let unlink = |path: &'static str| move |host: &Host| fs::remove_file(host.path(path)).unwrap();
    let relink = |target: &'static str| {
        move |host: &Host| {
            fs::remove_file(host.path(CURRENT)).unwrap();
            symlink(target, host.path(CURRENT)).unwrap();
        }
    };
    let user = |cert: &str| kubeconfig(SERVER, CA, &format!("client-certificate-data: {}", base64(cert)));
    let differs = ["initial-differs /etc/kubernetes/kubelet.conf"].as_slice();
    let config = ["initial-differs /var/lib/kubelet/config.yaml"].as_slice();
    let cases: Vec<(&str, Box<dyn Fn(&Host)>, &[&str])> = vec![
        ("server", Box::new(write(KUBELET, rewritten("https://evil:6443", CA))), differs),
        ("authority", Box::new(write(KUBELET, rewritten(SERVER, OTHER_CA))), differs),
        ("subject", Box::new(write(KUBELET, user(CERT))), differs),
        (
            "no verification",
            Box::new(write(
                KUBELET,
                placed(SERVER, CA).replace("    server", "    insecure-skip-tls-verify: true\n    server"),
            )),
            differs,
        ),
        (
            "a token",
            Box::new(write(
                KUBELET,
                kubeconfig(
                    SERVER,
                    CA,
                    &format!("client-certificate-data: {}\n    token: x", base64(NODE_CERT)),
                ),
            )),
            differs,
        ),
        ("no YAML", Box::new(write(KUBELET, "a: [".into())), differs),
        ("a link out", Box::new(relink("/etc/pki/server.crt")), differs),
        ("a link to nothing", Box::new(relink("none")), differs),
        ("a pod path", Box::new(write(CONFIG, KUBELET_CONFIG.replace("/etc/pods", "/tmp"))), config),
        ("a pod URL", Box::new(write(CONFIG, format!("{KUBELET_CONFIG}staticPodURL: http://x\n"))), config),
        ("anonymous", Box::new(write(CONFIG, KUBELET_CONFIG.replace("false", "true"))), config),
        ("no initial file", Box::new(unlink(KUBELET)), &["file-missing /etc/kubernetes/kubelet.conf"]),
        (
            "its mode",
            Box::new(|host| host.chmod(KUBELET, 0o644)),
            &["mode-mismatch /etc/kubernetes/kubelet.conf"],
        ),
        (
            "a directory",
            Box::new(|host| {
                fs::remove_file(host.path(KUBELET)).unwrap();
                fs::create_dir(host.path(KUBELET)).unwrap();
            }),
            &["type-mismatch /etc/kubernetes/kubelet.conf"],
        ),
        (
            "a large one",
            Box::new(|host| {
                fs::File::options().write(true).open(host.path(CONFIG)).unwrap().set_len(17 << 20).unwrap();
            }),
            config,
        ),
        (
            "a bootstrap file edited",
            Box::new(|host| {
                host.write(ADMIN, b"edited");
                host.chmod(ADMIN, 0o600);
            }),
            &["digest-mismatch /etc/kubernetes/admin.conf"],
        ),
        (
            "a bootstrap file as it was",
            Box::new(|host| {
                host.write(ADMIN, b"admin 1\n");
                host.chmod(ADMIN, 0o600);
            }),
            &[],
        ),
        (
            "a bootstrap file's mode",
            Box::new(|host| {
                host.write(ADMIN, b"admin 1\n");
                host.chmod(ADMIN, 0o640);
            }),
            &["mode-mismatch /etc/kubernetes/admin.conf"],
        ),
        ("a foreign file gone", Box::new(unlink(STATE)), &[]),
        (
            "a foreign file's mode",
            Box::new(|host| host.chmod(STATE, 0o666)),
            &["mode-mismatch /etc/pods/state"],
        ),
        ("a foreign file of a strict umask", Box::new(|host| host.chmod(STATE, 0o600)), &[]),
        (
            "a foreign link",
            Box::new(|host| {
                fs::remove_file(host.path(STATE)).unwrap();
                symlink("etcd.yaml", host.path(STATE)).unwrap();
            }),
            &["type-mismatch /etc/pods/state"],
        ),
        (
            "a stray beside it",
            Box::new(write("/etc/pods/state2", String::new())),
            &["stray-file /etc/pods/state2"],
        ),
    ];
    for (what, change, expected) in cases {
        let host = in_use();
        change(&host);
        assert_eq!(found(&host), expected, "{what}");
    }
}

#[test]
fn each_field_is_a_finding_with_a_way_out() {
    let host = in_use();
    let user = format!("client-certificate-data: {}\n    exec: {{command: /x}}", base64(CERT));
    host.write(KUBELET, kubeconfig("https://evil:6443", OTHER_CA, &user).as_bytes());
    host.chmod(STATE, 0o664);
    let finding = |expected: String, found: String| {
        Finding::new(Id::InitialDiffers, KUBELET, DIFFERS).expected(expected).found(found)
    };
    let ca = |ca| format!("certificateAuthority: {}", digest(ca));
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [
            finding(ca(CA), ca(OTHER_CA)),
            finding(format!("server: {SERVER}"), "server: https://evil:6443".into()),
            finding(format!("subject: {NODE}"), "subject: CN=infra0".into()),
            finding("no exec".into(), "exec".into()),
            Finding::new(Id::ModeMismatch, STATE, FOREIGN).expected("0644").found("0664"),
        ]
    );
}

/// The fields need no key, even when the secrets' digests cannot be checked.
#[test]
fn fields_are_read_without_the_verify_key() {
    let host = in_use();
    fs::remove_file(host.path(VERIFY_KEY_PATH)).unwrap();
    host.write(KUBELET, rewritten("https://evil:6443", CA).as_bytes());
    let missing = format!("file-missing {VERIFY_KEY_PATH}");
    assert_eq!(found(&host), [format!("initial-differs {KUBELET}"), missing]);
}

#[test]
fn no_secret_of_a_rewritten_file_is_shown() {
    let host = in_use();
    let canary = "CANARY-5d41402abc4b2a76";
    let user = format!(
        "client-key-data: {}\n    token: {canary}\n    client-certificate: /{canary}",
        base64(canary)
    );
    host.write(KUBELET, kubeconfig(SERVER, CA, &user).as_bytes());
    let said = format!("{:?}", verify(&host, &PLAIN).findings);
    // The path that it names may be told.
    let said = said.replace(&format!("/{canary} does not exist"), "");
    assert!(said.contains("subject") && !said.contains(canary), "{said}");
    assert!(!said.contains(&base64(canary)), "{said}");
    // Nor the digest of a secret that it names.
    let data = format!("certificate-authority-data: {}", base64(CA));
    host.write(
        KUBELET,
        rewritten(SERVER, CA).replace(&data, &format!("certificate-authority: {VERIFY_KEY_PATH}")).as_bytes(),
    );
    let check = verify(&host, &PLAIN);
    assert_eq!(check.findings.len(), 1);
    let secret = crate::bundle::sums::sha256_hex(&host.read(VERIFY_KEY_PATH));
    assert!(!format!("{check:?}").contains(&secret));
}

/// A foreign file may never come, so it allows no directory above it.
#[test]
fn foreign_files_bring_no_directories() {
    let mut draft = Draft::new();
    draft.foreign("/etc/pods/sub/state");
    let (host, _) = Host::with(&draft);
    assert_eq!(found(&host), [""; 0]);
    host.write("/etc/pods/sub/state", b"");
    assert_eq!(found(&host), ["stray-file /etc/pods/sub"]);
}

/// Its fields hold while it is there; install leaves it as it is, and its findings too.
#[test]
fn a_foreign_file_whose_fields_are_known() {
    let mut draft = Draft::new();
    draft.foreign(CONFIG);
    draft.file(CONFIG).fields = Some(fields_of(
        "kubelet-configuration",
        &[
            ("authentication.anonymous.enabled", "false"),
            ("staticPodPath", "/etc/pods"),
            ("staticPodURL", ""),
        ],
    ));
    let (host, bundle) = Host::with(&draft);
    assert_eq!(found(&host), [""; 0]);
    host.write(CONFIG, format!("{KUBELET_CONFIG}maxPods: 5\n").as_bytes());
    assert_eq!(found(&host), [""; 0]);
    let opened =
        "kind: KubeletConfiguration\nauthentication: {anonymous: {enabled: true}}\nstaticPodURL: http://x\n";
    let mend = "find out who changed it; then let its program write it again: of kubeadm's, \
                `kubeadm upgrade node phase kubelet-config` or `control-plane`, with --patches \
                /etc/kubernetes/patches";
    let finding = |expected: &str, found: &str| {
        Finding::new(Id::ForeignDiffers, CONFIG, mend).expected(expected).found(found)
    };
    let expected = [
        finding("authentication.anonymous.enabled: false", "authentication.anonymous.enabled: true"),
        finding("staticPodPath: /etc/pods", "staticPodPath: absent"),
        finding("staticPodURL: absent", "staticPodURL: http://x"),
    ];
    host.write(CONFIG, opened.as_bytes());
    assert_eq!(verify(&host, &PLAIN).findings, expected);
    host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(host.read(CONFIG), opened.as_bytes());
    assert_eq!(verify(&host, &PLAIN).findings, expected);
    host.write(CONFIG, b"a: [");
    assert_eq!(found(&host), [format!("foreign-differs {CONFIG}")]);
    fs::File::options().write(true).open(host.path(CONFIG)).unwrap().set_len(17 << 20).unwrap();
    assert_eq!(found(&host), [format!("foreign-differs {CONFIG}")]);
}

#[test]
fn owners_of_all_policies() {
    if !is_root() {
        skip("only root can give files away");
        return;
    }
    let host = in_use();
    for path in [KUBELET, STATE] {
        chown(host.path(path), Some(12), Some(34)).unwrap();
    }
    assert_eq!(found(&host), [format!("owner-mismatch {KUBELET}"), format!("owner-mismatch {STATE}")]);
}

#[test]
fn what_install_repairs_and_what_it_leaves() {
    let draft = draft();
    let (host, bundle) = Host::with(&draft);
    host.write(STATE, b"theirs");
    host.chmod(STATE, 0o664);
    host.chmod(KUBELET, 0o644);
    fs::remove_file(host.path(HOST_SUMS)).unwrap();
    host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(found(&host), [format!("mode-mismatch {STATE}")]);
}

/// Its fields are another sealift's: install refuses such a bundle, verify such a record.
#[test]
fn fields_that_this_sealift_does_not_know() {
    let mut draft = Draft::new();
    draft.initial(
        CONFIG,
        KUBELET_CONFIG,
        fields_of("kubelet-configuration", &[("kind", "KubeletConfiguration")]),
    );
    let (host, _) = Host::with(&draft);
    let mut other = draft.clone();
    other.file(CONFIG).fields = Some(fields_of("other", &[("kind", "x")]));
    let other = other.bundle();
    for (path, bytes) in [
        (MANIFEST, other.manifest_bytes()),
        (crate::check::record::SUMS, other.sums()),
        (crate::check::record::SIGNATURE, other.signature()),
    ] {
        host.write(path, bytes);
    }
    let findings = verify(&host, &PLAIN).findings;
    let expected = Finding::new(
        Id::ManifestMalformed,
        MANIFEST,
        "verify with the sealift version that built this bundle",
    )
    .expected("fields that this sealift checks")
    .found("format other");
    assert!(findings.contains(&expected), "{findings:?}");
}
