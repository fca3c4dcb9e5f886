//! Where a spec says what holds for a host.

use super::super::Site;
use crate::spec::Path;
use crate::spec::layers::layers_of;
use crate::spec::types::{FreeForm, HostPrep};
use serde_json::Value;

/// A part of `hostPrep`, and what it has in its program's own words.
pub(super) struct Part {
    /// Its name.
    pub(super) name: &'static str,
    /// Its `config`, in a layer that writes the part.
    pub(super) config: fn(&HostPrep) -> Option<&FreeForm>,
}

pub(super) const CONTAINERD: Part =
    Part { name: "containerd", config: |prep| prep.containerd.as_ref().map(|part| &part.config) };
pub(super) const CRIO: Part =
    Part { name: "crio", config: |prep| prep.crio.as_ref().map(|part| &part.config) };
pub(super) const DOCKER: Part =
    Part { name: "docker", config: |prep| prep.docker.as_ref().map(|part| &part.config) };

/// The place of a field, or of what is nearest above it: of the most specific layer that says most of it.
pub(super) fn place(site: &Site<'_>, part: &Part, keys: &[&str]) -> Path {
    let of_host = layers_of(site.shared.spec, site.name, site.host);
    let written = of_host.filter_map(|layer| {
        let config = (part.config)(layer.prep)?;
        let depth = depth(config, keys);
        let path = layer.path.key("hostPrep").key(part.name);
        let within = if depth == 0 { path } else { path.key("config") };
        let path = keys.iter().take(depth).fold(within, |path, key| path.key(key));
        Some((depth, path))
    });
    // of several that say the same, the last
    written.max_by_key(|(depth, _)| *depth).map(|(_, path)| path).unwrap_or_default()
}

/// How many of these keys lead somewhere.
fn depth(config: &FreeForm, keys: &[&str]) -> usize {
    let mut map = Some(config.map());
    let known = keys.iter().take_while(|key| {
        let value = map.and_then(|map| map.get(**key));
        map = value.and_then(Value::as_object);
        value.is_some()
    });
    known.count()
}

/// What stands at a place of a configuration.
pub(super) fn at<'c>(config: &'c FreeForm, keys: &[&str]) -> Option<&'c Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(config.map().get(*first)?, |value, key| value.get(key))
}
