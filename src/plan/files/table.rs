//! The table.

use super::kinds::{
    ADDONS, APISERVER, CONTROL_PLANE, DAEMON_RELOAD, ETCD, ETCD_ALONE, EVERYWHERE, HOSTS, KUBEADMS, KUBELET,
    NODES, OPERATOR, PATCH, POD, RESTART_KUBE_PROXY, ROW, STACKED, UPGRADE_APPLY, UPGRADE_CONTROL_PLANE,
    UPGRADE_KUBELET, UPGRADE_NODE, UPLOAD, VERSION,
};
use super::{FileRow, RowSource, When};
use crate::plan::objects::Object;
use crate::plan::{Policy, Step};
use crate::spec::types::{Join, RuntimeKind};

/// Every file there is, besides certificates and keys.
pub const FILES: &[FileRow] = &[
    FileRow {
        path: "/etc/containerd/certs.d/REGISTRY/hosts.toml",
        on: HOSTS,
        when: When::Mirrors(RuntimeKind::Containerd),
        source: RowSource::EachRegistry,
        // read at each pull
        why: "where containerd fetches images of a registry instead",
        ..ROW
    },
    FileRow {
        path: "/etc/containers/registries.conf.d/10-sealift.conf",
        on: HOSTS,
        when: When::Mirrors(RuntimeKind::Crio),
        // SIGHUP makes CRI-O read it anew, containers run on
        run: &["systemctl reload crio"],
        why: "where CRI-O fetches images of registries instead",
        ..ROW
    },
    FileRow {
        path: "/etc/default/kubelet",
        on: HOSTS,
        when: When::VariablesIn("/etc/default/kubelet"),
        restart: KUBELET,
        why: "variables of the kubelet's unit, where kubeadm's 10-kubeadm.conf reads them, too",
        ..ROW
    },
    FileRow {
        path: "/etc/etcd/etcdctl.env",
        on: ETCD,
        why: "etcdctl's environment: all members, over TLS, with the healthcheck certificate",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/admission.yaml",
        when: When::Admission,
        why: "for --admission-control-config-file",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/audit-policy.yaml",
        when: When::Audit,
        why: "for --audit-policy-file",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/authentication.yaml",
        when: When::Authentication,
        // read again when it changes from 1.30 on: nothing restarts there
        why: "for --authentication-config",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/apiserver/oidc-ca.crt",
        when: When::OidcCa,
        why: "for --oidc-ca-file",
        ..APISERVER
    },
    FileRow {
        path: "/etc/kubernetes/bootstrap-kubelet.conf",
        on: NODES,
        when: When::Bootstraps,
        mode: 0o600,
        source: RowSource::BootstrapKubeconfig,
        policy: Policy::Bootstrap,
        restart: KUBELET,
        why: "with what the kubelet asks the cluster for its first certificate; it leaves the file where it is",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/10-cluster-admins.yaml",
        on: OPERATOR,
        when: When::Applied(Object::Rbac),
        run: &["kubectl --kubeconfig ../super-admin.conf apply -f 10-cluster-admins.yaml"],
        why: "binds the group of admin.conf; applied first, and with super-admin.conf",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/20-rbac.yaml",
        on: OPERATOR,
        run: &["kubectl apply -f 20-rbac.yaml"],
        when: When::Applied(Object::Rbac),
        why: "the other bindings that `kubeadm init` makes",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/30-kube-proxy.yaml",
        on: OPERATOR,
        when: When::Applied(Object::KubeProxy),
        run: &["kubectl apply -f 30-kube-proxy.yaml", RESTART_KUBE_PROXY],
        why: "kube-proxy, as kubeadm's addon",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/40-coredns.yaml",
        on: OPERATOR,
        when: When::Applied(Object::CoreDns),
        // it reloads its Corefile by itself
        run: &["kubectl apply -f 40-coredns.yaml"],
        why: "CoreDNS, as kubeadm's addon",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/90-nodes.yaml",
        on: OPERATOR,
        when: When::Applied(Object::Nodes),
        run: &["kubectl apply --server-side --field-manager=sealift -f 90-nodes.yaml"],
        why: "labels of nodes that no kubelet may set itself",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/README.md",
        on: OPERATOR,
        when: When::Applied(Object::Any),
        why: "what to apply, in which order",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/cluster/bootstrap-tokens.yaml",
        on: OPERATOR,
        when: When::Tokens,
        mode: 0o600,
        source: RowSource::BootstrapTokens,
        run: &["kubectl apply -f bootstrap-tokens.yaml"],
        why: "what `kubectl apply` makes the cluster know its bootstrap tokens with",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/discovery-hash",
        on: OPERATOR,
        when: When::Kubernetes,
        mode: 0o644,
        source: RowSource::DiscoveryHash,
        why: "for `kubeadm join --discovery-token-ca-cert-hash`",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/cluster.yaml",
        on: CONTROL_PLANE,
        when: When::Joins,
        mode: 0o600,
        // when the first control plane has uploaded it
        run: &[UPGRADE_CONTROL_PLANE],
        run_when: When::Initialized,
        why: "what every control plane is made from: says when this one is to be made anew, and is there when \
              the first one is gone",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/config.yaml",
        on: ETCD_ALONE,
        mode: 0o600,
        why: "what `kubeadm init phase etcd local --config` needs to write the same manifest",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/init.yaml",
        on: CONTROL_PLANE,
        when: When::Step(Step::Init, Join::Certificates),
        mode: 0o600,
        run: &[UPLOAD, UPGRADE_CONTROL_PLANE, ADDONS],
        run_when: When::Initialized,
        why: "for `kubeadm init --config`; what is uploaded from it every control plane is made from",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/init.yaml",
        on: CONTROL_PLANE,
        when: When::Step(Step::Init, Join::Token),
        mode: 0o600,
        source: RowSource::KubeadmConfiguration,
        run: &[UPLOAD, UPGRADE_CONTROL_PLANE, ADDONS],
        run_when: When::Initialized,
        why: "the same with the bootstrap tokens, which `kubeadm init` makes known to the cluster",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/join.yaml",
        on: NODES,
        when: When::Step(Step::Join, Join::Certificates),
        mode: 0o600,
        // read once: when the node joins
        why: "for `kubeadm join --config`",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubeadm/join.yaml",
        on: NODES,
        when: When::Step(Step::Join, Join::Token),
        mode: 0o600,
        source: RowSource::KubeadmConfiguration,
        // whoever wants the token off the disk may remove it when the node has joined
        policy: Policy::Bootstrap,
        why: "the same with a bootstrap token",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet.conf",
        on: NODES,
        when: When::Bootstraps,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "the kubelet's own: it names the certificate that the cluster signed",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: ETCD_ALONE,
        restart: &["kubelet"],
        why: "runs the kubelet alone, as etcd's service manager; outside kubelet.service.d, \
              where systemd would read it as a drop-in",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/kubelet/config.yaml",
        on: NODES,
        when: When::StaticPods,
        restart: KUBELET,
        why: "configures the kubelet of a node that kubeadm does not make",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: ETCD_ALONE,
        mode: 0o600,
        // the kubelet watches the directory and recreates the pod
        why: "the etcd member",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: STACKED,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own: the member of a control plane",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/etcd.yaml",
        on: STACKED,
        why: "the etcd member of a control plane",
        ..POD
    },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-apiserver.yaml",
        on: CONTROL_PLANE,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own",
        ..ROW
    },
    FileRow { path: "/etc/kubernetes/manifests/kube-apiserver.yaml", why: "the API's server", ..POD },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        on: CONTROL_PLANE,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-controller-manager.yaml",
        why: "runs the cluster's controllers",
        ..POD
    },
    FileRow {
        path: "/etc/kubernetes/manifests/kube-scheduler.yaml",
        on: CONTROL_PLANE,
        when: When::Kubeadm,
        mode: 0o600,
        source: RowSource::Foreign,
        policy: Policy::Foreign,
        why: "kubeadm's own",
        ..ROW
    },
    FileRow { path: "/etc/kubernetes/manifests/kube-scheduler.yaml", why: "places pods on nodes", ..POD },
    FileRow {
        path: "/etc/kubernetes/patches/etcd+merge.json",
        on: STACKED,
        why: "the spec's patch of etcd.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-apiserver+merge.json",
        why: "the spec's patch of kube-apiserver.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-apiserver+strategic.json",
        why: "what kubeadm has no field for: an image by name, variables before 1.31",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-controller-manager+merge.json",
        why: "the spec's patch of kube-controller-manager.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-controller-manager+strategic.json",
        why: "what kubeadm has no field for: an image by name, variables before 1.31",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-scheduler+merge.json",
        why: "the spec's patch of kube-scheduler.yaml",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kube-scheduler+strategic.json",
        why: "what kubeadm has no field for: an image by name, variables before 1.31",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/patches/kubeletconfiguration+merge.json",
        on: NODES,
        restart: &["kubelet"],
        run: &[UPGRADE_KUBELET],
        why: "what this host's kubelet has beside the cluster's configuration; whether it renews its certificate",
        ..PATCH
    },
    FileRow {
        path: "/etc/kubernetes/pki/ca-signing.crt",
        on: CONTROL_PLANE,
        when: When::SigningOnHosts,
        mode: 0o644,
        source: RowSource::SigningCertificate("ca"),
        restart: &["static-pod/kube-controller-manager"],
        why: "for --cluster-signing-cert-file: the controller manager dies of a file with two certificates, \
              which ca.crt is while the CA is rotated",
        ..ROW
    },
    FileRow {
        path: "/etc/kubernetes/pki/encryption-config.yaml",
        on: CONTROL_PLANE,
        when: When::Encrypted,
        mode: 0o600,
        source: RowSource::EncryptionConfig,
        restart: &["static-pod/kube-apiserver"],
        why: "for --encryption-provider-config; below pki, which the API server's pod mounts already",
        ..ROW
    },
    FileRow {
        path: "/etc/sealift/RUNBOOK.md",
        on: EVERYWHERE,
        when: When::Rotating,
        mode: 0o644,
        why: "what to restart, wait for and check in this step of a rotation",
        ..ROW
    },
    FileRow {
        path: "/etc/sealift/kubernetes-version",
        when: When::Initializes,
        run: &[UPGRADE_APPLY],
        ..VERSION
    },
    FileRow { path: "/etc/sealift/kubernetes-version", when: When::Joins, run: &[UPGRADE_NODE], ..VERSION },
    FileRow { path: "/etc/sealift/kubernetes-version", when: When::StaticPods, ..VERSION },
    FileRow {
        path: "/etc/sealift/verify.key",
        on: EVERYWHERE,
        mode: 0o600,
        source: RowSource::VerifyKey,
        why: "lets the host check its secrets without publishing their digests",
        ..ROW
    },
    FileRow {
        path: "/etc/sysconfig/kubelet",
        on: HOSTS,
        when: When::VariablesIn("/etc/sysconfig/kubelet"),
        restart: KUBELET,
        why: "variables of the kubelet's unit, where kubeadm's 10-kubeadm.conf reads them, too, from rpm packages",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/containerd.service.d/10-sealift-proxy.conf",
        on: HOSTS,
        when: When::ProxiedRuntime(RuntimeKind::Containerd),
        restart: &["unit/containerd"],
        run: DAEMON_RELOAD,
        why: "containerd fetches images through the proxy",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/crio.service.d/10-sealift-proxy.conf",
        on: HOSTS,
        when: When::ProxiedRuntime(RuntimeKind::Crio),
        restart: &["unit/crio"],
        run: DAEMON_RELOAD,
        why: "CRI-O fetches images through the proxy",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service",
        on: HOSTS,
        when: When::WithoutUnit,
        restart: KUBELET,
        run: &["systemctl daemon-reload", "systemctl enable kubelet"],
        why: "the kubelet's unit, as packages have it, where there is no package",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
        on: NODES,
        when: When::KubeadmWithoutUnit,
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "starts the kubelet with what kubeadm writes, as packages do, where there is no package",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/10-sealift-proxy.conf",
        on: HOSTS,
        when: When::Proxied,
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "the kubelet finds the proxy",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-etcd-service-manager.conf",
        on: ETCD_ALONE,
        mode: 0o644,
        restart: &["kubelet"],
        run: DAEMON_RELOAD,
        why: "starts the kubelet with that configuration; above kubeadm's 10-kubeadm.conf",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/20-sealift-kubelet.conf",
        on: NODES,
        when: When::StaticPods,
        restart: KUBELET,
        run: DAEMON_RELOAD,
        why: "starts the kubelet of a node that kubeadm does not make; above a 10-kubeadm.conf that is there",
        ..ROW
    },
    FileRow {
        path: "/etc/systemd/system/kubelet.service.d/30-sealift-gate.conf",
        on: HOSTS,
        when: When::Gated,
        mode: 0o644,
        // the gate speaks at the next start; restarting the kubelet for it would be noise
        run: DAEMON_RELOAD,
        why: "the kubelet does not start on a host that drifted",
        ..ROW
    },
    FileRow { path: "/var/lib/kubelet/config.yaml", why: "kubeadm's own", ..KUBEADMS },
    FileRow {
        path: "/var/lib/kubelet/instance-config.yaml",
        why: "kubeadm's own, from 1.34 on by default",
        ..KUBEADMS
    },
    FileRow { path: "/var/lib/kubelet/kubeadm-flags.env", why: "kubeadm's own", ..KUBEADMS },
];
