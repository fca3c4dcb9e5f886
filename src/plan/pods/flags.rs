//! The flags of the control plane's components: kubeadm's defaults, and what the spec says over them.

use super::{Node, checks_kubelets};
use crate::plan::EtcdPlan;
use crate::plan::components::{Component, Extras};
use crate::plan::os;
use crate::spec::scalars::Subnet;
use crate::spec::types::CaName;
use std::collections::BTreeMap;

type Flags = BTreeMap<String, Vec<String>>;

/// Flags of every API server that say the same for every spec (`getAPIServerCommand`).
const APISERVER: &[(&str, &str)] = &[
    ("allow-privileged", "true"),
    ("client-ca-file", "/etc/kubernetes/pki/ca.crt"),
    ("enable-admission-plugins", "NodeRestriction"),
    ("enable-bootstrap-token-auth", "true"),
    ("etcd-cafile", "/etc/kubernetes/pki/etcd/ca.crt"),
    ("etcd-certfile", "/etc/kubernetes/pki/apiserver-etcd-client.crt"),
    ("etcd-keyfile", "/etc/kubernetes/pki/apiserver-etcd-client.key"),
    ("kubelet-client-certificate", "/etc/kubernetes/pki/apiserver-kubelet-client.crt"),
    ("kubelet-client-key", "/etc/kubernetes/pki/apiserver-kubelet-client.key"),
    ("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname"),
    ("proxy-client-cert-file", "/etc/kubernetes/pki/front-proxy-client.crt"),
    ("proxy-client-key-file", "/etc/kubernetes/pki/front-proxy-client.key"),
    ("requestheader-allowed-names", "front-proxy-client"),
    ("requestheader-client-ca-file", "/etc/kubernetes/pki/front-proxy-ca.crt"),
    ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
    ("requestheader-group-headers", "X-Remote-Group"),
    ("requestheader-username-headers", "X-Remote-User"),
    ("service-account-key-file", "/etc/kubernetes/pki/sa.pub"),
    ("service-account-signing-key-file", "/etc/kubernetes/pki/sa.key"),
    ("tls-cert-file", "/etc/kubernetes/pki/apiserver.crt"),
    ("tls-private-key-file", "/etc/kubernetes/pki/apiserver.key"),
];

/// The same of the controller manager (`getControllerManagerCommand`).
const CONTROLLER_MANAGER: &[(&str, &str)] = &[
    ("authentication-kubeconfig", "/etc/kubernetes/controller-manager.conf"),
    ("authorization-kubeconfig", "/etc/kubernetes/controller-manager.conf"),
    ("bind-address", "127.0.0.1"),
    ("client-ca-file", "/etc/kubernetes/pki/ca.crt"),
    ("controllers", "*,bootstrapsigner,tokencleaner"),
    ("kubeconfig", "/etc/kubernetes/controller-manager.conf"),
    ("leader-elect", "true"),
    ("requestheader-client-ca-file", "/etc/kubernetes/pki/front-proxy-ca.crt"),
    ("root-ca-file", "/etc/kubernetes/pki/ca.crt"),
    ("service-account-private-key-file", "/etc/kubernetes/pki/sa.key"),
    ("use-service-account-credentials", "true"),
];

/// The same of the scheduler (`getSchedulerCommand`).
const SCHEDULER: &[(&str, &str)] = &[
    ("authentication-kubeconfig", "/etc/kubernetes/scheduler.conf"),
    ("authorization-kubeconfig", "/etc/kubernetes/scheduler.conf"),
    ("bind-address", "127.0.0.1"),
    ("kubeconfig", "/etc/kubernetes/scheduler.conf"),
    ("leader-elect", "true"),
];

impl Node<'_> {
    /// All flags of a component as `--name=value`, in byte order of their names; a flag that is given
    /// several times keeps the order of its values.
    pub(super) fn flags(&self, component: Component, extras: &Extras) -> Vec<String> {
        let (table, own) = match component {
            Component::KubeApiserver => (APISERVER, self.apiserver(extras)),
            Component::KubeControllerManager => (CONTROLLER_MANAGER, self.controller_manager()),
            Component::KubeScheduler => (SCHEDULER, Vec::new()),
        };
        let mut flags: Flags =
            table.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect();
        flags.extend(own.into_iter().map(|(name, value)| (name.to_owned(), vec![value])));
        flags.extend(extras.args.clone());
        let lines = flags
            .iter()
            .flat_map(|(name, values)| values.iter().map(move |value| format!("--{name}={value}")));
        lines.collect()
    }

    fn apiserver(&self, extras: &Extras) -> Vec<(&'static str, String)> {
        let of = &self.spec.kubernetes;
        let mut flags = vec![
            ("advertise-address", self.address.to_string()),
            ("etcd-servers", self.etcd.map_or_else(|| self.client_urls.to_owned(), EtcdPlan::local_url)),
            ("secure-port", of.api_port.get().to_string()),
            ("service-account-issuer", format!("https://kubernetes.default.svc.{}", of.cluster_domain)),
            ("service-cluster-ip-range", joined(&of.service_subnets())),
        ];
        // kubeadm leaves the choice to a structured configuration
        if !extras.args.contains_key("authorization-config") {
            flags.push(("authorization-mode", "Node,RBAC".to_owned()));
        }
        if checks_kubelets(self.spec) {
            flags.push(("kubelet-certificate-authority", "/etc/kubernetes/pki/ca.crt".to_owned()));
        }
        flags
    }

    fn controller_manager(&self) -> Vec<(&'static str, String)> {
        let of = &self.spec.kubernetes;
        // an empty name keeps the signing controllers from starting; `ca-signing.crt` comes with extras
        let key = self.spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes);
        let key = if key { "/etc/kubernetes/pki/ca.key" } else { "" };
        let mut flags = vec![
            ("cluster-name", self.spec.cluster.name.to_string()),
            ("cluster-signing-cert-file", String::new()),
            ("cluster-signing-key-file", key.to_owned()),
        ];
        if !of.pod_subnets.is_empty() {
            flags.extend([
                ("allocate-node-cidrs", "true".to_owned()),
                ("cluster-cidr", joined(&of.pod_subnets)),
                ("service-cluster-ip-range", joined(&of.service_subnets())),
            ]);
        }
        let plugins = os::paths(self.settings.os).volume_plugins.filter(|_| self.release.flex_volumes);
        flags.extend(plugins.map(|path| ("flex-volume-plugin-dir", path.to_owned())));
        flags
    }
}

fn joined(subnets: &[Subnet]) -> String {
    subnets.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
