//! The timer that verifies hosts.

use super::{Holes, Path, Problem, Spec};
use crate::spec::types::Verify;

/// node-exporter reads what ends in `.prom`, in a directory of its own (textfile collector); sealift's own
/// files and those of the kubelet are none.
pub(super) fn metrics(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let root = Path::root();
    let roles = spec.roles.iter().map(|(role, layer)| (root.key("roles").key(role.name()), &layer.verify));
    let hosts = super::hosts(spec).map(|(path, _, host)| (path, &host.verify));
    for (path, layer) in [(root.clone(), &spec.verify)].into_iter().chain(roles).chain(hosts) {
        let at = path.key("verify").key("timer").key("metrics");
        if !holes.touch(&at) {
            problems.extend(wrong(layer, &at));
        }
    }
}

/// Directories in which other things lie that a file of metrics must not stand among.
const OTHERS: [&str; 5] = ["/etc/", "/var/lib/sealift/", "/var/lib/kubelet/", "/usr/", "/proc/"];

fn wrong(layer: &Verify, at: &Path) -> Option<Problem> {
    let metrics = layer.timer.as_ref()?.metrics.as_ref()?.as_str();
    let hint = "name a file of node-exporter's directory (--collector.textfile.directory), such as /var/lib/prometheus/node-exporter/sealift.prom";
    let file = metrics.rsplit('/').next().unwrap_or_default();
    if file.len() <= ".prom".len() || !file.ends_with(".prom") {
        let message = format!("{at}: node-exporter reads no file that does not end in .prom");
        return Some(Problem::error(at.clone(), message).hint(hint));
    }
    let elsewhere = metrics.matches('/').count() < 2 || OTHERS.iter().any(|other| metrics.starts_with(other));
    elsewhere.then(|| {
        let message = format!("{at}: no directory for metrics");
        Problem::error(at.clone(), message).hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{GOOD, brief};

    fn told(metrics: &str) -> String {
        brief(&format!("{GOOD}verify: {{timer: {{metrics: {metrics}}}}}\n"))
    }

    #[test]
    fn metrics_lie_where_node_exporter_reads_them() {
        assert_eq!(told("/var/lib/prometheus/node-exporter/sealift.prom"), "");
        assert_eq!(told("/srv/metrics/x.prom"), "");
        let at = "verify.timer.metrics";
        let ending = format!("error {at} | {at}: node-exporter reads no file that does not end in .prom\n");
        assert_eq!(told("/srv/metrics/x.txt"), ending);
        assert_eq!(told("/srv/metrics/.prom"), ending);
        let place = format!("error {at} | {at}: no directory for metrics\n");
        for path in ["/x.prom", "/etc/kubernetes/manifests/x.prom", "/var/lib/sealift/x.prom", "/usr/x.prom"]
        {
            assert_eq!(told(path), place, "{path}");
        }
    }
}
