//! What a key of a unit file does when it is set again.

/// How assignments of one key add up (systemd's `load-fragment-gperf.gperf.in`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The last one holds; an empty one is the default again.
    Single,
    /// They add up, and what one adds takes nothing from the others; an empty one takes all back.
    List,
    /// They add up, and none takes back: dependencies.
    Dependency,
}

/// Keys that add up, by name. Not here are lists that permit or forbid (`CapabilityBoundingSet=`,
/// `SystemCallFilter=` …): what is added there changes what the others say.
const LISTS: [&str; 16] = [
    "Documentation",
    "Environment",
    "EnvironmentFile",
    "ExecCondition",
    "ExecReload",
    "ExecStartPost",
    "ExecStartPre",
    "ExecStop",
    "ExecStopPost",
    "LoadCredential",
    "LogExtraFields",
    "PassEnvironment",
    "RestartForceExitStatus",
    "SetCredential",
    "SupplementaryGroups",
    "UnsetEnvironment",
];

const DEPENDENCIES: [&str; 24] = [
    "After",
    "Also",
    "Before",
    "BindsTo",
    "Conflicts",
    "JoinsNamespaceOf",
    "OnFailure",
    "OnSuccess",
    "PartOf",
    "PropagatesReloadTo",
    "PropagatesStopTo",
    "ReloadPropagatedFrom",
    "RequiredBy",
    "Requires",
    "RequiresMountsFor",
    "Requisite",
    "Sockets",
    "StopPropagatedFrom",
    "Upholds",
    "UpheldBy",
    "WantedBy",
    "Wants",
    "WantsMountsFor",
    "Alias",
];

/// Older names that systemd still reads, with section, and what they are now.
const RENAMED: [(&str, &str, &str, &str); 7] = [
    ("Unit", "BindTo", "Unit", "BindsTo"),
    ("Unit", "PropagateReloadTo", "Unit", "PropagatesReloadTo"),
    ("Unit", "PropagateReloadFrom", "Unit", "ReloadPropagatedFrom"),
    ("Unit", "StartLimitInterval", "Unit", "StartLimitIntervalSec"),
    ("Service", "StartLimitInterval", "Unit", "StartLimitIntervalSec"),
    ("Service", "StartLimitBurst", "Unit", "StartLimitBurst"),
    ("Service", "StartLimitAction", "Unit", "StartLimitAction"),
];

/// The setting that a key of a section is: conditions are one list, and so are assertions, since an
/// empty one of any kind takes all of them back.
pub fn setting<'a>(section: &'a str, key: &'a str) -> (&'a str, &'a str) {
    let renamed = RENAMED.iter().find(|(old_section, old, ..)| (*old_section, *old) == (section, key));
    match renamed {
        Some((.., new_section, new)) => (new_section, new),
        None if section == "Unit" && key.starts_with("Condition") => (section, CONDITIONS),
        None if section == "Unit" && key.starts_with("Assert") => (section, ASSERTIONS),
        None => (section, key),
    }
}

const CONDITIONS: &str = "Condition…";
const ASSERTIONS: &str = "Assert…";

/// How a setting adds up.
pub fn kind((_, key): (&str, &str)) -> Kind {
    if DEPENDENCIES.contains(&key) {
        Kind::Dependency
    } else if LISTS.contains(&key) || key == CONDITIONS || key == ASSERTIONS {
        Kind::List
    } else {
        Kind::Single
    }
}
