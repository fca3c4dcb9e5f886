//! containerd's configuration.

use super::fields::{lost, unknown};
use super::support::{need, repository, run, temporary};
use super::{CONTAINERD, file, files, hosts, told};
use proptest::prelude::{ProptestConfig, any, prop, prop_oneof, proptest};
use std::path::PathBuf;
use std::process::Command;

const V2: &str = "hostPrep: {containerd: {format: 2}}\n";
const V3: &str = "hostPrep: {containerd: {}}\n";

#[test]
fn whole_files() {
    assert_eq!(
        file(V2, CONTAINERD),
        r#"# sealift: containerd's configuration
version = 2

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "registry.k8s.io/pause:3.10.2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = true

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "/etc/containerd/certs.d"
"#
    );
    assert_eq!(
        file(V3, CONTAINERD),
        r#"# sealift: containerd's configuration
version = 3

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "registry.k8s.io/pause:3.10.2"

[plugins."io.containerd.cri.v1.images".registry]
config_path = "/etc/containerd/certs.d"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = true
"#
    );
}

#[test]
fn restarts_containerd_and_is_managed() {
    let hosts = hosts(V3);
    let file = hosts["w1"].files.iter().find(|file| file.path == CONTAINERD).unwrap();
    assert_eq!((file.mode, file.restart.as_slice(), file.run.len()), (0o644, &["unit/containerd"][..], 0));
}

/// Settings that a configuration follows, with more of its own words.
const VARIANTS: &[&str] = &[
    "",
    "kubelet: {cgroupDriver: cgroupfs}\n",
    "roles: {worker: {kubelet: {cgroupDriver: cgroupfs}}}\n",
    "kubelet: {config: {cgroupDriver: cgroupfs}}\n",
    "containerRuntime: {registryMirrors: {docker.io: [\"https://m.example\"]}}\n",
];

/// The same in containerd's words, of format 2.
const CONFIGS: &[&str] = &[
    "{}",
    "{root: /srv/containerd, oom_score: -999, debug: {level: warn}, metrics: {address: \"127.0.0.1:1338\"}}",
    "{disabled_plugins: [io.containerd.internal.v1.opt], grpc: {max_recv_message_size: 33554432}}",
    "{plugins: {io.containerd.gc.v1.scheduler: {pause_threshold: 0.5, startup_delay: 10s}}}",
    "{plugins: {io.containerd.grpc.v1.cri: {sandbox_image: \"a.example/pause:1\", enable_selinux: true}}}",
    "{plugins: {io.containerd.grpc.v1.cri: {containerd: {default_runtime_name: runsc, runtimes: {runsc: {runtime_type: io.containerd.runsc.v1}}}}}}",
    "{plugins: {io.containerd.grpc.v1.cri: {cni: {max_conf_num: 2}, registry: {config_path: \"/etc/containerd/certs.d:/etc/docker/certs.d\"}}}}",
    "{plugins: {io.containerd.grpc.v1.cri: {containerd: {runtimes: {runc: {options: {BinaryName: /usr/bin/crun, SystemdCgroup: null}}}}}}}",
];

/// What containerd says that a file says, and what it knows: its `config dump` leaves out what it does not.
fn dump(containerd: &PathBuf, text: &str) -> toml::Table {
    let directory = temporary();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    let dumped = run(Command::new(containerd).arg("-c").arg(&path).args(["config", "dump"])).expect_code(0);
    dumped.stdout.parse().unwrap()
}

/// containerd 1.6 reads every field as it is written, in each variant.
#[test]
fn containerd_1_reads_every_field() {
    let Some(containerd) = need("containerd") else { return };
    for rest in VARIANTS {
        for config in CONFIGS {
            let rest = format!("{rest}hostPrep: {{containerd: {{format: 2, config: {config}}}}}\n");
            let text = file(&rest, CONTAINERD);
            let written: toml::Table = text.parse().unwrap();
            assert_eq!(lost(&written, &dump(&containerd, &text)), [""; 0], "{rest}");
        }
    }
    // and this comparison finds what containerd does not know
    let unknown = "hostPrep: {containerd: {format: 2, config: {plugins: {io.containerd.grpc.v1.cri: {sandbox_imag: a}}}}}\n";
    let text = file(unknown, CONTAINERD);
    let lost = lost(&text.parse().unwrap(), &dump(&containerd, &text));
    assert_eq!(lost, ["/plugins/io.containerd.grpc.v1.cri/sandbox_imag: String(\"a\"), and there None"]);
}

/// No containerd 2 is at hand in Debian: each field against a table of its fields. `SEALIFT_CONTAINERD`
/// names a containerd 2 to ask itself.
#[test]
fn containerd_2_knows_every_field() {
    let known: toml::Table = std::fs::read_to_string(repository("tests/data/runtimes/containerd-2.toml"))
        .unwrap()
        .parse()
        .unwrap();
    for rest in VARIANTS {
        for config in [
            "{}",
            "{plugins: {io.containerd.cri.v1.runtime: {cni: {max_conf_num: 2}}}}",
            "{plugins: {io.containerd.cri.v1.images: {pinned_images: {sandbox: \"a.example/pause:1\"}}}}",
        ] {
            let rest = format!("{rest}hostPrep: {{containerd: {{config: {config}}}}}\n");
            let text = file(&rest, CONTAINERD);
            let written: toml::Table = text.parse().unwrap();
            assert_eq!(unknown(&written, &known), [""; 0], "{rest}");
            if let Some(containerd) = std::env::var_os("SEALIFT_CONTAINERD") {
                assert_eq!(lost(&written, &dump(&PathBuf::from(containerd), &text)), [""; 0], "{rest}");
            }
        }
    }
}

#[test]
fn what_the_spec_says_flows_in() {
    let sandbox = |format: u32, kubernetes: &str| -> toml::Value {
        let rest = format!("hostPrep: {{containerd: {{format: {format}}}}}\n");
        let text = super::support::stacked::spec("1.36.2", "kubeadm", kubernetes, &rest);
        let loaded = sealift::spec::load(&text);
        let (plan, _) = sealift::plan::plan(&loaded.spec, &sealift::plan::Facts::default());
        let host = plan.hosts.into_values().last().unwrap();
        let templates = sealift::render::templates::Templates::embedded();
        let mut files = sealift::render::Renderer::new(&templates).unwrap().templates(&host).unwrap();
        let text = String::from_utf8(files.remove(CONTAINERD).unwrap()).unwrap();
        let table: toml::Table = text.parse().unwrap();
        if format == 2 {
            table["plugins"]["io.containerd.grpc.v1.cri"]["sandbox_image"].clone()
        } else {
            table["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"].clone()
        }
    };
    for format in [2, 3] {
        let own = "  images: {pause: \"a.example/pause:1\"}\n";
        assert_eq!(sandbox(format, own).as_str(), Some("a.example/pause:1"));
        let repository = "  imageRepository: a.example/k8s\n";
        assert_eq!(sandbox(format, repository).as_str(), Some("a.example/k8s/pause:3.10.2"));
    }
}

#[test]
fn where_it_is() {
    let has = |rest: &str| ["cp1", "w1"].map(|host| files(rest, host).contains_key(CONTAINERD));
    assert_eq!(has(""), [false, false]);
    assert_eq!(has(V3), [true, true]);
    assert_eq!(has("roles: {worker: {hostPrep: {containerd: {}}}}\n"), [false, true]);
    assert_eq!(
        has(&format!("{V3}roles: {{worker: {{hostPrep: {{containerd: {{enabled: false}}}}}}}}\n")),
        [true, false]
    );
    assert_eq!(has(&format!("containerRuntime: {{kind: cri-o}}\n{V3}")), [false, false]);
}

/// A host of etcd's container by nerdctl has it too, without what is for a kubelet's pods.
#[test]
fn nerdctl_needs_it_as_well() {
    let text = |engine: &str| {
        let spec = super::support::example::spec();
        let run = format!("run: container\n  version: 3.6.8\n  container: {{engine: {engine}}}\n");
        super::support::example::replaced(&spec, "run: static-pod\n", &run) + V3
    };
    let config = |engine: &str| {
        let loaded = sealift::spec::load(&text(engine));
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        let said = loaded.problems.iter().map(|problem| problem.message.clone());
        let said: Vec<_> = said.filter(|message| message.starts_with("hostPrep")).collect();
        let (plan, _) = sealift::plan::plan(&loaded.spec, &sealift::plan::Facts::default());
        let host = plan.hosts.into_values().next().unwrap();
        let config = host.preparation.and_then(|prep| prep.containerd).map(|plan| plan.config);
        (config.map(|config| config.map()["plugins"]["io.containerd.cri.v1.images"].clone()), said)
    };
    let registry = serde_json::json!({"config_path": "/etc/containerd/certs.d"});
    let images = serde_json::json!({"pinned_images": {}, "registry": registry});
    assert_eq!(config("nerdctl"), (Some(images), Vec::new()));
    let pointless = "hostPrep.containerd means nothing: neither a kubelet's containers nor nerdctl's run by containerd there";
    assert_eq!(config("podman"), (None, vec![pointless.to_owned()]));
}

#[test]
fn what_toml_cannot_hold_is_refused_at_its_line() {
    let of = |config: &str| told(&format!("hostPrep:\n  containerd:\n    format: 3\n    config: {config}\n"));
    assert_eq!(
        of("{imports: [a, null]}"),
        ["error hostPrep.containerd.config.imports[1]: the file is TOML, which has no null"]
    );
    assert_eq!(
        of("{oom_score: 9223372036854775808}"),
        [
            "error hostPrep.containerd.config.oom_score: the file is TOML, which has no number as large as 9223372036854775808"
        ]
    );
    assert_eq!(
        of("{version: 2}"),
        ["error hostPrep.containerd.config.version: the format stands under `format` of `containerd`"]
    );
    assert_eq!(of("{imports: null}"), [""; 0]);
    for name in ["", "a b", "a\"b", "a]", "a\\b", "é", "a\nb"] {
        let path = sealift::spec::Path::root().key("hostPrep").key("containerd").key("config").key("grpc");
        let said = format!("error {}: container runtimes read no such name", path.key(name));
        assert_eq!(of(&serde_json::json!({"grpc": {name: 1}}).to_string()), [said]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Names and values of the spec read back as themselves, by this project's reader and containerd's.
    #[test]
    fn no_value_breaks_out(
        values in prop::collection::btree_map("[a-zA-Z0-9_./:*@+~%-]{1,6}", prop_oneof!["[ -~\n\té日\u{85}]{0,12}", any::<String>()], 1..4),
    ) {
        let options = serde_json::to_value(&values).unwrap();
        let config = serde_json::json!({"plugins": {"io.containerd.grpc.v1.cri": {"containerd": {"runtimes": {
            "runc": {"options": options},
        }}}}});
        let part = serde_json::json!({"hostPrep": {"containerd": {"format": 2, "config": config}}});
        let text = file(&format!("hostPrep: {}\n", part["hostPrep"]), CONTAINERD);
        let read: toml::Table = text.parse().unwrap();
        let of = |table: &toml::Table| {
            let runtimes = &table["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]["runtimes"];
            let mut options = runtimes["runc"]["options"].as_table().unwrap().clone();
            options.remove("SystemdCgroup").unwrap();
            serde_json::to_value(options).unwrap()
        };
        assert_eq!(of(&read), options);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["plugins", "version"]);
        // what its dump writes of characters beyond the first plane is not what it read
        let in_first_plane = values.values().flat_map(|value| value.chars()).all(|char| u32::from(char) < 0x1_0000);
        if let Some(containerd) = need("containerd").filter(|_| in_first_plane) {
            assert_eq!(lost(&read, &dump(&containerd, &text)), [""; 0]);
        }
    }
}
