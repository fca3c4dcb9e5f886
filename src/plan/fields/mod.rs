//! The fields of the configuration files that Kubernetes 1.29 to 1.36 read, as tables, and the check
//! of what a spec passes through to them.
//!
//! The kubelet, kube-proxy and kubeadm may only warn of a field that they do not know, and go on without
//! it. That is never what was meant, so here it is an error. `kubelet`, `kube_proxy` and `kubeadm` have
//! one table for each object, `shared` those that several have.

mod kube_proxy;
mod kubeadm;
mod kubelet;
mod nearest;
mod notation;
mod shared;
mod walk;

use crate::spec::{Path, Problem};
use serde_json::Value;

/// The first minor release of 1.x in the tables; a field of it may be older.
pub const FIRST: u32 = 29;

/// The last minor release of 1.x in the tables.
pub const LAST: u32 = 36;

/// A kind of configuration that a spec passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// `KubeletConfiguration` of `kubelet.config.k8s.io/v1beta1`.
    Kubelet,
    /// `KubeProxyConfiguration` of `kubeproxy.config.k8s.io/v1alpha1`.
    KubeProxy,
    /// kubeadm's `InitConfiguration`: v1beta3 up to 1.30, v1beta4 from 1.31 on.
    Init,
    /// kubeadm's `JoinConfiguration`, likewise.
    Join,
    /// kubeadm's `ClusterConfiguration`, likewise.
    Cluster,
}

impl Configuration {
    /// The kind as Kubernetes writes it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Kubelet => "KubeletConfiguration",
            Self::KubeProxy => "KubeProxyConfiguration",
            Self::Init => "InitConfiguration",
            Self::Join => "JoinConfiguration",
            Self::Cluster => "ClusterConfiguration",
        }
    }

    /// The fields at the top of it, of all releases.
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Kubelet => kubelet::KUBELET,
            Self::KubeProxy => kube_proxy::KUBE_PROXY,
            Self::Init => kubeadm::INIT,
            Self::Join => kubeadm::JOIN,
            Self::Cluster => kubeadm::CLUSTER,
        }
    }
}

/// A field of an object. Two fields may have one name when no release has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON and YAML.
    pub name: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// The first minor release that has it; [`FIRST`] when older ones have it too.
    pub from: u32,
    /// The last minor release that has it; [`LAST`] when newer ones have it too.
    pub until: u32,
    /// What took its place, as a path in the same configuration or with the kind before it.
    pub instead: Option<&'static str>,
}

/// What may stand in a field. Null may stand in every field: Go takes it for nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Go bool.
    Bool,
    /// A whole number between two bounds, both included.
    Integer {
        /// The least that is accepted.
        least: i64,
        /// The most that is accepted.
        most: i64,
    },
    /// A number, with a fraction or without.
    Float,
    /// A string.
    Text,
    /// A string that no message shows.
    Secret,
    /// A string that is one of these; the empty one stands for the default.
    Word(&'static [Word]),
    /// A Go duration (time.ParseDuration) in a string: `1h30m`.
    Duration,
    /// The same, or a whole number of nanoseconds (component-base, logs/api/v1 `TimeOrMetaDuration`).
    DurationOrNanoseconds,
    /// A quantity (apimachinery, pkg/api/resource): `500m`, `1Gi`, or a number.
    Quantity,
    /// Any keys, with such values.
    Map(&'static Kind),
    /// Such items.
    List(&'static Kind),
    /// These fields.
    Object(&'static [Field]),
}

/// One of the texts that a field accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text.
    pub text: &'static str,
    /// As of a field.
    pub from: u32,
    /// As of a field.
    pub until: u32,
}

/// A field of all releases.
const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, from: FIRST, until: LAST, instead: None }
}

impl Field {
    /// The same from a release on.
    const fn since(self, from: u32) -> Self {
        Self { from, ..self }
    }

    /// The same up to a release.
    const fn last(self, until: u32) -> Self {
        Self { until, ..self }
    }

    /// The same with what took its place.
    const fn instead(self, other: &'static str) -> Self {
        Self { instead: Some(other), ..self }
    }

    fn is_of(&self, minor: u32) -> bool {
        (self.from..=self.until).contains(&minor)
    }
}

/// A word of all releases.
const fn word(text: &'static str) -> Word {
    Word { text, from: FIRST, until: LAST }
}

impl Word {
    /// The same from a release on.
    const fn since(self, from: u32) -> Self {
        Self { from, ..self }
    }

    /// The same up to a release.
    const fn last(self, until: u32) -> Self {
        Self { until, ..self }
    }

    fn is_of(&self, minor: u32) -> bool {
        (self.from..=self.until).contains(&minor)
    }
}

/// A whole number of 32 bits.
const INT32: Kind = Kind::Integer { least: i32::MIN as i64, most: i32::MAX as i64 };
/// A whole number of 64 bits.
const INT64: Kind = Kind::Integer { least: i64::MIN, most: i64::MAX };
/// A whole number of 32 bits that is not negative.
const COUNT: Kind = Kind::Integer { least: 0, most: i32::MAX as i64 };
/// A TCP port; 0 for none, or for the default.
const PORT: Kind = Kind::Integer { least: 0, most: 65535 };
/// A bit of a packet's mark.
const BIT: Kind = Kind::Integer { least: 0, most: 31 };
/// What the kernel's OOM killer adds to the score of a process.
const OOM_SCORE: Kind = Kind::Integer { least: -1000, most: 1000 };
/// Any keys with strings.
const TEXT_MAP: Kind = Kind::Map(&Kind::Text);
/// Any keys with durations.
const DURATION_MAP: Kind = Kind::Map(&Kind::Duration);
/// Feature gates.
const BOOL_MAP: Kind = Kind::Map(&Kind::Bool);
/// Strings.
const TEXT_LIST: Kind = Kind::List(&Kind::Text);

/// What is wrong with a configuration of a spec, for the release 1.`minor`, which is one of
/// [`FIRST`] to [`LAST`]; `path` is where the configuration stands. All problems are errors.
///
/// Only names, types and the forms of values are checked: what fits together is the component's
/// matter. What sealift writes itself at the top, `apiVersion` and `kind`, is refused.
pub fn check(configuration: Configuration, minor: u32, value: &Value, path: &Path) -> Vec<Problem> {
    walk::check(configuration, minor.clamp(FIRST, LAST), value, path)
}

#[cfg(test)]
mod tests;
