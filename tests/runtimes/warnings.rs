//! What a kubelet could not live with, and what nothing reads.

use super::told;

/// What is said of containerd's own words in format 2, without their common beginning.
fn of_containerd(rest: &str, config: &str) -> Vec<String> {
    let all = told(&format!("{rest}hostPrep: {{containerd: {{format: 2, config: {config}}}}}\n"));
    let begin = "warning hostPrep.containerd";
    all.into_iter().map(|line| line.strip_prefix(begin).map_or(line.clone(), str::to_owned)).collect()
}

const OF_CRI: &str = ".config.plugins.\"io.containerd.grpc.v1.cri\"";

#[test]
fn cgroup_drivers_are_the_kubelets() {
    let runc = |options: &str| {
        format!("{{plugins: {{io.containerd.grpc.v1.cri: {{containerd: {{runtimes: {{{options}}}}}}}}}}}")
    };
    let off = runc("runc: {options: {SystemdCgroup: false}}");
    let message = "the kubelet's cgroup driver is systemd, and that of the runtime runc is not";
    assert_eq!(
        of_containerd("", &off),
        [format!("{OF_CRI}.containerd.runtimes.runc.options.SystemdCgroup: {message}")]
    );
    assert_eq!(of_containerd("kubelet: {cgroupDriver: cgroupfs}\n", &off), [""; 0]);
    let other = runc("nvidia: {runtime_type: io.containerd.runc.v2}");
    let message = "the kubelet's cgroup driver is systemd, and that of the runtime nvidia is not";
    assert_eq!(of_containerd("", &other), [format!("{OF_CRI}.containerd.runtimes.nvidia: {message}")]);
    assert_eq!(of_containerd("", &runc("runsc: {runtime_type: io.containerd.runsc.v1}")), [""; 0]);
}

#[test]
fn the_kubelet_finds_its_runtime() {
    assert_eq!(
        of_containerd("", "{disabled_plugins: [cri]}"),
        [".config.disabled_plugins: the kubelet talks to the plugin that this turns off"]
    );
    let own = "kubelet: {containerRuntimeEndpoint: \"unix:///run/cri-dockerd.sock\"}\n";
    assert_eq!(
        of_containerd(own, "{}"),
        [
            ": the kubelet asks at unix:///run/cri-dockerd.sock, and containerd listens at /run/containerd/containerd.sock"
        ]
    );
    assert_eq!(of_containerd(own, "{grpc: {address: /run/cri-dockerd.sock}}"), [""; 0]);
    let run = "kubelet: {containerRuntimeEndpoint: \"unix:///run/containerd/containerd.sock\"}\n";
    assert_eq!(of_containerd(run, "{}"), [""; 0]);
}

#[test]
fn mirrors_are_found() {
    let registry = |of: &str| format!("{{plugins: {{io.containerd.grpc.v1.cri: {{registry: {{{of}}}}}}}}}");
    let mirrors = "containerRuntime: {registryMirrors: {quay.io: [\"https://m.example\"]}}\n";
    let elsewhere = registry("config_path: /etc/docker/certs.d");
    assert_eq!(of_containerd("", &elsewhere), [""; 0]);
    assert_eq!(
        of_containerd(mirrors, &elsewhere),
        [format!(
            "{OF_CRI}.registry.config_path: the mirrors of `containerRuntime.registryMirrors` lie in /etc/containerd/certs.d, where containerd does not look"
        )]
    );
    let both = "containerd serves no kubelet that has both this and `config_path`";
    assert_eq!(
        of_containerd("", &registry("mirrors: {quay.io: {endpoint: [\"https://m.example\"]}}")),
        [format!("{OF_CRI}.registry.mirrors: {both}")]
    );
    assert_eq!(
        of_containerd("", &registry("configs: {m.example: {tls: {ca_file: /a}}}")),
        [format!("{OF_CRI}.registry.configs.\"m.example\".tls: {both}")]
    );
    assert_eq!(
        of_containerd("", &registry("config_path: null, mirrors: {quay.io: {endpoint: [a]}}")),
        [""; 0]
    );
}

#[test]
fn formats_have_their_own_plugins() {
    let message = "means nothing in this format of containerd's configuration";
    assert_eq!(
        of_containerd("", "{plugins: {io.containerd.cri.v1.images: {snapshotter: overlayfs}}}"),
        [format!(".config.plugins.\"io.containerd.cri.v1.images\" {message}")]
    );
    let of_3 = |config: &str| told(&format!("hostPrep: {{containerd: {{format: 3, config: {config}}}}}\n"));
    assert_eq!(
        of_3("{plugins: {io.containerd.grpc.v1.cri: {sandbox_image: a, stream_server_port: \"1\"}}}"),
        [format!("warning hostPrep.containerd{OF_CRI}.sandbox_image {message}")]
    );
    let layered = "hostPrep: {containerd: {format: 2}}\nroles: {worker: {hostPrep: {containerd: {config: {plugins: {io.containerd.grpc.v1.cri: {enable_selinux: true}}}}}}}\n";
    assert_eq!(told(layered), [""; 0]);
    assert_eq!(
        told("hostPrep: {containerd: {format: 4}}\n"),
        ["error hostPrep.containerd.format: `4` is not a whole number from 2 to 3"]
    );
}

#[test]
fn cri_o() {
    let of = |rest: &str, config: &str| {
        told(&format!(
            "containerRuntime: {{kind: cri-o}}\n{rest}hostPrep: {{crio: {{config: {{crio: {config}}}}}}}\n"
        ))
    };
    assert_eq!(of("", "{}"), [""; 0]);
    assert_eq!(
        of("", "{runtime: {cgroup_manager: cgroupfs}}"),
        [
            "warning hostPrep.crio.config.crio.runtime.cgroup_manager: the kubelet's cgroup driver is systemd, and CRI-O's is not",
            "warning hostPrep.crio.config.crio.runtime: CRI-O starts with cgroupfs only where this is `pod`",
        ]
    );
    assert_eq!(
        of(
            "kubelet: {cgroupDriver: cgroupfs}\n",
            "{runtime: {conmon_cgroup: system.slice}, api: {listen: /run/a.sock}}"
        ),
        [
            "warning hostPrep.crio.config.crio.runtime.conmon_cgroup: CRI-O starts with cgroupfs only where this is `pod`",
            "warning hostPrep.crio.config.crio.api.listen: the kubelet asks at unix:///var/run/crio/crio.sock, and CRI-O listens at /run/a.sock",
        ]
    );
}

#[test]
fn docker() {
    let of = |rest: &str, config: &str| told(&format!("{rest}hostPrep: {{docker: {{config: {config}}}}}\n"));
    assert_eq!(of("", "{exec-opts: []}"), [""; 0], "no kubelet runs its pods by Docker");
    let dockerd = "kubelet: {containerRuntimeEndpoint: \"unix:///run/cri-dockerd.sock\"}\n";
    assert_eq!(of(dockerd, "{}"), [""; 0]);
    assert_eq!(
        of(dockerd, "{exec-opts: []}"),
        [
            "warning hostPrep.docker.config.exec-opts: the kubelet's cgroup driver is systemd, and Docker's is not"
        ]
    );
    assert_eq!(
        of("", "{hosts: [\"fd://\"]}"),
        [
            "warning hostPrep.docker.config.hosts: the unit of most distributions has `-H fd://` already, and dockerd starts with one of the two only"
        ]
    );
    let mirrors = "containerRuntime: {registryMirrors: {docker.io: [\"https://m.example/hub\"]}}\n";
    assert_eq!(
        of(mirrors, "{}"),
        [
            "warning containerRuntime.registryMirrors.\"docker.io\"[0]: Docker cannot ask https://m.example/hub: it takes mirrors without a path"
        ]
    );
    assert_eq!(of(mirrors, "{registry-mirrors: [\"https://b.example\"]}"), [""; 0]);
}

#[test]
fn parts_that_nothing_reads() {
    let crio = "containerRuntime: {kind: cri-o}\n";
    assert_eq!(
        told(&format!("{crio}hostPrep: {{containerd: {{format: 3}}}}\n")),
        [
            "warning hostPrep.containerd means nothing: neither a kubelet's containers nor nerdctl's run by containerd there"
        ]
    );
    assert_eq!(told(&format!("{crio}hostPrep: {{containerd: {{enabled: false}}}}\n")), [""; 0]);
    assert_eq!(
        told("roles: {worker: {hostPrep: {crio: {}}}}\n"),
        ["warning roles.worker.hostPrep.crio means nothing: no kubelet's containers run by CRI-O there"]
    );
}

#[test]
fn debian_has_containerd_of_both_formats() {
    let assumed = "warning hostPrep.containerd: containerd 2.x is assumed (format 3): Debian 12's own containerd is 1.6";
    let mut all = told("hostPrep: {containerd: {}}\n");
    all.dedup();
    assert_eq!(all, [assumed]);
    assert_eq!(told("hostPrep: {containerd: {format: 3}}\n"), [""; 0]);
    assert_eq!(told("os: rhel\nhostPrep: {containerd: {}}\n"), [""; 0]);
}
