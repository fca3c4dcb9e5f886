//! The embedded templates, and single ones replaced by the user's.

use std::collections::BTreeMap;

macro_rules! embedded {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../templates", $path, ".j2")))),+]
    };
}

/// Host path and source of every embedded template.
const EMBEDDED: &[(&str, &str)] = embedded![
    "/etc/chrony.conf",
    "/etc/chrony/sources.d/sealift.sources",
    "/etc/containerd/certs.d/REGISTRY/hosts.toml",
    "/etc/containers/registries.conf.d/10-sealift.conf",
    "/etc/containers/systemd/etcd.container",
    "/etc/containers/systemd/haproxy.container",
    "/etc/containers/systemd/nginx.container",
    "/etc/crictl.yaml",
    "/etc/default/kubelet",
    "/etc/etcd/etcd.env",
    "/etc/etcd/etcd.yaml",
    "/etc/etcd/etcdctl.env",
    "/etc/etcd/sealift-etcd-health",
    "/etc/haproxy/haproxy.cfg",
    "/etc/hosts",
    "/etc/keepalived/check_apiserver.sh",
    "/etc/keepalived/keepalived.conf",
    "/etc/kubernetes/apiserver/admission.yaml",
    "/etc/kubernetes/apiserver/audit-policy.yaml",
    "/etc/kubernetes/apiserver/authentication.yaml",
    "/etc/kubernetes/apiserver/oidc-ca.crt",
    "/etc/kubernetes/cluster/10-cluster-admins.yaml",
    "/etc/kubernetes/cluster/20-rbac.yaml",
    "/etc/kubernetes/cluster/30-kube-proxy.yaml",
    "/etc/kubernetes/cluster/40-coredns.yaml",
    "/etc/kubernetes/cluster/90-nodes.yaml",
    "/etc/kubernetes/cluster/README.md",
    "/etc/kubernetes/etcd/00-namespace.yaml",
    "/etc/kubernetes/etcd/10-certificates.yaml",
    "/etc/kubernetes/etcd/15-members.yaml",
    "/etc/kubernetes/etcd/20-services.yaml",
    "/etc/kubernetes/etcd/30-statefulset.yaml",
    "/etc/kubernetes/etcd/40-disruption-budget.yaml",
    "/etc/kubernetes/etcd/README.md",
    "/etc/kubernetes/kubeadm/cluster.yaml",
    "/etc/kubernetes/kubeadm/config.yaml",
    "/etc/kubernetes/kubeadm/init.yaml",
    "/etc/kubernetes/kubeadm/join.yaml",
    "/etc/kubernetes/kubelet/config.yaml",
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/kubernetes/manifests/haproxy.yaml",
    "/etc/kubernetes/manifests/keepalived.yaml",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/kubernetes/manifests/kube-controller-manager.yaml",
    "/etc/kubernetes/manifests/kube-scheduler.yaml",
    "/etc/kubernetes/manifests/kube-vip.yaml",
    "/etc/kubernetes/manifests/nginx.yaml",
    "/etc/logrotate.d/sealift",
    "/etc/modules-load.d/sealift.conf",
    "/etc/nginx/nginx.conf",
    "/etc/sealift/RUNBOOK.md",
    "/etc/sealift/kubernetes-version",
    "/etc/sysconfig/kubelet",
    "/etc/sysctl.d/90-sealift.conf",
    "/etc/systemd/journald.conf.d/90-sealift.conf",
    "/etc/systemd/system/containerd.service.d/10-sealift-proxy.conf",
    "/etc/systemd/system/containerd.service.d/20-sealift-config.conf",
    "/etc/systemd/system/containerd.service.d/40-sealift-limits.conf",
    "/etc/systemd/system/crio.service.d/10-sealift-proxy.conf",
    "/etc/systemd/system/crio.service.d/40-sealift-limits.conf",
    "/etc/systemd/system/etcd-container.service",
    "/etc/systemd/system/etcd.service",
    "/etc/systemd/system/etcd.service.d/30-sealift-gate.conf",
    "/etc/systemd/system/haproxy.service",
    "/etc/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
    "/etc/systemd/system/kubelet.service.d/10-sealift-proxy.conf",
    "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf",
    "/etc/systemd/system/kubelet.service.d/20-sealift-kubelet.conf",
    "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf",
    "/etc/systemd/system/kubelet.service.d/40-sealift-limits.conf",
    "/etc/systemd/system/nginx.service",
    "/etc/systemd/system/sealift-swap-off.service",
    "/etc/systemd/system/sealift-verify.service",
    "/etc/systemd/system/sealift-verify.timer",
    "/etc/systemd/timesyncd.conf.d/90-sealift.conf",
    "/etc/sysusers.d/etcd.conf",
    "/etc/sysusers.d/keepalived-script.conf",
    "/etc/tmpfiles.d/etcd.conf",
    "/etc/tmpfiles.d/sealift-timezone.conf",
];

/// Parts that the runbook, the units of containers and the manifests of static pods include or extend. They
/// land on no host by themselves.
const PARTS: &[(&str, &str)] = embedded![
    "/etc/containers/systemd/any.container",
    "/etc/kubernetes/pod.yaml",
    "/etc/kubernetes/proxy.yaml",
    "/etc/sealift/runbook/encryption-at-rest.md",
    "/etc/sealift/runbook/etcd-statefulset.md",
    "/etc/sealift/runbook/etcd.md",
    "/etc/sealift/runbook/front-proxy.md",
    "/etc/sealift/runbook/host.md",
    "/etc/sealift/runbook/joining.md",
    "/etc/sealift/runbook/kubernetes.md",
    "/etc/sealift/runbook/members.md",
    "/etc/sealift/runbook/operator-statefulset.md",
    "/etc/sealift/runbook/operator.md",
    "/etc/sealift/runbook/pod.md",
    "/etc/sealift/runbook/service-account.md",
    "/etc/sealift/runbook/signing.md",
    "/etc/systemd/system/any-container.service",
];

/// A file in a template directory that replaces nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{path} replaces no template of sealift")]
pub struct UnknownTemplate {
    /// Its path in the directory.
    pub path: String,
    /// The nearest path that would.
    pub nearest: String,
}

/// All templates of a build by host path.
#[derive(Clone, Debug)]
pub struct Templates(BTreeMap<String, String>);

impl Templates {
    /// The embedded ones.
    pub fn embedded() -> Self {
        let all = EMBEDDED.iter().chain(PARTS);
        Self(all.map(|(path, source)| ((*path).to_owned(), (*source).to_owned())).collect())
    }

    /// Replaces single templates. Keys are relative paths such as
    /// `etc/kubernetes/manifests/etcd.yaml.j2`.
    ///
    /// # Errors
    /// [`UnknownTemplate`] for the first file that replaces nothing.
    pub fn replace(mut self, files: BTreeMap<String, String>) -> Result<Self, UnknownTemplate> {
        for (relative, source) in files {
            let path = relative.strip_suffix(".j2").map(|path| format!("/{path}"));
            match path.and_then(|path| self.0.get_mut(&path)) {
                Some(template) => *template = source,
                None => return Err(self.unknown(relative)),
            }
        }
        Ok(self)
    }

    fn unknown(&self, path: String) -> UnknownTemplate {
        let distance = |known: &String| strsim::levenshtein(known, &path);
        let nearest = self.0.keys().map(|known| format!("{}.j2", known.trim_start_matches('/')));
        let nearest = nearest.min_by_key(distance).unwrap_or_default();
        UnknownTemplate { path, nearest }
    }

    /// Host path and source of each, in byte order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, source)| (path.as_str(), source.as_str()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{EMBEDDED, PARTS, Templates};
    use crate::plan::RotatingItem;
    use crate::plan::files::{FileRow, RowSource, rows};
    use std::collections::BTreeSet;

    #[test]
    fn there_is_one_template_for_each_rendered_row() {
        let template = |row: &FileRow| match row.source {
            RowSource::Template | RowSource::EachRegistry | RowSource::Pod => Some(row.path),
            RowSource::TemplateOf(path) => Some(path),
            _ => None,
        };
        // some paths have a row for each place
        let rows: BTreeSet<_> = rows().filter_map(template).collect();
        let embedded = EMBEDDED.iter().map(|(path, _)| *path);
        assert_eq!(embedded.collect::<Vec<_>>(), rows.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_runbook_has_a_part_for_each_item() {
        for item in RotatingItem::ALL {
            let name = format!("/etc/sealift/runbook/{}.md", item.name());
            assert!(PARTS.iter().any(|(path, _)| *path == name), "{name}");
        }
        assert!(PARTS.iter().all(|(part, _)| EMBEDDED.iter().all(|(path, _)| path != part)));
    }

    #[test]
    fn a_file_that_replaces_nothing_is_named_with_the_nearest() {
        let files = [("etc/kubernetes/manifest/etcd.yaml.j2".to_owned(), String::new())].into();
        let error = Templates::embedded().replace(files).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "etc/kubernetes/manifest/etcd.yaml.j2 replaces no template of sealift");
        assert_eq!(error.nearest, "etc/kubernetes/manifests/etcd.yaml.j2");
    }
}
