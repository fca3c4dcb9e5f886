//! Where this spec has what kubeadm's configuration calls otherwise.

/// kubeadm's fields (v1beta3 and v1beta4, `cmd/kubeadm/app/apis/kubeadm`), and what to write instead.
const KUBEADM: &[(&str, &str)] = &[
    ("advertiseAddress", "write `apiAddress` at the host"),
    ("apiServerCertSANs", "write them as `pki.certificates.apiserver.sans`"),
    ("bindPort", "write `apiPort` under `kubernetes`"),
    ("caCertificateValidityPeriod", "write `pki.validity.ca`"),
    (
        "certSANs",
        "write them as `pki.certificates.apiserver.sans`, or `certificates.apiserver.sans` of a host",
    ),
    ("certificateValidityPeriod", "write `pki.validity.leaf`"),
    ("certificatesDir", "remove it: certificates lie in /etc/kubernetes/pki"),
    ("clusterName", "write `name` under `cluster`"),
    ("controlPlaneEndpoint", "write `endpoint` under `kubernetes`"),
    ("criSocket", "write `containerRuntime.kind`, or `kubelet.containerRuntimeEndpoint`"),
    ("dnsDomain", "write `clusterDomain` under `kubernetes`"),
    ("encryptionAlgorithm", "write `pki.algorithm`"),
    ("ignorePreflightErrors", "remove it: join.yaml has those that this way of joining takes"),
    ("kubeletExtraArgs", "write `kubelet.extraArgs`, of all, of a role or of a host"),
    ("kubernetesVersion", "write `version` under `kubernetes`"),
    ("localAPIEndpoint", "write `apiAddress` at the host, and `kubernetes.apiPort`"),
    ("networking", "write `podSubnets`, `serviceSubnets` and `clusterDomain` under `kubernetes`"),
    ("nodeRegistration", "write `labels`, `taints`, `nodeIPs` and `kubelet` at hosts or roles"),
    ("peerCertSANs", "write them as `pki.certificates.etcd-peer.sans`"),
    ("serverCertSANs", "write them as `pki.certificates.etcd-server.sans`"),
    ("skipPhases", "write `kubernetes.kubeProxy.disabled` or `kubernetes.coreDns.disabled`"),
];

/// Those that mean something in one mapping alone: the mapping, the field, and what to write instead.
const PLACED: &[(&str, &str, &str)] = &[
    ("etcd", "extraArgs", "this version passes no flags of yours to etcd; with kubeadm, patch init.yaml"),
    ("etcd", "external", "give hosts that are no control planes the role `etcd`"),
    ("etcd", "local", "give all control planes the role `etcd` too; `dataDir` stands under `etcd`"),
    ("kubernetes", "dns", "write `coreDns` and `images.coredns` under `kubernetes`"),
    ("kubernetes", "etcd", "`etcd` stands at the top level"),
    ("kubernetes", "patches", "`patches` stands at the top level, at roles and at hosts"),
];

/// What to write in place of a field that `within` does not have.
pub(crate) fn elsewhere(within: &str, name: &str) -> Option<&'static str> {
    let placed = PLACED.iter().find(|(place, field, _)| *place == within && *field == name);
    let anywhere = || KUBEADM.iter().find(|(field, _)| *field == name);
    placed.map(|(_, _, hint)| *hint).or_else(|| anywhere().map(|(_, hint)| *hint))
}

#[cfg(test)]
mod tests {
    use super::elsewhere;
    use crate::spec::tests::cluster_rendered;

    #[test]
    fn a_field_of_kubeadm() {
        let edits = [("  endpoint:", "  networking: {podSubnet: 10.244.0.0/16}\n  endpoint:")];
        assert_eq!(
            cluster_rendered(&edits).lines().filter(|line| line.starts_with("hint")).collect::<Vec<_>>(),
            ["hint: write `podSubnets`, `serviceSubnets` and `clusterDomain` under `kubernetes`"]
        );
    }

    #[test]
    fn some_mean_something_in_one_place() {
        assert_eq!(elsewhere("kubernetes", "etcd"), Some("`etcd` stands at the top level"));
        assert_eq!(elsewhere("hosts.cp1", "etcd"), None);
    }
}
