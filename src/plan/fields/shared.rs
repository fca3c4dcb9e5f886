//! Objects that several kinds have.

use super::{Field, Kind, field, word};

/// core/v1 `Taint`.
pub(super) const TAINT: &[Field] = &[
    field("effect", EFFECT),
    field("key", Kind::Text),
    field("timeAdded", Kind::Text),
    field("value", Kind::Text),
];

/// component-base, `logs/api/v1/types.go`.
pub(super) const LOGGING: &[Field] = &[
    field("flushFrequency", Kind::DurationOrNanoseconds),
    field("format", LOG_FORMAT),
    field("options", Kind::Object(FORMATS)),
    field("verbosity", VERBOSITY),
    field("vmodule", Kind::List(&Kind::Object(VMODULE))),
];

/// core/v1 `EnvVar`.
pub(super) const ENVIRONMENT: &[Field] = &[
    field("name", Kind::Text),
    field("value", Kind::Text),
    field("valueFrom", Kind::Object(ENVIRONMENT_SOURCE)),
];

/// core/v1 `EnvVarSource`; `fileKeyRef` came with KEP-3721.
const ENVIRONMENT_SOURCE: &[Field] = &[
    field("configMapKeyRef", Kind::Object(KEY)),
    field("fieldRef", Kind::Object(&[field("apiVersion", Kind::Text), field("fieldPath", Kind::Text)])),
    field("fileKeyRef", Kind::Object(FILE_KEY)).since(34),
    field("resourceFieldRef", Kind::Object(RESOURCE_FIELD)),
    field("secretKeyRef", Kind::Object(KEY)),
];

/// core/v1 `FileKeySelector`.
const FILE_KEY: &[Field] = &[
    field("key", Kind::Text),
    field("optional", Kind::Bool),
    field("path", Kind::Text),
    field("volumeName", Kind::Text),
];

/// Options of each format; those of text came with k/k#114672.
const FORMATS: &[Field] =
    &[field("json", Kind::Object(STREAMS)), field("text", Kind::Object(STREAMS)).since(30)];

/// core/v1 `ConfigMapKeySelector` and `SecretKeySelector`.
const KEY: &[Field] = &[field("key", Kind::Text), field("name", Kind::Text), field("optional", Kind::Bool)];

/// core/v1 `ResourceFieldSelector`.
const RESOURCE_FIELD: &[Field] =
    &[field("containerName", Kind::Text), field("divisor", Kind::Quantity), field("resource", Kind::Text)];

/// Where messages go.
const STREAMS: &[Field] = &[field("infoBufferSize", Kind::Quantity), field("splitStream", Kind::Bool)];

/// The verbosity of some source files.
const VMODULE: &[Field] = &[field("filePattern", Kind::Text), field("verbosity", VERBOSITY)];

/// A klog level.
const VERBOSITY: Kind = Kind::Integer { least: 0, most: u32::MAX as i64 };

/// core/v1 `TaintEffect`.
const EFFECT: Kind = Kind::Word(&[word("NoSchedule"), word("PreferNoSchedule"), word("NoExecute")]);

/// The formats that the kubelet and kube-proxy register.
const LOG_FORMAT: Kind = Kind::Word(&[word("text"), word("json")]);
