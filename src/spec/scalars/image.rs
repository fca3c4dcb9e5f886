//! Container images, by a careful subset of the grammar in github.com/distribution/reference.
//!
//! Left out: registries named by an IPv6 address, and digests other than SHA-256.

use super::{ScalarError, text_scalar};
use std::fmt;
use std::str::FromStr;

/// The longest name, registry included (distribution/reference, `RepositoryNameTotalLengthMax`).
const LONGEST: usize = 255;

/// Says what is wrong with `[registry[:port]/]path`, `None` when nothing is.
fn name_flaw(name: &str) -> Option<String> {
    if name.len() > LONGEST {
        return Some(format!("its name is longer than {LONGEST} characters"));
    }
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    if is_registry(first) {
        return registry_flaw(first).or_else(|| parts.find_map(component_flaw));
    }
    component_flaw(first).or_else(|| parts.find_map(component_flaw))
}

/// The first part is a registry when it could not be a part of a Docker Hub name.
fn is_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn registry_flaw(registry: &str) -> Option<String> {
    let (host, port) = registry.split_once(':').map_or((registry, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !host.split('.').all(label) {
        return Some(format!("`{}` is not a registry's name", super::shown(host)));
    }
    let good = |port: &str| super::number::decimal(port).is_ok_and(|number| (1..=65535).contains(&number));
    port.filter(|port| !good(port)).map(|port| format!("`{}` is not a port", super::shown(port)))
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn component_flaw(part: &str) -> Option<String> {
    if part.is_empty() {
        return Some("a part of its name is empty".into());
    }
    if let Some(c) = part.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-')) {
        return Some(match c {
            'A'..='Z' => "upper-case letters are not allowed in a name".into(),
            c => format!("`{}` is not allowed in a name", super::shown(&c.to_string())),
        });
    }
    let mut separators = part.split(|c: char| c.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
    let joined = separators.all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|b| b == b'-'));
    let ends = part.starts_with(['.', '_', '-']) || part.ends_with(['.', '_', '-']);
    (ends || !joined).then(|| format!("`{}` has misplaced separators", super::shown(part)))
}

fn tag_flaw(tag: &str) -> Option<String> {
    let first = tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let rest = tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    (!first || !rest || tag.len() > 128).then(|| format!("`{}` is not a tag", super::shown(tag)))
}

fn digest_flaw(digest: &str) -> Option<String> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let good = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (!good).then(|| "its digest is not `sha256:` and 64 lower-case hex digits".into())
}

/// A container image with a tag, a digest or both: `registry.k8s.io/etcd:3.6.6-0`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRef(String);

impl ImageRef {
    /// The reference; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageRef {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let error = |reason: String| {
            ScalarError::new(text, "an image", reason)
                .hint("write it like registry.k8s.io/etcd:3.6.6-0, or with @sha256:… to pin its contents")
        };
        let (tagged, digest) =
            text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        // a colon before the last slash is a port's
        let (name, tag) = match tagged.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (tagged, None),
        };
        if name.is_empty() {
            return Err(error("it has no name".into()));
        }
        if tag.is_none() && digest.is_none() {
            return Err(error("it has neither tag nor digest".into()));
        }
        if is_registry(name) && !name.contains('/') && name != "localhost" && name.contains(':') {
            return Err(error("it names a registry only".into()));
        }
        match name_flaw(name).or_else(|| tag.and_then(tag_flaw)).or_else(|| digest.and_then(digest_flaw)) {
            Some(reason) => Err(error(reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_scalar!(ImageRef, "image-ref", "An image with tag or digest.", "registry.k8s.io/etcd:3.6.6-0");

/// Where images come from: a registry, with or without a path; `registry.k8s.io` by default.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRepository(String);

impl ImageRepository {
    /// The repository, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ImageRepository {
    fn default() -> Self {
        Self("registry.k8s.io".into())
    }
}

impl FromStr for ImageRepository {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        match name_flaw(text) {
            Some(reason) => Err(ScalarError::new(text, "an image repository", reason)
                .hint("write it like registry.k8s.io or registry.example:5000/mirror")),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for ImageRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_scalar!(ImageRepository, "image-repository", "A registry, with or without a path.", "registry.k8s.io");

/// A registry as image names begin with it: `docker.io`, `registry.example:5000`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryName(String);

impl RegistryName {
    /// The name without its port.
    pub fn host(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The name; empty only in a default value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegistryName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let reason = registry_flaw(text).or_else(|| (!is_registry(text)).then(|| "it has no dot".into()));
        match reason {
            Some(reason) => Err(ScalarError::new(text, "a registry", reason)
                .hint("write it as images are named, such as docker.io or registry.example:5000")),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_scalar!(RegistryName, "registry-name", "A registry of images.", "docker.io");
