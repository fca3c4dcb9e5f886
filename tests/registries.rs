//! Mirrors of registries, as containerd (docs/hosts.md) and CRI-O (containers-registries.conf(5)) read them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use sealift::plan::{Facts, HostPlan, plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use std::collections::BTreeMap;
use support::example::spec;

const MIRRORS: &str = "  registryMirrors:
    docker.io: [https://mirror.example/docker-hub, http://10.0.0.1:5000]
    registry.example:5000: [https://mirror.example]
    localhost:5000: [https://mirror.example]
    quay.io: []
";

/// The first host of the example with mirrors.
fn host(kind: &str, mirrors: &str) -> HostPlan {
    let loaded = sealift::spec::load(&format!("{}containerRuntime:\n  kind: {kind}\n{mirrors}", spec()));
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    assert_eq!(problems, []);
    plan.hosts.into_values().next().unwrap()
}

/// The files of container runtimes with their texts.
fn rendered(host: &HostPlan, templates: &Templates) -> BTreeMap<String, String> {
    let files = Renderer::new(templates).unwrap().templates(host).unwrap();
    let ours = files.into_iter().filter(|(path, _)| path.starts_with("/etc/contain"));
    ours.map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

fn directories(host: &HostPlan) -> Vec<&str> {
    let all = host.directories.iter().map(|directory| directory.path.as_str());
    all.filter(|path| path.starts_with("/etc/contain")).collect()
}

#[test]
fn containerd_has_a_file_for_each_registry() {
    let host = host("containerd", MIRRORS);
    let files = rendered(&host, &Templates::embedded());
    let expected = [
        (
            "/etc/containerd/certs.d/docker.io/hosts.toml",
            "# sealift: containerd asks these in order, the registry itself at last
server = \"https://registry-1.docker.io\"

[host.\"https://mirror.example/v2/docker-hub\"]
capabilities = [\"pull\", \"resolve\"]
override_path = true

[host.\"http://10.0.0.1:5000\"]
capabilities = [\"pull\", \"resolve\"]
",
        ),
        (
            "/etc/containerd/certs.d/localhost_5000_/hosts.toml",
            "# sealift: containerd asks these in order, the registry itself at last

[host.\"https://mirror.example\"]
capabilities = [\"pull\", \"resolve\"]
",
        ),
        (
            "/etc/containerd/certs.d/registry.example_5000_/hosts.toml",
            "# sealift: containerd asks these in order, the registry itself at last
server = \"https://registry.example:5000\"

[host.\"https://mirror.example\"]
capabilities = [\"pull\", \"resolve\"]
",
        ),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    assert_eq!(files, expected);
    for text in files.values() {
        let _: toml::Table = text.parse().unwrap();
    }
    assert_eq!(
        directories(&host),
        [
            "/etc/containerd",
            "/etc/containerd/certs.d",
            "/etc/containerd/certs.d/docker.io",
            "/etc/containerd/certs.d/localhost_5000_",
            "/etc/containerd/certs.d/registry.example_5000_",
        ]
    );
    // read at each pull
    let ours = host.files.iter().filter(|file| file.path.starts_with("/etc/containerd/"));
    assert!(
        ours.clone().count() == 3 && ours.clone().all(|file| file.run.is_empty() && file.restart.is_empty())
    );
}

#[test]
fn cri_o_has_one_file() {
    let host = host("cri-o", MIRRORS);
    let files = rendered(&host, &Templates::embedded());
    let path = "/etc/containers/registries.conf.d/10-sealift.conf";
    let expected = "# sealift: CRI-O asks mirrors in order, the registry itself at last

[[registry]]
prefix = \"docker.io\"
location = \"docker.io\"

[[registry.mirror]]
location = \"mirror.example/docker-hub\"

[[registry.mirror]]
location = \"10.0.0.1:5000\"
insecure = true

[[registry]]
prefix = \"localhost:5000\"
location = \"localhost:5000\"

[[registry.mirror]]
location = \"mirror.example\"

[[registry]]
prefix = \"registry.example:5000\"
location = \"registry.example:5000\"

[[registry.mirror]]
location = \"mirror.example\"
";
    assert_eq!(files, BTreeMap::from([(path.to_owned(), expected.to_owned())]));
    let read: toml::Table = files[path].parse().unwrap();
    assert_eq!(read["registry"].as_array().unwrap().len(), 3);
    assert_eq!(read["registry"][0]["mirror"][1]["insecure"], toml::Value::Boolean(true));
    assert_eq!(directories(&host), ["/etc/containers", "/etc/containers/registries.conf.d"]);
    let file = host.files.iter().find(|file| file.path == path).unwrap();
    assert_eq!(file.restart, [""; 0]);
    assert_eq!(file.run, ["systemctl reload crio"]);
}

#[test]
fn without_mirrors_there_is_nothing() {
    for kind in ["containerd", "cri-o"] {
        for mirrors in ["", "  registryMirrors: {quay.io: []}\n"] {
            let host = host(kind, mirrors);
            assert_eq!(rendered(&host, &Templates::embedded()), BTreeMap::new());
            assert_eq!(directories(&host), [""; 0]);
        }
    }
}

/// One template serves all registries, and `--templates` replaces it under its path.
#[test]
fn the_template_can_be_replaced() {
    let own = "server = {{ server }}\n".to_owned();
    let files = [("etc/containerd/certs.d/REGISTRY/hosts.toml.j2".to_owned(), own)].into();
    let templates = Templates::embedded().replace(files).unwrap();
    let host = host("containerd", "  registryMirrors: {quay.io: [https://m.example]}\n");
    let expected = ("/etc/containerd/certs.d/quay.io/hosts.toml", "server = \"https://quay.io\"\n");
    assert_eq!(rendered(&host, &templates), BTreeMap::from([(expected.0.into(), expected.1.into())]));
}
