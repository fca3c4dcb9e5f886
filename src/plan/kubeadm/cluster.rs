//! The `ClusterConfiguration`: what all control planes are made from. `kubeadm init` stores it in the
//! cluster, where `join` and `upgrade` read it.

use super::{Subject, form, named, set};
use crate::plan::components::{Component, Extras, VolumePlan, extras};
use crate::plan::{etcd, os};
use crate::spec::scalars::{EndpointHost, ImageRef, San, Span};
use crate::spec::types::{CertificateId, EtcdRun, FreeForm, Role, Spec};
use serde_json::{Value, json};

pub(super) fn configuration(subject: &Subject<'_>) -> FreeForm {
    let spec = subject.shared.spec;
    let of = &spec.kubernetes;
    let mut document = json!({
        "apiVersion": subject.api_version(),
        "kind": "ClusterConfiguration",
        "kubernetesVersion": format!("v{}", of.version),
        "clusterName": spec.cluster.name.to_string(),
        "certificatesDir": "/etc/kubernetes/pki",
        "imageRepository": of.image_repository.to_string(),
        "networking": networking(spec),
        "etcd": etcd(subject),
    });
    if let Some(endpoint) = &of.endpoint {
        set(&mut document, "controlPlaneEndpoint", endpoint.to_string());
    }
    if let Some(word) = subject.release.encryption_algorithm(spec.pki.algorithm) {
        set(&mut document, "encryptionAlgorithm", word);
    }
    if subject.v1beta4() {
        validity(&mut document, spec);
    }
    for component in Component::ALL {
        let (field, mut value) = (field(component), of_component(subject, component));
        if component == Component::KubeApiserver {
            let sans = of_api_server(spec);
            if !sans.is_empty() {
                set(&mut value, "certSANs", sans);
            }
        }
        if value.as_object().is_some_and(|map| !map.is_empty()) {
            set(&mut document, field, value);
        }
    }
    addons(&mut document, subject);
    form(document)
}

fn networking(spec: &Spec) -> Value {
    let of = &spec.kubernetes;
    let joined = |texts: Vec<String>| texts.join(",");
    let mut networking = json!({
        "dnsDomain": of.cluster_domain.to_string(),
        "serviceSubnet": joined(of.service_subnets().iter().map(ToString::to_string).collect()),
    });
    if !of.pod_subnets.is_empty() {
        set(&mut networking, "podSubnet", joined(of.pod_subnets.iter().map(ToString::to_string).collect()));
    }
    networking
}

/// As long as the spec's: for what kubeadm renews where a CA's key is on hosts. It makes no CA here,
/// and compares the two.
fn validity(document: &mut Value, spec: &Spec) {
    let hours = |span: Span| {
        format!("{}h{}m{}s", span.seconds() / 3600, span.seconds() / 60 % 60, span.seconds() % 60)
    };
    let written = &spec.pki.validity;
    for (field, span) in
        [("certificateValidityPeriod", written.leaf), ("caCertificateValidityPeriod", written.ca)]
    {
        if let Some(span) = span {
            set(document, field, hours(span));
        }
    }
}

/// Names that the spec gives to a certificate of every host. Those of single hosts stay out: kubeadm
/// refuses a certificate that lacks one.
fn sans(spec: &Spec, id: CertificateId) -> Vec<String> {
    let written = spec.pki.certificates.get(&id);
    written.into_iter().flat_map(|settings| settings.sans.iter().map(San::to_string)).collect()
}

/// The same of the API server, with what leads to it: kubeadm itself knows the endpoint alone.
fn of_api_server(spec: &Spec) -> Vec<String> {
    let front = spec.front();
    let endpoint = spec.kubernetes.endpoint.as_ref().map(|endpoint| match endpoint.host() {
        EndpointHost::Name(name) => name.clone(),
        EndpointHost::Address(address) => address.to_string(),
    });
    let mut sans = sans(spec, CertificateId::Apiserver);
    for led in front.names.into_iter().chain(front.certified.iter().map(ToString::to_string)) {
        if Some(&led) != endpoint.as_ref() && !sans.contains(&led) {
            sans.push(led);
        }
    }
    sans
}

fn etcd(subject: &Subject<'_>) -> Value {
    let spec = subject.shared.spec;
    if !subject.host.has(Role::Etcd) || spec.etcd.run != EtcdRun::StaticPod {
        let endpoints: Vec<_> = subject.shared.members.all.iter().map(etcd::Member::client_url).collect();
        return json!({ "external": {
            "endpoints": endpoints,
            "caFile": "/etc/kubernetes/pki/etcd/ca.crt",
            "certFile": "/etc/kubernetes/pki/apiserver-etcd-client.crt",
            "keyFile": "/etc/kubernetes/pki/apiserver-etcd-client.key",
        }});
    }
    let mut local = json!({});
    if let Some(member) = subject.etcd {
        set(&mut local, "dataDir", member.data_dir.as_str());
        if let Some(image) = member.image.as_ref().filter(|image| image.pinned) {
            set(&mut local, "imageRepository", image.repository.as_str());
            set(&mut local, "imageTag", image.tag.as_str());
        }
        let mut more = member.beyond_defaults();
        more.extend(member.token_setting());
        if !more.is_empty() {
            let more = more.into_iter().map(|setting| (setting.name.clone(), vec![setting.value()]));
            set(&mut local, "extraArgs", subject.flags(&more.collect()));
        }
    }
    for (field, id) in
        [("serverCertSANs", CertificateId::EtcdServer), ("peerCertSANs", CertificateId::EtcdPeer)]
    {
        let sans = sans(spec, id);
        if !sans.is_empty() {
            set(&mut local, field, sans);
        }
    }
    json!({ "local": local })
}

const fn field(component: Component) -> &'static str {
    match component {
        Component::KubeApiserver => "apiServer",
        Component::KubeControllerManager => "controllerManager",
        Component::KubeScheduler => "scheduler",
    }
}

fn of_component(subject: &Subject<'_>, component: Component) -> Value {
    let spec = subject.shared.spec;
    let Extras { mut args, volumes, envs } = extras(spec, component);
    let plugins = volume_plugins(spec).filter(|_| component == Component::KubeControllerManager);
    if let Some(plugins) = plugins {
        // kubeadm mounts the directory that this flag names
        args.entry("flex-volume-plugin-dir".to_owned()).or_insert_with(|| vec![plugins.to_owned()]);
    }
    let mut value = json!({});
    if !args.is_empty() {
        set(&mut value, "extraArgs", subject.flags(&args));
    }
    if !volumes.is_empty() {
        set(&mut value, "extraVolumes", volumes.iter().map(volume).collect::<Value>());
    }
    if !envs.is_empty() && subject.v1beta4() {
        set(&mut value, "extraEnvs", named(envs.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
    }
    value
}

/// Where control planes look for volume plugins, where it is not kubeadm's default.
fn volume_plugins(spec: &Spec) -> Option<&'static str> {
    let control_planes = spec.hosts.values().filter(|host| host.has(Role::ControlPlane));
    let of_role = spec.roles.get(&Role::ControlPlane).and_then(|role| role.os);
    let mut families = control_planes.map(|host| host.os.or(of_role).or(spec.os).unwrap_or_default());
    families.find_map(|os| os::paths(os).volume_plugins)
}

fn volume(volume: &VolumePlan) -> Value {
    let mut value = json!({
        "name": volume.name,
        "hostPath": volume.host_path,
        "mountPath": volume.mount_path,
        "readOnly": volume.read_only,
    });
    if let Some(path_type) = volume.path_type {
        set(&mut value, "pathType", path_type);
    }
    value
}

/// DNS and kube-proxy: an image of its own, or none at all. v1beta3 knows skipped phases only, which stand
/// in the `InitConfiguration`.
fn addons(document: &mut Value, subject: &Subject<'_>) {
    let of = &subject.shared.spec.kubernetes;
    let mut dns = json!({});
    if let Some((repository, tag)) = of.images.coredns.as_ref().and_then(coredns_parts) {
        set(&mut dns, "imageRepository", repository);
        set(&mut dns, "imageTag", tag);
    }
    if of.core_dns.disabled && subject.v1beta4() {
        set(&mut dns, "disabled", true);
    }
    if dns.as_object().is_some_and(|map| !map.is_empty()) {
        set(document, "dns", dns);
    }
    if of.kube_proxy.disabled && subject.v1beta4() {
        set(document, "proxy", json!({ "disabled": true }));
    }
}

/// kubeadm builds the image's name as `imageRepository/coredns:imageTag`, and puts `coredns/` before
/// that in registry.k8s.io (`app/images`, `GetDNSImage`).
pub(super) fn coredns_parts(image: &ImageRef) -> Option<(String, String)> {
    let (repository, tag) = image.as_str().rsplit_once("/coredns:")?;
    let told = match repository {
        "registry.k8s.io" => return None,
        "registry.k8s.io/coredns" => "registry.k8s.io",
        other => other,
    };
    (!tag.contains('/') && !tag.is_empty()).then(|| (told.to_owned(), tag.to_owned()))
}
