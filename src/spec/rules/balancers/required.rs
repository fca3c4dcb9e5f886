//! Fields that a kind of balancer cannot be without.

use super::{Entry, Holes, Problem, Spec, entries, wrong};
use crate::spec::types::{Announce, BalancerKind, BalancerRun};

/// What must be written.
pub(in crate::spec::rules) fn required(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for entry in entries(spec, holes) {
        for (field, why, hint) in missing(&entry) {
            if !holes.touch(&entry.path.key(field)) {
                let what = format!("{} {why} `{field}`", entry.kind());
                problems.push(wrong(entry.path.clone(), what).hint(hint));
            }
        }
        if entry.of.bgp.is_some() && entry.of.announce != Some(Announce::Bgp) && !is_hole(&entry, holes) {
            let at = entry.path.key("bgp");
            problems.push(
                wrong(at, "it means nothing with `announce: arp`")
                    .hint("remove it, or write `announce: bgp`"),
            );
        }
    }
}

fn is_hole(entry: &Entry<'_>, holes: &Holes) -> bool {
    entry.of.kind != BalancerKind::KubeVip || holes.touch(&entry.path.key("announce"))
}

/// What an entry lacks: the field, what the kind does with it, and what to write.
fn missing(entry: &Entry<'_>) -> Vec<(&'static str, &'static str, &'static str)> {
    let of = entry.of;
    let run = of.run.unwrap_or_default();
    let contained = of.kind == BalancerKind::KubeVip
        || (of.kind == BalancerKind::Keepalived && run == BalancerRun::StaticPod)
        || (of.kind.is_proxy() && run != BalancerRun::Service);
    let placed = of.kind.is_proxy() || of.kind == BalancerKind::Keepalived;
    let everywhere = if of.kind.is_proxy() { PLACES } else { FEWER_PLACES };
    let bgp = of.kind == BalancerKind::KubeVip && of.announce == Some(Announce::Bgp);
    [
        (placed && of.on.is_none(), ("on", "needs", everywhere)),
        (of.kind.has_vips() && of.vips.is_empty(), ("vips", "needs", "write `vips: [ADDRESS]`")),
        (
            of.kind == BalancerKind::Keepalived && of.virtual_router_id.is_none(),
            (
                "virtualRouterId",
                "needs",
                "write a number from 1 to 255 that no other keepalived of this network has",
            ),
        ),
        (
            contained && of.image.is_none(),
            ("image", "runs in a container, and needs", "write `image: NAME:TAG`: sealift guesses none"),
        ),
        (
            bgp && of.bgp.is_none(),
            (
                "bgp",
                "with `announce: bgp` needs",
                "write `bgp: {as: NUMBER, peers: [{address: ADDRESS, as: NUMBER}]}`",
            ),
        ),
    ]
    .into_iter()
    .filter_map(|(lacks, what)| lacks.then_some(what))
    .collect()
}

const PLACES: &str = "write `on: control-plane`, `on: load-balancer` or `on: node`";
const FEWER_PLACES: &str = "write `on: control-plane` or `on: load-balancer`";
