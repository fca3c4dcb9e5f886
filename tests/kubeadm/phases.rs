//! kubeadm's own phases over installed roots, as a table: where the Kubernetes CA's key is and how
//! nodes join × the host.
//!
//! Phases of `init` run to their end. Those of `join` get the cluster's configuration first
//! (`joinData.InitCfg` in `cmd/kubeadm/app/cmd/join.go`): discovery asks the API server, with a file as
//! with a token, and here is none. All but those that have nothing to do stop there; what is tested is
//! what they check before, and that no byte changed.
//!
//! kubeadm comes with no distribution, so its test runs where `KUBEADM=/path/to/kubeadm` names one
//! (1.36, as root, with unshare and ip), and says so where it does not. `proof` runs the same on a stub.

use crate::machine::{Checked, Machine};
use crate::recorded;
use crate::support::archive::member;
use crate::support::example::{Built, replaced, today};
use crate::support::opened::{machine, open, operator};
use crate::support::stacked::{installed_by, spec};
use crate::support::{is_root, need, sealift};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the key of the Kubernetes CA is, and how nodes join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With the operators alone; nodes have their certificates from here.
    NoKey,
    /// On control planes too.
    Key,
    /// On control planes too, and nodes join with a token.
    Token,
}

/// The host of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    First,
    Joining,
    Worker,
}

impl Of {
    /// Its name, its address and the number of its machine.
    fn host(self) -> (&'static str, &'static str, u8) {
        match self {
            Self::First => ("cp1", "10.0.0.6", 0),
            Self::Worker => ("w1", "10.0.0.7", 1),
            Self::Joining => ("cp2", "10.0.0.8", 2),
        }
    }
}

pub(crate) struct Row {
    pub(crate) mode: Mode,
    pub(crate) of: Of,
    /// Checks of preflight that fail over our files; docs/recipes.md tells to ignore these.
    complaints: &'static [&'static str],
}

const KUBELET: &str = "FileAvailable--etc-kubernetes-kubelet.conf";
const CA: &str = "FileAvailable--etc-kubernetes-pki-ca.crt";

#[rustfmt::skip]
pub(crate) const TABLE: [Row; 9] = [
    Row { mode: Mode::NoKey, of: Of::First, complaints: &[] },
    Row { mode: Mode::NoKey, of: Of::Joining, complaints: &[KUBELET] },
    Row { mode: Mode::NoKey, of: Of::Worker, complaints: &[KUBELET, CA] },
    Row { mode: Mode::Key, of: Of::First, complaints: &[] },
    Row { mode: Mode::Key, of: Of::Joining, complaints: &[KUBELET] },
    Row { mode: Mode::Key, of: Of::Worker, complaints: &[KUBELET, CA] },
    Row { mode: Mode::Token, of: Of::First, complaints: &[] },
    Row { mode: Mode::Token, of: Of::Joining, complaints: &[] },
    Row { mode: Mode::Token, of: Of::Worker, complaints: &[] },
];

const AUTHORITIES: [&str; 3] = ["ca", "front-proxy-ca", "etcd/ca"];
const CERTIFICATES: [&str; 7] = [
    "apiserver",
    "apiserver-kubelet-client",
    "front-proxy-client",
    "etcd/server",
    "etcd/peer",
    "etcd/healthcheck-client",
    "apiserver-etcd-client",
];
const KUBECONFIGS: [&str; 5] =
    ["admin.conf", "controller-manager.conf", "kubelet.conf", "scheduler.conf", "super-admin.conf"];
/// What kubeadm says where it finds no API server (`discovery.For`).
const NO_SERVER: &str = "couldn't validate the identity of the API Server";
const IGNORED: &str = "--ignore-preflight-errors=all";

/// What the phases write that a bundle never has, below the root.
const MANIFESTS: [&str; 3] = [
    "+ etc/kubernetes/manifests/kube-apiserver.yaml",
    "+ etc/kubernetes/manifests/kube-controller-manager.yaml",
    "+ etc/kubernetes/manifests/kube-scheduler.yaml",
];
/// The data directory is there already, with the mode that kubeadm wants.
const ETCD: [&str; 1] = ["+ etc/kubernetes/manifests/etcd.yaml"];
const KUBELETS: [&str; 3] = [
    "+ var/lib/kubelet/config.yaml",
    "+ var/lib/kubelet/instance-config.yaml",
    "+ var/lib/kubelet/kubeadm-flags.env",
];

/// A cluster of one mode, built.
pub(crate) struct Cluster {
    mode: Mode,
    built: Built,
}

impl Cluster {
    pub(crate) fn new(mode: Mode) -> Self {
        let kubernetes =
            if mode == Mode::Token { "  join: token\n  bootstrapTokens: {join: {}}\n" } else { "" };
        let keys = if mode == Mode::NoKey { "" } else { "pki: {caKeysOnHosts: [kubernetes]}\n" };
        let text = replaced(&spec("1.36.2", "kubeadm", kubernetes, keys), "2026-11-20T00:00:00Z", &today());
        let (name, address, number) = Of::Joining.host();
        let recipient = machine(number).to_public();
        let text = format!(
            "{text}  {name}: {{addresses: [{address}], roles: [control-plane, etcd], recipients: [{recipient}]}}\n"
        );
        Self { mode, built: Built::of(&text) }
    }

    /// A path in its directory.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.built.path(below)
    }

    /// A machine with its bundle newly installed, and files for kubeadm to read.
    fn machine(&self, kubeadm: &Path, of: Of) -> Machine {
        let (name, address, number) = of.host();
        let _ = fs::remove_dir_all(self.built.root(name));
        let machine = Machine::new(kubeadm, installed_by(&self.built, name, number), address);
        if of == Of::First {
            let input = recorded("input.yaml");
            machine.write("input.yaml", &input);
            let never = replaced(&input, "  name: cp1\n", "  name: cp1\n  imagePullPolicy: Never\n");
            machine.write("preflight.yaml", &never);
        } else {
            machine.write("join.yaml", &self.join(of));
        }
        machine
    }

    /// What docs/recipes.md says that a node joins with.
    fn join(&self, of: Of) -> String {
        let (name, address, _) = of.host();
        let discovery = match (self.mode, of) {
            (Mode::Token, _) => {
                let files = open(&self.built.bundle("operator"), &operator());
                let hash = files["/etc/kubernetes/discovery-hash"].text().trim();
                format!(
                    "{{bootstrapToken: {{token: abcdef.0123456789abcdef, \
                     apiServerEndpoint: \"api.prod.example:6443\", caCertHashes: [\"{hash}\"]}}}}"
                )
            }
            (_, Of::Worker) => "{file: {kubeConfigPath: /etc/kubernetes/kubelet.conf}}".to_owned(),
            _ => "{file: {kubeConfigPath: /etc/kubernetes/admin.conf}}".to_owned(),
        };
        let control_plane = if of == Of::Joining {
            format!("controlPlane: {{localAPIEndpoint: {{advertiseAddress: {address}, bindPort: 6443}}}}\n")
        } else {
            String::new()
        };
        format!(
            "apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery: {discovery}
nodeRegistration: {{name: {name}, imagePullPolicy: Never}}
timeouts: {{discovery: 2s, tlsBootstrap: 2s, kubernetesAPICall: 2s}}
{control_plane}"
        )
    }

    /// The files that a host's bundle lists as another program's.
    fn foreign(&self, of: Of) -> BTreeSet<String> {
        let manifest = member(&self.built.bundle(of.host().0), "manifest.json");
        let manifest: Value = serde_json::from_slice(&manifest.contents).unwrap();
        let files = manifest["files"].as_array().unwrap();
        let foreign = files.iter().filter(|file| file["policy"] == "foreign");
        foreign.map(|file| file["path"].as_str().unwrap().to_owned()).collect()
    }
}

/// All phases of one row that can run without an API server.
pub(crate) fn walk(kubeadm: &Path, cluster: &Cluster, row: &Row) -> Checked {
    let machine = cluster.machine(kubeadm, row.of);
    match row.of {
        Of::First => init(&machine, cluster, row),
        Of::Joining | Of::Worker => join(&machine, row),
    }
}

fn init(machine: &Machine, cluster: &Cluster, row: &Row) -> Checked {
    let words = format!("init phase preflight --config /preflight.yaml {IGNORED}");
    machine.preflight(&words, row.complaints, None)?;

    let words = "init phase certs all --config /input.yaml";
    let said = machine.unchanged(words)?;
    let of_all = AUTHORITIES.iter().chain(&CERTIFICATES).map(|name| format!("Using existing {name} "));
    each(&said, "certs", of_all).map_err(|what| format!("{words}: {what}\n{said}"))?;
    never(&said, "Generating").map_err(|what| format!("{words}: {what}\n{said}"))?;

    let words = "init phase kubeconfig all --config /input.yaml";
    let said = machine.unchanged(words)?;
    let of_all = KUBECONFIGS.iter().map(|name| match row.mode {
        Mode::NoKey => format!("Using user provided {name}"),
        Mode::Key | Mode::Token => format!("Using existing kubeconfig file: \"/etc/kubernetes/{name}\""),
    });
    each(&said, "kubeconfig", of_all).map_err(|what| format!("{words}: {what}\n{said}"))?;
    never(&said, "Writing").map_err(|what| format!("{words}: {what}\n{said}"))?;

    machine.changes("init phase kubelet-start --config /input.yaml", &KUBELETS)?;
    machine.changes("init phase control-plane all --config /input.yaml", &MANIFESTS)?;
    machine.changes("init phase etcd local --config /input.yaml", &ETCD)?;
    // what came is what the bundle foresees, and no more
    let came =
        MANIFESTS.iter().chain(&ETCD).chain(&KUBELETS).map(|line| line.replacen("+ ", "/", 1)).collect();
    let foreign = cluster.foreign(row.of);
    if foreign != came {
        return Err(format!("foreign in the manifest: {foreign:?}, not {came:?}"));
    }
    let ran = sealift(["verify".as_ref(), "--root".as_ref(), machine.root().as_os_str()]);
    if ran.code != 0 {
        return Err(format!("verify: exit code {}\n{}{}", ran.code, ran.stdout, ran.stderr));
    }
    Ok(())
}

fn join(machine: &Machine, row: &Row) -> Checked {
    // checks the node, then asks the API server: that of a control plane's own files comes after
    let words = format!("join phase preflight --config /join.yaml {IGNORED}");
    machine.preflight(&words, row.complaints, Some(NO_SERVER))?;
    // without a certificate key there is nothing to download
    let said = machine.unchanged("join phase control-plane-prepare download-certs --config /join.yaml")?;
    never(&said, "[download-certs]").map_err(|what| format!("download-certs: {what}\n{said}"))?;
    for phase in ["certs", "kubeconfig", "control-plane"] {
        let words = format!("join phase control-plane-prepare {phase} --config /join.yaml");
        match row.of {
            // asks the API server before anything else
            Of::Joining => drop(machine.stops(&words, NO_SERVER)?),
            // is for control planes alone
            Of::First | Of::Worker => drop(machine.unchanged(&words)?),
        }
    }
    // asks the API server before it writes bootstrap-kubelet.conf and the kubelet's files
    machine.stops("join phase kubelet-start --config /join.yaml", NO_SERVER).map(drop)
}

/// Each of these is in a line of its own after `[tag] `.
fn each(said: &str, tag: &str, wanted: impl Iterator<Item = String>) -> Checked {
    let tag = format!("[{tag}] ");
    for text in wanted {
        if !said.lines().any(|line| line.starts_with(&tag) && line.contains(&text)) {
            return Err(format!("no line {tag}... {text}"));
        }
    }
    Ok(())
}

fn never(said: &str, text: &str) -> Checked {
    if said.contains(text) { Err(format!("says {text:?}")) } else { Ok(()) }
}

/// kubeadm's own phases take what is there.
#[test]
fn kubeadm_takes_what_is_installed() {
    let Some(kubeadm) = std::env::var_os("KUBEADM").map(PathBuf::from) else {
        eprintln!("kubeadm itself is not run: KUBEADM does not name it (see CONTRIBUTING.md)");
        return;
    };
    assert!(is_root(), "KUBEADM is set: this test enters namespaces as root");
    let tools = ["unshare", "ip", "mount"].map(need);
    assert!(tools.iter().all(Option::is_some), "KUBEADM is set: unshare, ip and mount are needed");
    for mode in [Mode::NoKey, Mode::Key, Mode::Token] {
        let cluster = Cluster::new(mode);
        for row in TABLE.iter().filter(|row| row.mode == mode) {
            let walked = walk(&kubeadm, &cluster, row);
            walked.unwrap_or_else(|error| panic!("{mode:?} {:?}: {error}", row.of));
        }
    }
}
