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
    let mut flags = node::kubelet_flags(shared.spec, host, settings);
    flags.insert("hostname-override".to_owned(), vec![name.to_string()]);
    // up to 1.34 it keeps the image from being collected; the kubelet does not know it any more after
    let known = shared.release.is_some_and(|release| release.pod_infra_flag);
    if let Some(images) = shared.images.as_ref().filter(|_| known) {
        flags.insert("pod-infra-container-image".to_owned(), vec![images.pause.clone()]);
    }
    flags.extend(settings.kubelet_args.clone());
    flags
}

/// Flags as arguments, in byte order of their names.
pub(super) fn arguments(flags: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let all =
        flags.iter().flat_map(|(name, values)| values.iter().map(move |value| format!("--{name}={value}")));
    all.collect()
}
