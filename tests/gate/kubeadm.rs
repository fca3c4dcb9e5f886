//! What kubeadm and the kubelet change, in their order, and the gate after each change. Recorded: kubeadm 1.36.2
//! (`tests/data/kubeadm-1.36.2`); the order of its phases is `kubeadm init --help`'s, `join`'s and
//! `upgrade node`'s.

use crate::gate;
use crate::support::example::{Built, replaced, today};
use crate::support::repository;
use crate::support::stacked::{installed, spec};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A host that kubeadm works on.
struct Host(PathBuf);

impl Host {
    fn new(built: &Built, name: &str) -> Self {
        let host = Self(installed(built, name));
        host.passes("before kubeadm");
        host
    }

    #[track_caller]
    fn passes(&self, step: &str) {
        let ran = gate(&self.0);
        assert_eq!(ran.code, 0, "{step}\n{}{}", ran.stdout, ran.stderr);
    }

    #[track_caller]
    fn blocks(&self, step: &str, id: &str) {
        let ran = gate(&self.0);
        assert_eq!(ran.code, 1, "{step}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.starts_with(&format!("{id} ")), "{step}\n{}", ran.stdout);
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Writes a file in place, as Go's `os.WriteFile` does: truncated, then filled. The gate may speak between.
    #[track_caller]
    fn writes(&self, path: &str, contents: &[u8], mode: u32) {
        self.writes_by(path, &[&contents[..0], &contents[..contents.len() / 2], contents], mode);
    }

    /// Writes a file while the kubelet is stopped: half of it is nothing that it could start on.
    #[track_caller]
    fn writes_whole(&self, path: &str, contents: &[u8], mode: u32) {
        self.writes_by(path, &[contents], mode);
    }

    #[track_caller]
    fn writes_by(&self, path: &str, parts: &[&[u8]], mode: u32) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let whole = parts.last().unwrap().len();
        for part in parts {
            fs::write(&file, part).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            self.passes(&format!("{path}, {} of {whole} bytes", part.len()));
        }
    }

    /// Places a file by a rename, as kubeadm moves manifests.
    #[track_caller]
    fn moves(&self, from: &str, to: &str) {
        fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
        fs::rename(self.path(from), self.path(to)).unwrap();
        self.passes(&format!("{from} to {to}"));
    }
}

fn recorded(path: &str) -> Vec<u8> {
    fs::read(repository("tests/data/kubeadm-1.36.2").join(path)).unwrap()
}

fn built(kubernetes: &str, rest: &str) -> Built {
    Built::of(&replaced(&spec("1.36.2", "kubeadm", kubernetes, rest), "2026-11-20T00:00:00Z", &today()))
}

const MANIFESTS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Phase kubelet-start, of init and join: it stops the kubelet first (`TryStopKubelet`), and starts it last.
fn kubelet_start(host: &Host) {
    for name in ["kubeadm-flags.env", "instance-config.yaml"] {
        host.writes(&format!("var/lib/kubelet/{name}"), &recorded(&format!("kubelet/{name}")), 0o644);
    }
    host.writes_whole("var/lib/kubelet/config.yaml", &recorded("kubelet/config.yaml"), 0o644);
}

/// What the kubelet makes of its own as soon as it runs.
fn kubelet_runs(host: &Host) {
    for (path, mode) in [
        ("var/lib/kubelet/cpu_manager_state", 0o600),
        ("var/lib/kubelet/memory_manager_state", 0o600),
        ("var/lib/kubelet/pods/0/etc-hosts", 0o644),
        ("var/lib/kubelet/plugins_registry/x", 0o644),
        ("var/lib/kubelet/device-plugins/kubelet_internal_checkpoint", 0o600),
    ] {
        host.writes(path, b"{}", mode);
    }
}

/// The kubelet's own client certificate, where the cluster signs: a file by date, and a link to it.
fn rotates(host: &Host, pem: &[u8], date: &str) {
    let name = format!("kubelet-client-{date}.pem");
    host.writes(&format!("var/lib/kubelet/pki/{name}"), pem, 0o600);
    let link = host.path("var/lib/kubelet/pki/kubelet-client-current.pem");
    let next = host.path("var/lib/kubelet/pki/.kubelet-client-current.pem");
    symlink(Path::new("/var/lib/kubelet/pki").join(&name), &next).unwrap();
    fs::rename(next, link).unwrap();
    host.passes("the kubelet's link");
}

/// A field of a kubeconfig that has everything in it.
fn data(kubeconfig: &str, field: &str) -> Vec<u8> {
    let line = kubeconfig.lines().find_map(|line| line.trim().strip_prefix(&format!("{field}: "))).unwrap();
    BASE64_STANDARD.decode(line.trim_matches('"')).unwrap()
}

#[test]
fn init_and_join_with_certificates() {
    let built = built("", "");
    let cp1 = Host::new(&built, "cp1");
    // certs and kubeconfig find theirs and write nothing; etcd, control-plane
    kubelet_start(&cp1);
    for name in MANIFESTS {
        cp1.writes(
            &format!("etc/kubernetes/manifests/{name}.yaml"),
            &recorded(&format!("manifests/{name}.yaml")),
            0o600,
        );
    }
    kubelet_runs(&cp1);
    let w1 = Host::new(&built, "w1");
    kubelet_start(&w1);
    kubelet_runs(&w1);
    for host in [&cp1, &w1] {
        upgrade_node(host);
    }
    // and what is no step of kubeadm's is drift
    cp1.blocks_after("etc/kubernetes/manifests/debug.yaml", "stray-file");
    cp1.blocks_after("etc/kubernetes/manifests/.kube-apiserver.yaml.swp", "stray-file");
    w1.blocks_after("etc/kubernetes/manifests/debug.yaml", "stray-file");
    cp1.blocks_after("etc/kubernetes/pki/etcd/other.crt", "stray-file");
    let ca = cp1.path("etc/kubernetes/pki/ca.crt");
    let good = fs::read(&ca).unwrap();
    fs::write(&ca, [&good[..], b"\n"].concat()).unwrap();
    cp1.blocks("another CA", "digest-mismatch");
    fs::write(&ca, good).unwrap();
    let manifest = cp1.path("etc/kubernetes/manifests/kube-apiserver.yaml");
    fs::set_permissions(&manifest, fs::Permissions::from_mode(0o666)).unwrap();
    cp1.blocks("a manifest that others may write", "mode-mismatch");
}

impl Host {
    #[track_caller]
    fn blocks_after(&self, stray: &str, id: &str) {
        fs::write(self.path(stray), "").unwrap();
        self.blocks(stray, id);
        fs::remove_file(self.path(stray)).unwrap();
        self.passes(stray);
    }
}

/// `kubeadm upgrade node`: backups below /etc/kubernetes/tmp, manifests staged there and renamed one by one, then
/// the kubelet's files anew.
fn upgrade_node(host: &Host) {
    let upgraded = "etc/kubernetes/tmp/kubeadm-upgraded-manifests1763700000";
    let backup = "etc/kubernetes/tmp/kubeadm-backup-manifests-2026-12-01-00-00-00";
    if host.path("etc/kubernetes/manifests/kube-apiserver.yaml").exists() {
        for name in MANIFESTS {
            let text = String::from_utf8(recorded(&format!("manifests/{name}.yaml"))).unwrap();
            host.writes(
                &format!("{upgraded}/{name}.yaml"),
                text.replace("1.36.2", "1.36.3").as_bytes(),
                0o600,
            );
            host.moves(&format!("etc/kubernetes/manifests/{name}.yaml"), &format!("{backup}/{name}.yaml"));
            host.moves(&format!("{upgraded}/{name}.yaml"), &format!("etc/kubernetes/manifests/{name}.yaml"));
        }
    }
    let old = fs::read(host.path("var/lib/kubelet/config.yaml")).unwrap();
    host.writes("etc/kubernetes/tmp/kubeadm-kubelet-config1763700001/config.yaml", &old, 0o644);
    kubelet_start(host);
}

#[test]
fn init_and_join_with_a_token() {
    let token = "  join: token\n  bootstrapTokens: {a: {expires: 96h}}\n";
    let built = built(token, "pki: {caKeysOnHosts: [kubernetes]}\n");
    let cp1 = Host::new(&built, "cp1");
    kubelet_start(&cp1);
    for name in MANIFESTS {
        cp1.writes(
            &format!("etc/kubernetes/manifests/{name}.yaml"),
            &recorded(&format!("manifests/{name}.yaml")),
            0o600,
        );
    }
    // the kubelet asks for a certificate of its own; phase kubelet-finalize then writes kubelet.conf anew
    let first = cp1.text("etc/kubernetes/kubelet.conf");
    let pem = [data(&first, "client-certificate-data"), data(&first, "client-key-data")].concat();
    rotates(&cp1, &pem, "2026-12-01-00-00-00");
    let named = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    let line = |field: &str| {
        let line = first.lines().find(|line| line.trim().starts_with(field)).unwrap();
        line.to_owned()
    };
    let rotated = first
        .replace(&line("client-certificate-data:"), &format!("    client-certificate: {named}"))
        .replace(&line("client-key-data:"), &format!("    client-key: {named}"));
    assert_ne!(rotated, first);
    // what a crash in the middle of this leaves is no kubeconfig: the gate blocks, and kubeadm is run again
    let conf = cp1.path("etc/kubernetes/kubelet.conf");
    fs::write(&conf, &rotated[..rotated.len() / 2]).unwrap();
    assert_eq!(gate(&cp1.0).code, 1);
    fs::write(&conf, &rotated).unwrap();
    cp1.passes("kubelet-finalize");
    kubelet_runs(&cp1);
    rotates(&cp1, &pem, "2027-06-01-00-00-00");
    upgrade_node(&cp1);
    // super-admin.conf and admin.conf may go after init; tokens expire
    for gone in ["etc/kubernetes/super-admin.conf", "etc/kubernetes/admin.conf"] {
        fs::remove_file(cp1.path(gone)).unwrap();
        cp1.passes(gone);
    }
    // of a kubeconfig that the kubelet rewrites, whom it believes and speaks to stays
    let server = line("server:");
    fs::write(&conf, rotated.replace(&server, "    server: https://10.9.9.9:6443")).unwrap();
    cp1.blocks("another API server", "initial-differs");
    fs::write(&conf, rotated.replace(&server, &format!("{server}\n    insecure-skip-tls-verify: true")))
        .unwrap();
    cp1.blocks("whoever answers", "initial-differs");
    fs::write(&conf, &rotated).unwrap();
    cp1.passes("as it was");

    // a node that joins has neither at first
    let w1 = Host::new(&built, "w1");
    assert!(!w1.path("etc/kubernetes/kubelet.conf").exists());
    w1.writes("etc/kubernetes/bootstrap-kubelet.conf", b"apiVersion: v1\nkind: Config\n", 0o600);
    kubelet_start(&w1);
    rotates(&w1, &pem, "2026-12-02-00-00-00");
    w1.writes("etc/kubernetes/kubelet.conf", rotated.as_bytes(), 0o600);
    fs::remove_file(w1.path("etc/kubernetes/bootstrap-kubelet.conf")).unwrap();
    w1.passes("kubeadm removes bootstrap-kubelet.conf");
    kubelet_runs(&w1);
    upgrade_node(&w1);
}
