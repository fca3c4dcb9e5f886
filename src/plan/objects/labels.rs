//! Which labels a kubelet may give to its own node.

/// Keys of Kubernetes that a kubelet may set (`kubeletapis.KubeletLabels`,
/// `staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go`).
const KEYS: &[&str] = &[
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "kubernetes.io/arch",
    "kubernetes.io/hostname",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
];
/// Namespaces of Kubernetes in which it may set any.
const NAMESPACES: &[&str] = &["kubelet.kubernetes.io", "node.kubernetes.io"];
/// Kubernetes' own namespaces.
const KUBERNETES: &[&str] = &["kubernetes.io", "k8s.io"];

/// Whether a kubelet may set a label itself: the kubelet refuses to start with others in
/// `--node-labels`, and the admission plugin `NodeRestriction` refuses its node.
pub(super) fn kubelet_may_set(key: &str) -> bool {
    let namespace = key.split_once('/').map_or("", |(namespace, _)| namespace);
    let below = |all: &[&str]| {
        all.iter()
            .any(|own| namespace.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    };
    !below(KUBERNETES) || KEYS.contains(&key) || below(NAMESPACES)
}

#[cfg(test)]
mod tests {
    use super::kubelet_may_set;

    #[test]
    fn what_is_kubernetes_own_is_the_operators() {
        for (key, may) in [
            ("tier", true),
            ("example.com/tier", true),
            ("notkubernetes.io/x", true),
            ("kubernetes.io/hostname", true),
            ("topology.kubernetes.io/zone", true),
            ("node.kubernetes.io/anything", true),
            ("x.kubelet.kubernetes.io/anything", true),
            ("node-role.kubernetes.io/worker", false),
            ("node-restriction.kubernetes.io/x", false),
            ("example.node-restriction.kubernetes.io/x", false),
            ("kubernetes.io/role", false),
            ("x-k8s.io/x", true),
            ("cluster.k8s.io/x", false),
        ] {
            assert_eq!(kubelet_may_set(key), may, "{key}");
        }
    }
}
