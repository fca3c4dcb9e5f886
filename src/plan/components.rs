//! What the components of a control plane are told beyond kubeadm's defaults: of the spec's own
//! words, and of what else the spec asks for.
//!
//! kubeadm gets it as `extraArgs`, `extraVolumes` and `extraEnvs`, static pods get it merged into
//! their defaults, so that both start components with the same words.

use super::proxy;
use crate::spec::types::{
    Audit, CaName, FlagValues, Flags, Oidc, PathType, Spec, Variables, Volume, Volumes,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A component of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Component {
    /// kube-apiserver.
    KubeApiserver,
    /// kube-controller-manager.
    KubeControllerManager,
    /// kube-scheduler.
    KubeScheduler,
}

impl Component {
    /// All, in kubeadm's order.
    pub const ALL: [Self; 3] = [Self::KubeApiserver, Self::KubeControllerManager, Self::KubeScheduler];

    /// The name of its program, pod, manifest and image.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
        }
    }
}

/// What a component is told beyond kubeadm's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extras {
    /// Values of flags by name without dashes; most have one. They replace defaults of the same name.
    pub args: BTreeMap<String, Vec<String>>,
    /// Volumes, in byte order of their names.
    pub volumes: Vec<VolumePlan>,
    /// Environment variables.
    pub envs: BTreeMap<String, String>,
}

/// A directory or file of the host that a pod sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumePlan {
    /// Its name in the pod.
    pub name: String,
    /// Where it is on the host.
    pub host_path: String,
    /// Where the pod sees it.
    pub mount_path: String,
    /// Whether the pod may only read.
    pub read_only: bool,
    /// `hostPath.type`; absent is unchecked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_type: Option<&'static str>,
}

/// Where the API server's own configuration files lie: a directory that its pod mounts when there are any.
pub const APISERVER_DIRECTORY: &str = "/etc/kubernetes/apiserver";
/// The audit policy.
pub const AUDIT_POLICY: &str = "/etc/kubernetes/apiserver/audit-policy.yaml";
/// The `AuthenticationConfiguration`.
pub const AUTHENTICATION: &str = "/etc/kubernetes/apiserver/authentication.yaml";
/// The `AdmissionConfiguration`.
pub const ADMISSION: &str = "/etc/kubernetes/apiserver/admission.yaml";
/// The certificates of the OpenID Connect provider.
pub const OIDC_CA: &str = "/etc/kubernetes/apiserver/oidc-ca.crt";
/// The encryption at rest.
const ENCRYPTION: &str = "/etc/kubernetes/pki/encryption-config.yaml";
/// The one certificate that the controller manager signs with.
const SIGNING_CERTIFICATE: &str = "/etc/kubernetes/pki/ca-signing.crt";
/// The audit log, where the spec does not say.
const AUDIT_LOG: &str = "/var/log/kubernetes/audit/audit.log";

/// What a component is told beyond kubeadm's defaults. What the spec writes as `extraArgs`,
/// `extraVolumes` and `extraEnvs` wins over everything else.
pub fn extras(spec: &Spec, component: Component) -> Extras {
    let of = &spec.kubernetes;
    let mut extras = Extras { envs: proxy::variables(spec), ..Extras::default() };
    let gates =
        of.feature_gates.iter().map(|(gate, on)| format!("{gate}={on}")).collect::<Vec<_>>().join(",");
    if !gates.is_empty() {
        extras.arg("feature-gates", gates);
    }
    match component {
        Component::KubeApiserver => {
            extras.apiserver(spec);
            extras.written(
                &of.api_server.extra_args,
                &of.api_server.extra_volumes,
                &of.api_server.extra_envs,
            );
        }
        Component::KubeControllerManager => {
            extras.controller_manager(spec);
            let own = &of.controller_manager;
            extras.written(&own.extra_args, &own.extra_volumes, &own.extra_envs);
        }
        Component::KubeScheduler => {
            let own = &of.scheduler;
            extras.written(&own.extra_args, &own.extra_volumes, &own.extra_envs);
        }
    }
    extras.volumes.sort_by(|a, b| a.name.cmp(&b.name));
    extras
}

impl Extras {
    fn arg(&mut self, name: &str, value: impl Into<String>) {
        self.args.insert(name.to_owned(), vec![value.into()]);
    }

    fn volume(&mut self, name: &str, path: &str, read_only: bool, path_type: &'static str) {
        self.volumes.retain(|volume| volume.name != name);
        self.volumes.push(VolumePlan {
            name: name.to_owned(),
            host_path: path.to_owned(),
            mount_path: path.to_owned(),
            read_only,
            path_type: Some(path_type),
        });
    }

    fn apiserver(&mut self, spec: &Spec) {
        let own = &spec.kubernetes.api_server;
        if spec.encryption_at_rest.is_some() {
            self.arg("encryption-provider-config", ENCRYPTION);
        }
        if let Some(audit) = &own.audit {
            self.audit(audit);
        }
        if let Some(oidc) = &own.oidc {
            self.oidc(oidc);
        }
        if own.authentication.is_some() {
            self.arg("authentication-config", AUTHENTICATION);
        }
        if own.admission.is_some() {
            self.arg("admission-control-config-file", ADMISSION);
        }
        if has_files(spec) {
            self.volume("apiserver-config", APISERVER_DIRECTORY, true, "Directory");
        }
    }

    fn audit(&mut self, audit: &Audit) {
        let log = audit.log.as_ref().map_or(AUDIT_LOG, |path| path.as_str());
        self.arg("audit-policy-file", AUDIT_POLICY);
        self.arg("audit-log-path", log);
        self.arg("audit-log-maxage", audit.max_age.unwrap_or(30).to_string());
        self.arg("audit-log-maxbackup", audit.max_backups.unwrap_or(10).to_string());
        self.arg("audit-log-maxsize", audit.max_size.unwrap_or(100).to_string());
        let directory = log.rsplit_once('/').map_or(log, |(directory, _)| directory);
        self.volume("audit-log", directory, false, "DirectoryOrCreate");
    }

    fn oidc(&mut self, oidc: &Oidc) {
        self.arg("oidc-issuer-url", oidc.issuer_url.as_str());
        self.arg("oidc-client-id", oidc.client_id.as_str());
        let optional = [
            ("oidc-username-claim", &oidc.username_claim),
            ("oidc-username-prefix", &oidc.username_prefix),
            ("oidc-groups-claim", &oidc.groups_claim),
            ("oidc-groups-prefix", &oidc.groups_prefix),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                self.arg(name, value.as_str());
            }
        }
        if oidc.ca.is_some() {
            self.arg("oidc-ca-file", OIDC_CA);
        }
    }

    fn controller_manager(&mut self, spec: &Spec) {
        let of = &spec.kubernetes;
        if spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes) {
            // ca.crt has two certificates while the CA is rotated, and the controller manager dies of that
            self.arg("cluster-signing-cert-file", SIGNING_CERTIFICATE);
        }
        let has = |v6: bool| of.pod_subnets.iter().any(|subnet| subnet.is_ipv6() == v6);
        let dual = has(false) && has(true);
        let masks = [
            (false, of.node_cidr_mask.ipv4, "node-cidr-mask-size-ipv4"),
            (true, of.node_cidr_mask.ipv6, "node-cidr-mask-size-ipv6"),
        ];
        for (v6, mask, name) in masks {
            if let Some(mask) = mask.filter(|_| has(v6)) {
                self.arg(if dual { name } else { "node-cidr-mask-size" }, mask.to_string());
            }
        }
        let own = &of.controller_manager;
        for (name, span) in [
            ("node-monitor-period", own.node_monitor_period),
            ("node-monitor-grace-period", own.node_monitor_grace_period),
        ] {
            if let Some(span) = span {
                self.arg(name, format!("{}s", span.seconds()));
            }
        }
    }

    fn written(&mut self, args: &Flags, volumes: &Volumes, envs: &Variables) {
        let values = |values: &FlagValues| values.iter().map(str::to_owned).collect();
        self.args.extend(args.iter().map(|(name, all)| (name.to_string(), values(all))));
        self.envs.extend(envs.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        for (name, volume) in volumes {
            self.volumes.retain(|other| other.name != name.as_str());
            self.volumes.push(of_spec(name.as_str(), volume));
        }
    }
}

/// Whether the API server has configuration files in [`APISERVER_DIRECTORY`].
pub fn has_files(spec: &Spec) -> bool {
    let own = &spec.kubernetes.api_server;
    own.audit.is_some()
        || own.authentication.is_some()
        || own.admission.is_some()
        || own.oidc.as_ref().is_some_and(|oidc| oidc.ca.is_some())
}

fn of_spec(name: &str, volume: &Volume) -> VolumePlan {
    VolumePlan {
        name: name.to_owned(),
        host_path: volume.host_path.to_string(),
        mount_path: volume.mount_path.as_ref().unwrap_or(&volume.host_path).to_string(),
        read_only: !volume.writable,
        path_type: volume.path_type.map(PathType::name),
    }
}

#[cfg(test)]
mod tests;
