//! Where this spec has what kubeadm's configuration, or etcd, calls otherwise.

use super::suggest::folded;

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
    ("etcd", "external", "give the members' hosts the role `etcd`: what API servers need follows from that"),
    (
        "etcd",
        "local",
        "give all control planes the role `etcd` too; what `local` has stands under `etcd` itself",
    ),
    ("kubernetes", "dns", "write `coreDns` and `images.coredns` under `kubernetes`"),
    ("kubernetes", "etcd", "`etcd` stands at the top level"),
    ("kubernetes", "patches", "`patches` stands at the top level, at roles and at hosts"),
];

/// What stands for etcd's flags (`etcd --help`), however they are spelled: [`folded`] names.
const ETCD: &[(&[&str], &str)] = &[
    (&["autocompactionmode"], "write `etcd.tuning.autoCompactionMode`"),
    (&["autocompactionretention"], "write `etcd.tuning.autoCompactionRetention`"),
    (&["ciphersuites"], "write `etcd.tuning.cipherSuites`"),
    (&["configfile"], "write `etcd.config`"),
    (&["datadir"], "write `etcd.dataDir`"),
    (&["electiontimeout"], "write `etcd.tuning.electionTimeout`"),
    (&["heartbeatinterval"], "write `etcd.tuning.heartbeatInterval`"),
    (
        &["initialclusterstate", "state", "join", "founder"],
        "write `hosts.NAME.etcd.state`, `join` and `founder`",
    ),
    (&["initialclustertoken"], "write `etcd.token`"),
    (
        &["listenmetricsurls", "metrics"],
        "write `etcd.tuning.metrics` and, in it, `etcd.tuning.metrics.level`",
    ),
    (&["loglevel"], "write `etcd.tuning.logLevel`"),
    (&["maxrequestbytes"], "write `etcd.tuning.maxRequestBytes`"),
    (&["maxsnapshots"], "write `etcd.tuning.maxSnapshots`"),
    (&["maxwals"], "write `etcd.tuning.maxWals`"),
    (&["quotabackendbytes"], "write `etcd.tuning.quotaBackendBytes`"),
    (&["snapshotcount"], "write `etcd.tuning.snapshotCount`"),
    (&["tlsmaxversion"], "write `etcd.tuning.tlsMaxVersion`"),
    (&["tlsminversion"], "write `etcd.tuning.tlsMinVersion`"),
    (&["waldir"], "write `etcd.walDir`"),
    (
        &["name", "initialcluster", "members", "endpoints"],
        "remove it: members are the hosts with the role `etcd`, by their names",
    ),
    (
        &["advertiseclienturls", "initialadvertisepeerurls", "listenclienturls", "listenpeerurls"],
        "remove it: URLs come from `addresses` or `etcdAddress` of hosts; see `etcd.urls` and `etcd.plainLoopback`",
    ),
    (
        &[
            "cafile",
            "certfile",
            "clientcertauth",
            "keyfile",
            "peercertfile",
            "peerclientcertauth",
            "peerkeyfile",
            "peertrustedcafile",
            "trustedcafile",
        ],
        "remove it: certificates come from `pki`, and lie where sealift places them",
    ),
    (&["imagerepository", "imagetag"], "write `etcd.image`, with its tag"),
    (&["engine"], "write `etcd.container.engine`"),
    (
        &["namespace", "replicas", "resources", "storage"],
        "with `run: statefulset` it stands under `etcd.statefulSet`",
    ),
];

/// Whether a mapping has settings of etcd: that of all, of a role or of a host.
fn is_etcds(within: &str) -> bool {
    let settings = within.strip_suffix(".tuning").unwrap_or(within);
    settings.rsplit('.').next() == Some("etcd")
}

/// What to write in place of something of etcd's.
fn of_etcd(name: &str) -> Option<&'static str> {
    let key = folded(name);
    let known = ETCD.iter().find(|(names, _)| names.contains(&key.as_str())).map(|(_, hint)| *hint);
    known.or_else(|| {
        name.contains('-').then_some("flags of etcd without a field stand under `etcd.extraArgs`")
    })
}

/// What to write in place of a field that `within` does not have.
pub(crate) fn elsewhere(within: &str, name: &str) -> Option<&'static str> {
    let placed = PLACED.iter().find(|(place, field, _)| *place == within && *field == name);
    let anywhere = || KUBEADM.iter().find(|(field, _)| *field == name);
    let etcds = || is_etcds(within).then(|| of_etcd(name)).flatten();
    placed.map(|(_, _, hint)| *hint).or_else(|| anywhere().map(|(_, hint)| *hint)).or_else(etcds)
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

    #[test]
    fn what_etcd_calls_otherwise() {
        let quota = Some("write `etcd.tuning.quotaBackendBytes`");
        for within in ["etcd", "etcd.tuning", "hosts.a.example.etcd", "roles.etcd.etcd.tuning"] {
            for name in ["quota-backend-bytes", "quotaBackendBytes", "quota_backend_bytes"] {
                assert_eq!(elsewhere(within, name), quota, "{within}.{name}");
            }
        }
        assert_eq!(elsewhere("kubernetes", "quota-backend-bytes"), None);
        assert_eq!(
            elsewhere("etcd", "max-txn-ops"),
            Some("flags of etcd without a field stand under `etcd.extraArgs`")
        );
        assert_eq!(elsewhere("etcd", "nonsense"), None);
    }
}
