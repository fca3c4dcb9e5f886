//! A preparation in layers: for all, for a role, for a host. Fields of parts are merged one by one.

use crate::plan::settings::{merged, over};
use crate::spec::types::{
    ContainerdPrep, CrictlPrep, CrioPrep, DockerPrep, FreeForm, HostPrep, HostsPrep, JournaldPrep,
    LimitsPrep, LogrotatePrep, ModulesPrep, NtpPrep, SwapPrep, SysctlPrep, TimezonePrep,
};
use std::collections::BTreeMap;

/// Lays a layer over those below.
pub(in crate::plan) fn lay(below: &mut HostPrep, above: &HostPrep) {
    macro_rules! parts {
        ($($part:ident)+) => {{
            // each part by name, so that none is forgotten
            let HostPrep { $($part),+ } = above;
            $(if let Some(above) = $part {
                Lay::lay(below.$part.get_or_insert_default(), above);
            })+
        }};
    }
    parts!(hosts sysctl modules swap containerd docker crio crictl limits logrotate journald timezone ntp);
}

/// Something that a more specific layer says more of.
trait Lay {
    fn lay(&mut self, above: &Self);
}

impl<T: Clone> Lay for Option<T> {
    fn lay(&mut self, above: &Self) {
        over(self, above.as_ref());
    }
}

impl<K: Ord + Clone, V: Clone> Lay for BTreeMap<K, V> {
    fn lay(&mut self, above: &Self) {
        self.extend(above.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// A list of a more specific layer replaces the others.
impl<T: Clone> Lay for Vec<T> {
    fn lay(&mut self, above: &Self) {
        if !above.is_empty() {
            self.clone_from(above);
        }
    }
}

impl Lay for FreeForm {
    fn lay(&mut self, above: &Self) {
        *self = merged(self, above);
    }
}

macro_rules! lay {
    ($($type:ident { $($field:ident),+ })+) => {
        $(impl Lay for $type {
            fn lay(&mut self, above: &Self) {
                let Self { $($field),+ } = above;
                $(Lay::lay(&mut self.$field, $field);)+
            }
        })+
    };
}

lay! {
    HostsPrep { enabled, entries }
    SysctlPrep { enabled, settings, omit }
    ModulesPrep { enabled, extra, omit }
    SwapPrep { enabled, mode }
    ContainerdPrep { enabled, format, config }
    DockerPrep { enabled, config }
    CrioPrep { enabled, config }
    CrictlPrep { enabled, timeout }
    LimitsPrep { enabled, open_files }
    LogrotatePrep { enabled, paths, keep, size }
    JournaldPrep { enabled, max_use, max_retention }
    TimezonePrep { enabled, name }
    NtpPrep { enabled, client, servers }
}
