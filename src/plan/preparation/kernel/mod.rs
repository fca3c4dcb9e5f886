//! Modules and settings of the kernel.

mod defaults;

use super::{Site, is_off};
use crate::spec::scalars::SysctlKey;
use crate::spec::types::{KubeProxyMode, Spec, SwapMode};
use serde::Serialize;
use std::collections::BTreeMap;

pub use defaults::{DefaultModule, DefaultSetting, MODULES, REMOVED, RemovedSetting, SETTINGS, Where};

/// Settings of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SysctlPlan {
    /// In byte order of their keys.
    pub settings: Vec<SettingPlan>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingPlan {
    /// As sysctl.d(5) has it.
    pub key: String,
    /// Its value.
    pub value: String,
    /// What for.
    pub why: &'static str,
}

/// Modules of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModulesPlan {
    /// In byte order of their names.
    pub modules: Vec<ModulePlan>,
}

/// One module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModulePlan {
    /// As `lsmod` shows it.
    pub name: String,
    /// What for.
    pub why: &'static str,
}

/// Why something is there that is not of the tables.
const ASKED: &str = "the spec asks for it";

/// The settings of a host: defaults where a kubelet runs, those of the spec anywhere.
pub(super) fn sysctl(site: &Site<'_>) -> Option<SysctlPlan> {
    let part = site.settings.prep.sysctl.as_ref().filter(|part| !is_off(part.enabled))?;
    let defaults = SETTINGS.iter().filter(|row| holds(site, row.on));
    let mut all: BTreeMap<&str, (&str, &'static str)> =
        defaults.map(|row| (row.key, (row.value, row.why))).collect();
    all.extend(part.settings.iter().map(|(key, value)| (key.as_str(), (value.as_str(), ASKED))));
    for key in &part.omit {
        all.remove(key.as_str());
    }
    let setting = |(key, (value, why)): (&str, (&str, &'static str))| SettingPlan {
        key: key.to_owned(),
        value: value.to_owned(),
        why,
    };
    let settings: Vec<_> = all.into_iter().map(setting).collect();
    (!settings.is_empty()).then_some(SysctlPlan { settings })
}

/// The modules of a host: defaults where a kubelet runs, those of the spec anywhere.
pub(super) fn modules(site: &Site<'_>) -> Option<ModulesPlan> {
    let part = site.settings.prep.modules.as_ref().filter(|part| !is_off(part.enabled))?;
    let mut all: BTreeMap<String, &'static str> =
        part.extra.iter().map(|name| (name.to_string(), ASKED)).collect();
    if let Some(name) = scheduler(site.shared.spec).filter(|_| holds(site, Where::Ipvs)) {
        all.insert(name, SCHEDULER);
    }
    let defaults = MODULES.iter().filter(|row| holds(site, row.on));
    all.extend(defaults.map(|row| (row.name.to_owned(), row.why)));
    for name in &part.omit {
        all.remove(name.as_str());
    }
    let modules: Vec<_> = all.into_iter().map(|(name, why)| ModulePlan { name, why }).collect();
    (!modules.is_empty()).then_some(ModulesPlan { modules })
}

/// Why the module of a scheduler is there.
const SCHEDULER: &str = "the scheduler that the spec gives to kube-proxy";

/// The module of the scheduler that kube-proxy is told.
pub(super) fn scheduler(spec: &Spec) -> Option<String> {
    let scheduler = spec.kubernetes.kube_proxy.scheduler.as_ref()?;
    Some(format!("ip_vs_{scheduler}"))
}

/// Whether a default holds on a host.
fn holds(site: &Site<'_>, on: Where) -> bool {
    let of = &site.shared.spec.kubernetes;
    let node = site.host.is_node();
    let proxies = |mode| node && !of.kube_proxy.disabled && of.kube_proxy.mode == Some(mode);
    site.kubelet.is_some()
        && match on {
            Where::Kubelet => true,
            Where::NoSwap => {
                let swap = site.settings.prep.swap.as_ref().filter(|part| !is_off(part.enabled));
                swap.is_some_and(|part| part.mode.unwrap_or_default() == SwapMode::Off)
            }
            Where::Node => node,
            Where::Ipv6 => node && of.pod_subnets.iter().any(|subnet| subnet.address().is_ipv6()),
            Where::Ipvs => proxies(KubeProxyMode::Ipvs),
            Where::Nftables => proxies(KubeProxyMode::Nftables),
        }
}

/// Since when kernels have no such setting.
pub(super) fn removed(key: &SysctlKey) -> Option<&'static str> {
    REMOVED.iter().find(|row| row.key == key.as_str()).map(|row| row.since)
}

#[cfg(test)]
mod tests {
    use super::{MODULES, REMOVED, SETTINGS};
    use crate::spec::scalars::{ModuleName, SysctlKey, SysctlValue};

    #[test]
    fn rows_are_sorted_and_what_a_spec_could_say() {
        assert!(MODULES.is_sorted_by_key(|row| row.name));
        assert!(SETTINGS.is_sorted_by_key(|row| row.key));
        assert!(REMOVED.is_sorted_by_key(|row| row.key));
        assert!(MODULES.iter().all(|row| row.name.parse::<ModuleName>().is_ok()));
        assert!(SETTINGS.iter().all(|row| row.key.parse::<SysctlKey>().is_ok()));
        assert!(SETTINGS.iter().all(|row| row.value.parse::<SysctlValue>().is_ok()));
        assert!(REMOVED.iter().all(|row| SETTINGS.iter().all(|setting| setting.key != row.key)));
    }

    #[test]
    fn a_setting_of_a_module_comes_with_it() {
        for setting in SETTINGS {
            let Some(name) = setting.module else { continue };
            let module = MODULES.iter().find(|row| row.name == name);
            assert!(module.is_some_and(|module| module.on == setting.on), "{}", setting.key);
        }
    }
}
