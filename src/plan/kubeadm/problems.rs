//! What a spec asks for and kubeadm cannot do.

mod stacked;

use super::cluster::coredns_parts;
use crate::plan::EtcdPlan;
use crate::plan::releases::{KubeadmApi, Release};
use crate::plan::settings::Settings;
use crate::spec::layers::{Layer, layers};
use crate::spec::scalars::HostName;
use crate::spec::types::{CaName, Flags, FreeForm, Host, Provisioner, Role, Spec};
use crate::spec::{Path, Problem};
use serde_json::Value;

/// kubeadm's own feature gates (`app/features/features.go`, 1.29 to 1.36): no component knows them.
const OWN_GATES: &[&str] = &[
    "ControlPlaneKubeletLocalMode",
    "EtcdLearnerMode",
    "NodeLocalCRISocket",
    "PublicKeysECDSA",
    "RootlessControlPlane",
    "UpgradeAddonsBeforeControlPlane",
    "WaitForAllControlPlaneComponents",
];

/// What is wrong with a spec as a whole.
pub(in crate::plan) fn problems(spec: &Spec, release: &Release) -> Vec<Problem> {
    let mut problems = Vec::new();
    if spec.kubernetes.provisioner == Provisioner::None {
        return problems;
    }
    signing(spec, &mut problems);
    gates(spec, &mut problems);
    if spec.kubernetes.provisioner == Provisioner::Kubeadm {
        images(spec, &mut problems);
        split(spec, &mut problems);
        if release.kubeadm_api == KubeadmApi::V1beta3 {
            repeated(spec, release, &mut problems);
        }
    }
    problems
}

fn kubernetes() -> Path {
    Path::root().key("kubernetes")
}

/// The layers that nodes have settings from.
fn of_nodes(spec: &Spec) -> impl Iterator<Item = Layer<'_>> {
    layers(spec).filter(|layer| layer.role != Some(Role::Etcd))
}

/// Who asks the cluster for a certificate needs somebody who signs.
fn signing(spec: &Spec, problems: &mut Vec<Problem>) {
    if spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes) {
        return;
    }
    for Layer { path, kubelet, patches, .. } in of_nodes(spec) {
        let patch = patches.iter().find(|(path, _)| path.as_str() == "/var/lib/kubelet/config.yaml");
        let patch = patch.map(|(name, patch)| (path.key("patches").key(name.as_str()), patch));
        let config = (path.key("kubelet").key("config"), &kubelet.config);
        for (path, config) in [config].into_iter().chain(patch) {
            asks(&path, config, problems);
        }
    }
}

fn asks(path: &Path, config: &FreeForm, problems: &mut Vec<Problem>) {
    for field in ["rotateCertificates", "serverTLSBootstrap"] {
        if config.map().get(field) == Some(&Value::Bool(true)) {
            let message = format!(
                "{field}: without the Kubernetes CA's key on control planes nobody signs what the kubelet asks for"
            );
            let hint = "remove it: bundles renew these certificates; or write `caKeysOnHosts: [kubernetes]` under `pki`";
            problems.push(Problem::error(path.key(field), message).hint(hint));
        }
    }
}

fn gates(spec: &Spec, problems: &mut Vec<Problem>) {
    for gate in spec.kubernetes.feature_gates.keys() {
        let name = gate.to_string();
        if OWN_GATES.contains(&name.as_str()) {
            let message = format!("{name} is a feature gate of kubeadm, and no component knows it");
            let hint =
                "remove it: these gates are for components, and bundles place what kubeadm's would change";
            problems.push(Problem::error(kubernetes().key("featureGates").key(&name), message).hint(hint));
        }
    }
}

/// kubeadm builds the names of these two itself.
fn images(spec: &Spec, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    let at = kubernetes().key("images");
    let usual = format!("{}/kube-proxy:v{}", of.image_repository, of.version);
    let proxy =
        of.images.kube_proxy.as_ref().filter(|image| image.as_str() != usual && !of.kube_proxy.disabled);
    if let Some(image) = proxy {
        let message = format!("kubeadm cannot be told kube-proxy's image {image}: it takes {usual}");
        let hint =
            "write `imageRepository`; or `kubeProxy: {disabled: true}`, and apply a kube-proxy of your own";
        problems.push(Problem::error(at.key("kubeProxy"), message).hint(hint));
    }
    let coredns = of.images.coredns.as_ref().filter(|image| coredns_parts(image).is_none());
    if coredns.is_some() {
        let hint = "kubeadm wants REPOSITORY/coredns:TAG, or registry.k8s.io/coredns/coredns:TAG";
        problems.push(Problem::error(at.key("coredns"), "this image cannot be told to kubeadm").hint(hint));
    }
}

/// kubeadm writes the kubelet's flags into one variable, unquoted (`app/phases/kubelet/flags.go`), and
/// systemd splits it at blanks and takes quotes out.
fn split(spec: &Spec, problems: &mut Vec<Problem>) {
    let lost = |char: char| char.is_whitespace() || matches!(char, '"' | '\'' | '\\');
    for Layer { path, kubelet, .. } in of_nodes(spec) {
        let flags = kubelet.extra_args.iter();
        for (name, _) in flags.filter(|(_, values)| values.iter().any(|value| value.contains(lost))) {
            let at = path.key("kubelet").key("extraArgs").key(name.as_str());
            let message = format!(
                "{at}: kubeadm hands a kubelet's flags on unquoted, and a blank, quote or `\\` would be lost"
            );
            let hint = "write it into `kubelet.config`, or as `KUBELET_EXTRA_ARGS` into `kubelet.environment`, quoted there";
            problems.push(Problem::error(at, message).hint(hint));
        }
    }
}

/// A flag twice: v1beta3 has flags as a map.
fn repeated(spec: &Spec, release: &Release, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    let mut check = |path: &Path, flags: &Flags| {
        for (name, _) in flags.iter().filter(|(_, values)| values.iter().count() > 1) {
            let message = format!(
                "{name} is given several times, which kubeadm's configuration cannot say in Kubernetes 1.{}",
                release.minor
            );
            let hint = "give one value, joined by commas where the flag takes a list; from 1.31 on it can";
            problems.push(Problem::error(path.key("extraArgs").key(name.as_str()), message).hint(hint));
        }
    };
    check(&kubernetes().key("apiServer"), &of.api_server.extra_args);
    check(&kubernetes().key("controllerManager"), &of.controller_manager.extra_args);
    check(&kubernetes().key("scheduler"), &of.scheduler.extra_args);
    for Layer { path, kubelet, .. } in of_nodes(spec) {
        check(&path.key("kubelet"), &kubelet.extra_args);
    }
}

/// What is wrong with one host: kubeadm makes all stacked members alike, each at its API server's address.
/// Members that are units are not kubeadm's.
pub(in crate::plan) fn of_host(
    spec: &Spec,
    name: &HostName,
    host: &Host,
    settings: &Settings,
    member: Option<&EtcdPlan>,
    first: Option<&EtcdPlan>,
) -> Vec<Problem> {
    // whoever runs as a unit is an external member to kubeadm
    let Some(member) = member.filter(|_| spec.has_kubeadms_member(host)) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if member.shared_certificate {
        let message = "kubeadm gives each member of etcd on a control plane certificates of its own";
        problems.push(
            Problem::error("etcd.certificates", message)
                .hint("write `certificates: member`, or put etcd on hosts of its own"),
        );
    }
    let api = host.advertise_address();
    if api.is_some_and(|api| api != member.address) {
        let at = Path::root().key("hosts").key(name.as_str()).key("etcdAddress");
        let message = format!("kubeadm has etcd listen where the API server does, not at {}", member.address);
        problems
            .push(Problem::error(at, message).hint("remove it, or write the same address as `apiAddress`"));
    }
    problems.extend(stacked::problems(member, settings));
    let Some(first) = first else { return problems };
    problems.extend(stacked::differences(member, first, settings));
    let same = member.image == first.image;
    let different = [
        (!same, settings.etcd.image.as_ref().map(|layered| &layered.path), "images"),
        (
            member.data_dir != first.data_dir,
            settings.etcd.data_dir.as_ref().map(|layered| &layered.path),
            "data directories",
        ),
    ];
    for (_, path, what) in different.into_iter().filter(|(differs, ..)| *differs) {
        let path = path.cloned().unwrap_or_else(|| "etcd".to_owned());
        let message = format!(
            "kubeadm gives all members of etcd on control planes the same, and these have different {what}"
        );
        problems.push(Problem::error(path, message).hint("write it under `etcd`, for all"));
    }
    problems
}
