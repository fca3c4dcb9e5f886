//! Ranges of pods: each node gets a part of each.

use super::{Holes, Path, Problem, Spec};
use crate::spec::scalars::Subnet;
use crate::spec::types::{FlagValues, Provisioner};

/// How many bits may lie between a range's prefix and a node's: `clusterSubnetMaxDiff` of the controller
/// manager (`ipam/cidrset/cidr_set.go`, IPv6 alone), `PodSubnetNodeMaskMaxDiff` of kubeadm (both families).
const MOST: u32 = 16;

fn kubernetes() -> Path {
    Path::root().key("kubernetes")
}

/// The field of a family's mask, and what holds without it.
fn mask_of(ipv6: bool) -> (&'static str, u32) {
    if ipv6 { ("ipv6", 64) } else { ("ipv4", 24) }
}

/// Whether somebody else gives nodes their ranges.
fn allocated_elsewhere(spec: &Spec) -> bool {
    let written = spec.kubernetes.controller_manager.extra_args.iter();
    let mut values = written.filter(|(name, _)| name.as_str() == "allocate-node-cidrs");
    values.any(|(_, values): (_, &FlagValues)| values.iter().last() == Some("false"))
}

/// A range holds the parts of all nodes, and the controller manager can count them.
pub(super) fn ranges(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    let unknown = holes.touch(&kubernetes().key("provisioner"));
    if of.provisioner == Provisioner::None || unknown || allocated_elsewhere(spec) {
        return;
    }
    let list = kubernetes().key("podSubnets");
    for (index, subnet) in of.pod_subnets.iter().enumerate() {
        let (field, default) = mask_of(subnet.is_ipv6());
        if holes.touch(&kubernetes().key("nodeCidrMask").key(field)) {
            continue;
        }
        let written = if subnet.is_ipv6() { of.node_cidr_mask.ipv6 } else { of.node_cidr_mask.ipv4 };
        let at = holes.item(&list, index);
        problems.extend(range(spec, holes, at, *subnet, written.unwrap_or(default)));
    }
}

fn range(spec: &Spec, holes: &Holes, at: Path, subnet: Subnet, mask: u32) -> Option<Problem> {
    let (field, _) = mask_of(subnet.is_ipv6());
    let prefix = u32::from(subnet.prefix());
    let Some(bits) = mask.checked_sub(prefix) else {
        let message = format!("{at}: {subnet} is smaller than what one node gets of it (/{mask})");
        return Some(Problem::error(at, message).hint(format!(
            "write a prefix length of at most {mask}, or a `nodeCidrMask.{field}` of at least {prefix}"
        )));
    };
    let who = match spec.kubernetes.provisioner {
        Provisioner::Kubeadm => "kubeadm refuses",
        _ if subnet.is_ipv6() => "the controller manager refuses",
        _ => "",
    };
    if bits > MOST && !who.is_empty() {
        let message = format!(
            "{at}: {who} {subnet} with /{mask} for each node: more than {MOST} bits lie between them"
        );
        return Some(Problem::error(at, message).hint(format!(
            "write a prefix length of at least {}, or a `nodeCidrMask.{field}` of at most {}",
            mask.saturating_sub(MOST),
            prefix + MOST
        )));
    }
    let nodes = spec.hosts.values().filter(|host| host.is_node()).count();
    let room = 1_usize.checked_shl(bits).unwrap_or(usize::MAX);
    (nodes > room && !holes.touch(&Path::root().key("hosts"))).then(|| {
        let message =
            format!("{at}: {subnet} has room for {room} nodes of /{mask} each, and there are {nodes}");
        Problem::warning(at, message).hint(format!(
            "write a larger range, or a longer `nodeCidrMask.{field}` with fewer pods for each node"
        ))
    })
}

/// A node's part of what there is not.
pub(super) fn masks(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let of = &spec.kubernetes;
    let unknown =
        holes.touch(&kubernetes().key("podSubnets")) || holes.touch(&kubernetes().key("provisioner"));
    if of.provisioner == Provisioner::None || unknown {
        return;
    }
    for (ipv6, written) in [(false, of.node_cidr_mask.ipv4), (true, of.node_cidr_mask.ipv6)] {
        if written.is_none() || of.pod_subnets.iter().any(|subnet| subnet.is_ipv6() == ipv6) {
            continue;
        }
        let (field, _) = mask_of(ipv6);
        let family = if ipv6 { "IPv6" } else { "IPv4" };
        let at = kubernetes().key("nodeCidrMask").key(field);
        let message = format!("{at}: there is no {family} range of pods that nodes get a part of");
        problems.push(Problem::warning(at, message).hint(
            "write one into `kubernetes.podSubnets`, or remove this: without ranges the controller manager \
             gives nodes none",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::cluster;

    fn pods(settings: &str) -> String {
        cluster(&[("  endpoint:", &format!("{settings}  endpoint:"))])
    }

    #[test]
    fn ranges_that_fit() {
        for settings in [
            "",
            "  podSubnets: [10.244.0.0/16]\n",
            "  podSubnets: [10.244.0.0/22]\n",
            "  podSubnets: [10.240.0.0/8]\n".replace("240", "0").as_str(),
            "  podSubnets: [\"fd00:10::/48\", 10.244.0.0/16]\n",
            "  podSubnets: [\"fd00:10::/108\"]\n  nodeCidrMask: {ipv6: 112}\n",
            "  podSubnets: [10.244.0.0/25]\n  controllerManager: {extraArgs: {allocate-node-cidrs: false}}\n",
        ] {
            let without_overlap = settings.replace("10.0.0.0/8", "11.0.0.0/8");
            assert_eq!(pods(&without_overlap), "", "{settings}");
        }
    }

    #[test]
    fn a_range_that_holds_too_few_nodes() {
        assert_eq!(
            pods("  podSubnets: [10.244.0.0/23, \"fd00:10::/64\"]\n"),
            "warning kubernetes.podSubnets[0] | kubernetes.podSubnets[0]: 10.244.0.0/23 has room for 2 nodes of /24 each, and there are 4
warning kubernetes.podSubnets[1] | kubernetes.podSubnets[1]: fd00:10::/64 has room for 1 nodes of /64 each, and there are 4
"
        );
    }

    #[test]
    fn a_range_that_holds_no_node() {
        assert_eq!(
            pods("  podSubnets: [10.244.0.0/25]\n"),
            "error kubernetes.podSubnets[0] | kubernetes.podSubnets[0]: 10.244.0.0/25 is smaller than what one node gets of it (/24)\n"
        );
    }

    #[test]
    fn more_than_sixteen_bits() {
        let expected = "error kubernetes.podSubnets[0] | kubernetes.podSubnets[0]: kubeadm refuses 11.0.0.0/8 with /26 for each node: more than 16 bits lie between them\n";
        let v4 = "  podSubnets: [11.0.0.0/8]\n  nodeCidrMask: {ipv4: 26}\n";
        assert_eq!(pods(v4), expected);
        let static_pods = |settings: &str| {
            cluster(&[
                ("provisioner: kubeadm", "provisioner: static-pods"),
                ("  endpoint:", &format!("{settings}  endpoint:")),
            ])
        };
        assert_eq!(static_pods(v4), "");
        assert_eq!(
            static_pods("  podSubnets: [\"fd00:10::/40\"]\n"),
            "error kubernetes.podSubnets[0] | kubernetes.podSubnets[0]: the controller manager refuses fd00:10::/40 with /64 for each node: more than 16 bits lie between them\n"
        );
    }

    #[test]
    fn masks_without_ranges() {
        assert_eq!(
            pods("  podSubnets: [10.244.0.0/16]\n  nodeCidrMask: {ipv4: 25, ipv6: 80}\n"),
            "warning kubernetes.nodeCidrMask.ipv6 | kubernetes.nodeCidrMask.ipv6: there is no IPv6 range of pods that nodes get a part of\n"
        );
    }

    #[test]
    fn a_hole_says_nothing() {
        assert_eq!(pods("  podSubnets: [10.244.0.0/25]\n  nodeCidrMask: {ipv4: many}\n").lines().count(), 1);
    }
}
