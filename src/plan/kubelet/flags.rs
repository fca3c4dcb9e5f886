//! The kubelet's flags.

use crate::plan::host::Shared;
use crate::plan::node;
use crate::plan::settings::Settings;
use crate::spec::scalars::HostName;
use crate::spec::types::Host;
use std::collections::BTreeMap;

/// What a node's kubelet is told by flags because its configuration file has no field for it: values
/// by name without dashes. Flags of the spec replace those of the same name.
pub(super) fn of_node(
    shared: &Shared<'_>,
    name: &HostName,
    host: &Host,
    settings: &Settings,
) -> BTreeMap<String, Vec<String>> {
    let mut flags = BTreeMap::new();
    let mut flag = |name: &str, value: String| flags.insert(name.to_owned(), vec![value]);
    flag("hostname-override", name.to_string());
    let addresses = node::addresses(shared.spec, host);
    if !addresses.is_empty() {
        flag("node-ip", join(&addresses));
    }
    let labels = node::kubelet_labels(settings);
    if !labels.is_empty() {
        flag("node-labels", join(labels.iter().map(|(key, value)| format!("{key}={value}"))));
    }
    // up to 1.34 it keeps the image from being collected; the kubelet does not know it any more after
    let known = shared.release.is_some_and(|release| release.pod_infra_flag);
    if let Some(images) = shared.images.as_ref().filter(|_| known) {
        flag("pod-infra-container-image", images.pause.clone());
    }
    flags.extend(settings.kubelet_args.clone());
    flags
}

fn join<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|one| one.to_string()).collect::<Vec<_>>().join(",")
}

/// Flags as arguments, in byte order of their names.
pub(super) fn arguments(flags: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let all =
        flags.iter().flat_map(|(name, values)| values.iter().map(move |value| format!("--{name}={value}")));
    all.collect()
}
