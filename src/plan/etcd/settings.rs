//! PLACEHOLDER until room A.
use crate::plan::settings::Settings;
use crate::spec::scalars::EtcdVersion;
use crate::spec::types::Spec;
use std::collections::BTreeMap;

pub(super) fn flags(
    _spec: &Spec,
    settings: &Settings,
    version: EtcdVersion,
) -> BTreeMap<String, Vec<String>> {
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut add = |name: &str, value: &str| {
        flags.insert(name.to_owned(), vec![value.to_owned()]);
    };
    add("snapshot-count", "10000");
    if version.minor() >= 6 {
        add("feature-gates", "InitialCorruptCheck=true");
        add("watch-progress-notify-interval", "5s");
    } else {
        add("experimental-initial-corrupt-check", "true");
        add("experimental-watch-progress-notify-interval", "5s");
    }
    flags.extend(settings.etcd.extra_args.clone());
    flags
}
