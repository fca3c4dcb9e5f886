//! Control planes and nodes: roles that fit together, and what they need.

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::{
    ApiServer, CaName, ControllerManager, Host, Images, Join, KubeProxy, NodeCidrMask, Provisioner, Role,
    Scheduler,
};

fn kubernetes() -> Path {
    Path::root().key("kubernetes")
}

/// The path of a role in a host's list.
fn role_at(path: &Path, host: &Host, role: Role, holes: &Holes) -> Path {
    let index = host.roles.iter().position(|other| *other == role).unwrap_or_default();
    holes.item(&path.key("roles"), index)
}

/// Nodes need a provisioner, and a provisioner needs a control plane.
pub(super) fn provisioner(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = kubernetes().key("provisioner");
    if holes.touch(&at) || holes.touch(&Path::root().key("hosts")) {
        return;
    }
    let none = spec.kubernetes.provisioner == Provisioner::None;
    for (path, name, host) in super::hosts(spec).filter(|_| none) {
        let role = [Role::ControlPlane, Role::Worker].into_iter().find(|role| host.has(*role));
        if let Some(role) = role {
            let message = format!("{name} is a {}, and nobody provisions Kubernetes", words(role));
            problems.push(
                Problem::error(role_at(&path, host, role, holes), message)
                    .hint("write `provisioner: kubeadm` or `provisioner: static-pods` under `kubernetes`"),
            );
        }
    }
    if !none && !spec.hosts.values().any(|host| host.has(Role::ControlPlane)) {
        problems.push(
            Problem::error(Path::root().key("hosts"), "no host has the role `control-plane`")
                .hint("write `roles: [control-plane]` at one or more hosts, or `provisioner: none`"),
        );
    }
}

fn words(role: Role) -> &'static str {
    match role {
        Role::ControlPlane => "control plane",
        Role::Worker => "worker",
        Role::Etcd => "etcd member",
        Role::LoadBalancer => "load balancer",
    }
}

/// A worker is no control plane. Members of etcd under a kubelet lie on no worker, and either on all
/// control planes or on none.
pub(super) fn roles(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for (path, name, host) in super::hosts(spec).filter(|(_, _, host)| host.has(Role::Worker)) {
        if host.has(Role::ControlPlane) {
            let message = format!("{name} is a control plane and a worker");
            let hint = "remove `worker`: a control plane is a node already";
            problems.push(Problem::error(role_at(&path, host, Role::Worker, holes), message).hint(hint));
        }
        if host.has(Role::Etcd) && !spec.etcd.run.is_unit() {
            let message = format!("{name} is a worker and an etcd member");
            let hint = "give etcd hosts of its own, or put it on the control planes";
            problems.push(Problem::error(role_at(&path, host, Role::Etcd, holes), message).hint(hint));
        }
    }
    // a unit depends on no kubelet and no kubeadm
    if holes.touch(&Path::root().key("hosts")) || spec.etcd.run.is_unit() {
        return;
    }
    let stacked = |host: &Host| host.has(Role::ControlPlane) && host.has(Role::Etcd);
    if !spec.hosts.values().any(stacked) {
        return;
    }
    for (path, name, host) in super::hosts(spec) {
        let (control_plane, etcd) = (host.has(Role::ControlPlane), host.has(Role::Etcd));
        let (role, message) = match (control_plane, etcd) {
            (true, false) => {
                (Role::ControlPlane, format!("{name} is a control plane without an etcd member of its own"))
            }
            (false, true) if !host.has(Role::Worker) => {
                (Role::Etcd, format!("{name} is an etcd member beside those on control planes"))
            }
            _ => continue,
        };
        let hint = "put a member on each control plane and on no other host, or on other hosts alone";
        problems.push(Problem::error(role_at(&path, host, role, holes), message).hint(hint));
    }
}

/// Everybody must reach the control planes under one name.
pub(super) fn endpoint(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let at = kubernetes().key("endpoint");
    let control_plane = spec.hosts.values().any(|host| host.has(Role::ControlPlane));
    let known = spec.kubernetes.endpoint.is_some() || holes.touch(&at);
    if control_plane && !known && spec.kubernetes.provisioner != Provisioner::None {
        problems.push(Problem::error(at, "control planes need an endpoint").hint(
            "write `endpoint: NAME:PORT` under `kubernetes`: where a load balancer, a virtual IP or DNS leads to \
             the API servers; it cannot be changed later without new certificates and kubeconfigs",
        ));
    }
}

/// The first control plane is one.
pub(super) fn first_control_plane(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let Some(name) = &spec.kubernetes.first_control_plane else { return };
    if holes.touch(&Path::root().key("hosts")) {
        return;
    }
    if !spec.hosts.get(name).is_some_and(|host| host.has(Role::ControlPlane)) {
        let at = kubernetes().key("firstControlPlane");
        let message = format!("{at}: {name} is no control plane");
        problems.push(Problem::error(at, message).hint("name a host with the role `control-plane`"));
    }
}

/// Who joins with a token has the controller manager sign its certificate.
pub(super) fn tokens(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let keys = Path::root().key("pki").key("caKeysOnHosts");
    let signs = spec.pki.ca_keys_on_hosts.contains(&CaName::Kubernetes) || holes.touch(&keys);
    let (join, tokens) = (kubernetes().key("join"), kubernetes().key("bootstrapTokens"));
    let without = "without the Kubernetes CA's key on control planes the controller manager signs no \
                   certificate of a kubelet";
    let hint = "write `caKeysOnHosts: [kubernetes]` under `pki`, or let nodes join with certificates";
    if spec.kubernetes.join == Join::Token {
        if !signs {
            problems.push(Problem::error(join.clone(), format!("{join}: {without}")).hint(hint));
        }
        if spec.kubernetes.bootstrap_tokens.is_empty() && !holes.touch(&tokens) {
            problems.push(
                Problem::error(join.clone(), format!("{join}: there is no bootstrap token"))
                    .hint("write `bootstrapTokens: {join: {}}` under `kubernetes`"),
            );
        }
    } else if !spec.kubernetes.bootstrap_tokens.is_empty() && !signs {
        problems.push(Problem::warning(tokens.clone(), format!("{tokens}: {without}")).hint(
            "such a token serves discovery alone; write `caKeysOnHosts: [kubernetes]` under `pki` if nodes \
             shall join with it",
        ));
    }
}

/// What only a control plane gives a meaning.
pub(super) fn pointless(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    if spec.kubernetes.provisioner != Provisioner::None || holes.touch(&kubernetes().key("provisioner")) {
        return;
    }
    let of = &spec.kubernetes;
    let pki = Path::root().key("pki");
    let written = [
        (spec.encryption_at_rest.is_some(), Path::root().key("encryptionAtRest")),
        (spec.pki.cas.kubernetes.is_written(), pki.key("cas").key("kubernetes")),
        (spec.pki.cas.front_proxy.is_written(), pki.key("cas").key("front-proxy")),
    ];
    let fields = [
        ("endpoint", of.endpoint.is_some()),
        ("serviceSubnets", !of.service_subnets.is_empty()),
        ("podSubnets", !of.pod_subnets.is_empty()),
        ("firstControlPlane", of.first_control_plane.is_some()),
        ("join", of.join == Join::Token),
        ("bootstrapTokens", !of.bootstrap_tokens.is_empty()),
        ("nodeCidrMask", of.node_cidr_mask != NodeCidrMask::default()),
        ("untaintControlPlanes", of.untaint_control_planes),
        ("apiServer", api_server(&of.api_server)),
        ("controllerManager", controller_manager(&of.controller_manager)),
        ("scheduler", scheduler(&of.scheduler)),
        ("kubeProxy", kube_proxy(&of.kube_proxy)),
        ("coreDns", of.core_dns.disabled),
        ("manifests", !of.manifests.is_empty()),
    ];
    let fields = fields.into_iter().map(|(field, written)| (written, kubernetes().key(field)));
    let written = fields.chain(written).chain(images(&of.images));
    for (_, at) in written.filter(|(written, _)| *written) {
        let message = format!("{at} means nothing to a cluster without a control plane");
        problems.push(Problem::warning(at, message).hint("remove it, or choose a provisioner"));
    }
}

fn api_server(of: &ApiServer) -> bool {
    let ApiServer { extra_args, extra_volumes, extra_envs, audit, oidc, authentication, admission } = of;
    let own = !extra_args.is_empty() || !extra_volumes.is_empty() || !extra_envs.is_empty();
    own || audit.is_some() || oidc.is_some() || authentication.is_some() || admission.is_some()
}

fn controller_manager(of: &ControllerManager) -> bool {
    let ControllerManager {
        extra_args,
        extra_volumes,
        extra_envs,
        node_monitor_period,
        node_monitor_grace_period,
    } = of;
    let own = !extra_args.is_empty() || !extra_volumes.is_empty() || !extra_envs.is_empty();
    own || node_monitor_period.is_some() || node_monitor_grace_period.is_some()
}

fn scheduler(of: &Scheduler) -> bool {
    let Scheduler { extra_args, extra_volumes, extra_envs } = of;
    !extra_args.is_empty() || !extra_volumes.is_empty() || !extra_envs.is_empty()
}

fn kube_proxy(of: &KubeProxy) -> bool {
    let KubeProxy { disabled, mode, scheduler, sync_period, min_sync_period, config } = of;
    *disabled
        || mode.is_some()
        || scheduler.is_some()
        || sync_period.is_some()
        || min_sync_period.is_some()
        || !config.is_empty()
}

/// All but `pause`, which holds etcd's pod too.
fn images(of: &Images) -> [(bool, Path); 5] {
    let Images { kube_apiserver, kube_controller_manager, kube_scheduler, kube_proxy, coredns, pause: _ } =
        of;
    let at = |field: &str| kubernetes().key("images").key(field);
    [
        (kube_apiserver.is_some(), at("kubeApiserver")),
        (kube_controller_manager.is_some(), at("kubeControllerManager")),
        (kube_scheduler.is_some(), at("kubeScheduler")),
        (kube_proxy.is_some(), at("kubeProxy")),
        (coredns.is_some(), at("coredns")),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{GOOD, brief};

    #[test]
    fn what_means_nothing_to_etcd_alone() {
        let settings = "provisioner: none
  nodeCidrMask: {ipv4: 25}
  untaintControlPlanes: true
  apiServer: {extraEnvs: {A: b}}
  controllerManager: {nodeMonitorPeriod: 5s}
  scheduler: {extraArgs: {v: 4}}
  kubeProxy: {disabled: true}
  coreDns: {disabled: true}
  images: {pause: \"a/pause:1\", coredns: \"a/coredns:1\"}";
        let written = brief(&GOOD.replacen("provisioner: none", settings, 1));
        let fields = [
            "nodeCidrMask",
            "untaintControlPlanes",
            "apiServer",
            "controllerManager",
            "scheduler",
            "kubeProxy",
            "coreDns",
            "images.coredns",
        ];
        let expected = fields.map(|field| {
            format!("warning kubernetes.{field} | kubernetes.{field} means nothing to a cluster without a control plane\n")
        });
        assert_eq!(written, expected.concat());
    }
}
