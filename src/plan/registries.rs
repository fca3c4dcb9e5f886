//! Where container runtimes fetch images of a registry instead.

use crate::spec::scalars::{ProxyUrl, RegistryName};
use crate::spec::types::Spec;
use serde::Serialize;

/// What of a path stands for the registry's name: the table has one row for all registries.
pub(super) const PLACEHOLDER: &str = "REGISTRY";

/// A registry whose images come from mirrors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryPlan {
    /// As image names begin with it.
    pub name: String,
    /// Where it is itself, for containerd; none for this very host, where containerd finds out whether
    /// it speaks TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What is asked before it, in order.
    pub mirrors: Vec<MirrorPlan>,
}

/// A mirror of a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MirrorPlan {
    /// containerd's key. With a path it is the root of the API, `/v2` before the path.
    pub url: String,
    /// Whether the URL has such a path (containerd's `override_path`).
    pub override_path: bool,
    /// What CRI-O puts in the place of the registry's name.
    pub location: String,
    /// Whether it is reached without TLS.
    pub insecure: bool,
}

/// The registries that have mirrors.
pub(super) fn plan(spec: &Spec) -> Vec<RegistryPlan> {
    let all = spec.container_runtime.registry_mirrors.iter().filter(|(_, mirrors)| !mirrors.is_empty());
    all.map(|(name, mirrors)| RegistryPlan {
        name: name.to_string(),
        server: server(name),
        mirrors: mirrors.iter().map(mirror).collect(),
    })
    .collect()
}

/// As containerd itself completes a registry's name (`core/remotes/docker/config/hosts.go`).
fn server(name: &RegistryName) -> Option<String> {
    let host = name.host();
    match name.as_str() {
        "docker.io" => Some("https://registry-1.docker.io".to_owned()),
        _ if host == "localhost" || host.starts_with("127.") => None,
        name => Some(format!("https://{name}")),
    }
}

/// A path of a mirror is a prefix of image names, as registries have it that mirror several others.
fn mirror(url: &ProxyUrl) -> MirrorPlan {
    let (scheme, authority, path) = (url.scheme(), url.authority(), url.repository());
    let (url, location) = if path.is_empty() {
        (format!("{scheme}://{authority}"), authority.to_owned())
    } else {
        (format!("{scheme}://{authority}/v2/{path}"), format!("{authority}/{path}"))
    };
    MirrorPlan { url, override_path: !path.is_empty(), location, insecure: scheme == "http" }
}

/// A registry's directory of containerd: `NAME`, or `NAME_PORT_`.
pub(super) fn directory(name: &str) -> String {
    name.rsplit_once(':').map_or_else(|| name.to_owned(), |(host, port)| format!("{host}_{port}_"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{directory, mirror, server};

    #[test]
    fn directories_as_containerd_looks_for_them() {
        assert_eq!(directory("docker.io"), "docker.io");
        assert_eq!(directory("registry.example:5000"), "registry.example_5000_");
    }

    #[test]
    fn servers_as_containerd_completes_names() {
        let of = |name: &str| server(&name.parse().unwrap());
        assert_eq!(of("docker.io").as_deref(), Some("https://registry-1.docker.io"));
        assert_eq!(of("registry.example:5000").as_deref(), Some("https://registry.example:5000"));
        assert_eq!([of("localhost:5000"), of("localhost"), of("127.0.0.1:5000")], [None, None, None]);
    }

    #[test]
    fn a_path_is_a_prefix_of_names_for_both_runtimes() {
        for (url, key, location, with_path, insecure) in [
            ("https://m.example", "https://m.example", "m.example", false, false),
            ("http://m.example:5000/", "http://m.example:5000", "m.example:5000", false, true),
            ("https://m.example/v2/", "https://m.example", "m.example", false, false),
            ("https://m.example/hub", "https://m.example/v2/hub", "m.example/hub", true, false),
            ("https://m.example/v2/a/b/", "https://m.example/v2/a/b", "m.example/a/b", true, false),
            ("https://m.example/v2hub", "https://m.example/v2/v2hub", "m.example/v2hub", true, false),
        ] {
            let planned = mirror(&url.parse().unwrap());
            assert_eq!((planned.url.as_str(), planned.location.as_str()), (key, location), "{url}");
            assert_eq!((planned.override_path, planned.insecure), (with_path, insecure), "{url}");
        }
    }
}
