//! The table.

use super::place::{CONTROL_PLANE, ETCD, NODES, OPERATOR};
use super::{CertRow, Cn, Eku, Form, Kind, Organization, Place, Sans, Server, When};
use crate::plan::Policy;
use crate::spec::types::{CaName, Role};

const CONTROL_PLANE_AND_OPERATOR: &[Place] = &[Place::Role(Role::ControlPlane), Place::Operator];
const CLIENT: &[Eku] = &[Eku::ClientAuth];
const SERVER: &[Eku] = &[Eku::ServerAuth];
const SERVER_AND_CLIENT: &[Eku] = &[Eku::ServerAuth, Eku::ClientAuth];

/// What most rows have.
const CA: CertRow = CertRow {
    id: "",
    kind: Kind::KeyPair,
    on: &[],
    key_on: OPERATOR,
    key_on_request: CONTROL_PLANE,
    when: When::Always,
    cn: Cn::Fixed(""),
    organization: Organization::None,
    sans: Sans::CommonName,
    eku: &[],
    form: Form::Pair(""),
    policy: Policy::Managed,
    restart: &[],
    why: "",
};
const LEAF: CertRow = CertRow { key_on: &[], key_on_request: &[], sans: Sans::None, ..CA };

/// What pods of a `StatefulSet` have: the operators' Secrets are made of it.
const STATEFUL_SET: CertRow = CertRow {
    kind: Kind::IssuedBy(CaName::Etcd),
    on: OPERATOR,
    key_on: OPERATOR,
    when: When::StatefulSet,
    ..LEAF
};

/// Every certificate there is. Authorities stand before what they issue.
pub const CERTS: &[CertRow] = &[
    CertRow {
        id: "ca",
        kind: Kind::Authority(CaName::Kubernetes),
        on: &[Place::Role(Role::ControlPlane), Place::Role(Role::Worker), Place::Operator],
        // kubeadm refuses a worker that joins with a token and has it already
        when: When::NotByToken,
        cn: Cn::Fixed("kubernetes"),
        form: Form::Pair("/etc/kubernetes/pki/ca"),
        // the API server and the kubelet read it again by themselves; root-ca-file is read at start
        restart: &["static-pod/kube-controller-manager"],
        why: "issues the API server, kubelets and everybody who speaks to them",
        ..CA
    },
    CertRow {
        id: "front-proxy-ca",
        kind: Kind::Authority(CaName::FrontProxy),
        on: CONTROL_PLANE_AND_OPERATOR,
        cn: Cn::Fixed("front-proxy-ca"),
        form: Form::Pair("/etc/kubernetes/pki/front-proxy-ca"),
        why: "tells aggregated API servers that a request comes through the API server",
        ..CA
    },
    CertRow {
        id: "etcd-ca",
        kind: Kind::Authority(CaName::Etcd),
        on: &[Place::Role(Role::Etcd), Place::Role(Role::ControlPlane), Place::Operator],
        key_on_request: ETCD,
        cn: Cn::Fixed("etcd-ca"),
        form: Form::Pair("/etc/kubernetes/pki/etcd/ca"),
        // etcd and the API server read their etcd CA file at start only
        restart: &["static-pod/etcd", "static-pod/kube-apiserver"],
        why: "issues everything that speaks to etcd",
        ..CA
    },
    CertRow {
        id: "apiserver",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: CONTROL_PLANE,
        key_on: CONTROL_PLANE,
        cn: Cn::Fixed("kube-apiserver"),
        sans: Sans::ApiServer,
        eku: SERVER,
        form: Form::Pair("/etc/kubernetes/pki/apiserver"),
        why: "serves the Kubernetes API",
        ..LEAF
    },
    CertRow {
        id: "apiserver-kubelet-client",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: CONTROL_PLANE,
        key_on: CONTROL_PLANE,
        cn: Cn::Fixed("kube-apiserver-kubelet-client"),
        organization: Organization::KubeletClient,
        eku: CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/apiserver-kubelet-client"),
        why: "the API server asks kubelets for logs and commands",
        ..LEAF
    },
    CertRow {
        id: "front-proxy-client",
        kind: Kind::IssuedBy(CaName::FrontProxy),
        on: CONTROL_PLANE,
        key_on: CONTROL_PLANE,
        cn: Cn::Fixed("front-proxy-client"),
        eku: CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/front-proxy-client"),
        why: "the API server forwards requests to aggregated API servers",
        ..LEAF
    },
    CertRow {
        id: "etcd-server",
        kind: Kind::IssuedBy(CaName::Etcd),
        on: ETCD,
        key_on: ETCD,
        when: When::OfEachMember,
        cn: Cn::HostName,
        sans: Sans::Etcd,
        eku: SERVER_AND_CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/server"),
        why: "serves etcd's clients; ClientAuth too: etcd's gateway dials itself with it",
        ..LEAF
    },
    CertRow {
        id: "etcd-peer",
        kind: Kind::IssuedBy(CaName::Etcd),
        on: ETCD,
        key_on: ETCD,
        when: When::OfEachMember,
        cn: Cn::HostName,
        sans: Sans::Etcd,
        eku: SERVER_AND_CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/peer"),
        why: "members prove themselves to each other, in both directions",
        ..LEAF
    },
    CertRow {
        id: "etcd-shared",
        kind: Kind::IssuedBy(CaName::Etcd),
        on: ETCD,
        key_on: ETCD,
        when: When::OfAllMembers,
        cn: Cn::Fixed("etcd"),
        sans: Sans::Members,
        eku: SERVER_AND_CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/etcd"),
        why: "one for all members, to serve clients and for peers, in place of etcd-server and etcd-peer",
        ..LEAF
    },
    CertRow {
        id: "etcd-healthcheck-client",
        kind: Kind::IssuedBy(CaName::Etcd),
        on: ETCD,
        key_on: ETCD,
        cn: Cn::Fixed("kube-etcd-healthcheck-client"),
        eku: CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/healthcheck-client"),
        why: "etcdctl on the member's host",
        ..LEAF
    },
    CertRow {
        id: "apiserver-etcd-client",
        kind: Kind::IssuedBy(CaName::Etcd),
        on: CONTROL_PLANE_AND_OPERATOR,
        key_on: CONTROL_PLANE_AND_OPERATOR,
        when: When::EtcdOnHosts,
        cn: Cn::Fixed("kube-apiserver-etcd-client"),
        eku: CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/apiserver-etcd-client"),
        why: "API servers speak to etcd; the operators have one of their own, for control planes that \
              sealift does not know",
        ..LEAF
    },
    CertRow {
        id: "etcd-statefulset-server",
        cn: Cn::Fixed("etcd-server"),
        sans: Sans::StatefulSet,
        eku: SERVER_AND_CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/statefulset-server"),
        why: "serves etcd's clients from every pod; ClientAuth as for members on hosts",
        ..STATEFUL_SET
    },
    CertRow {
        id: "etcd-statefulset-peer",
        cn: Cn::Fixed("etcd-peer"),
        sans: Sans::StatefulSet,
        eku: SERVER_AND_CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/statefulset-peer"),
        why: "pods prove themselves to each other: pods of one template share one",
        ..STATEFUL_SET
    },
    CertRow {
        id: "etcd-statefulset-client",
        cn: Cn::Fixed("etcd-client"),
        eku: CLIENT,
        form: Form::Pair("/etc/kubernetes/pki/etcd/statefulset-client"),
        why: "etcdctl in the pods and from outside, and whoever uses this etcd",
        ..STATEFUL_SET
    },
    CertRow {
        id: "sa",
        kind: Kind::KeyPair,
        on: CONTROL_PLANE,
        key_on: CONTROL_PLANE,
        form: Form::PublicKey("/etc/kubernetes/pki/sa"),
        restart: &["static-pod/kube-apiserver", "static-pod/kube-controller-manager"],
        why: "signs the tokens of service accounts; one pair for all control planes",
        ..LEAF
    },
    CertRow {
        id: "admin",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: CONTROL_PLANE_AND_OPERATOR,
        key_on: CONTROL_PLANE_AND_OPERATOR,
        when: When::Administered,
        cn: Cn::Fixed("kubernetes-admin"),
        organization: Organization::Fixed("kubeadm:cluster-admins"),
        eku: CLIENT,
        form: Form::Kubeconfig("/etc/kubernetes/admin.conf", Server::Endpoint),
        policy: Policy::Bootstrap,
        why: "administrators; kubeadm needs it on a control plane when it initialises, joins and upgrades, \
              kube-vip always",
        ..LEAF
    },
    CertRow {
        id: "super-admin",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: &[Place::FirstControlPlane, Place::Operator],
        key_on: &[Place::FirstControlPlane, Place::Operator],
        when: When::Initializing,
        cn: Cn::Fixed("kubernetes-super-admin"),
        organization: Organization::Fixed("system:masters"),
        eku: CLIENT,
        form: Form::Kubeconfig("/etc/kubernetes/super-admin.conf", Server::Endpoint),
        policy: Policy::Bootstrap,
        why: "the first bindings, and the way in when they are broken: no rule of the cluster holds it",
        ..LEAF
    },
    CertRow {
        id: "controller-manager",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: CONTROL_PLANE,
        key_on: CONTROL_PLANE,
        cn: Cn::Fixed("system:kube-controller-manager"),
        eku: CLIENT,
        form: Form::Kubeconfig("/etc/kubernetes/controller-manager.conf", Server::Local),
        restart: &["static-pod/kube-controller-manager"],
        why: "the controller manager speaks to its own API server",
        ..LEAF
    },
    CertRow {
        id: "scheduler",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: CONTROL_PLANE,
        key_on: CONTROL_PLANE,
        cn: Cn::Fixed("system:kube-scheduler"),
        eku: CLIENT,
        form: Form::Kubeconfig("/etc/kubernetes/scheduler.conf", Server::Local),
        restart: &["static-pod/kube-scheduler"],
        why: "the scheduler speaks to its own API server",
        ..LEAF
    },
    CertRow {
        id: "kubelet",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: NODES,
        key_on: NODES,
        when: When::NotByToken,
        cn: Cn::Node,
        organization: Organization::Fixed("system:nodes"),
        eku: CLIENT,
        form: Form::Kubeconfig("/etc/kubernetes/kubelet.conf", Server::Kubelet),
        policy: Policy::Initial,
        restart: &["kubelet"],
        why: "the kubelet speaks to the API server",
        ..LEAF
    },
    CertRow {
        id: "kubelet-serving",
        kind: Kind::IssuedBy(CaName::Kubernetes),
        on: NODES,
        key_on: NODES,
        when: When::NotByToken,
        cn: Cn::Node,
        organization: Organization::Fixed("system:nodes"),
        sans: Sans::Node,
        eku: SERVER,
        // where the kubelet looks before it signs one for itself
        form: Form::Pair("/var/lib/kubelet/pki/kubelet"),
        why: "serves the kubelet's API; without it the kubelet signs one that nobody can check",
        ..LEAF
    },
];
