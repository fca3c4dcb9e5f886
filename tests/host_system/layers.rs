//! Parts for all hosts, for a role and for one host; what each says of the kubelet; what cannot be.

use super::support::example::{Built, replaced};
use super::support::stacked::{files, spec};
use super::system_files;
use sealift::plan::{Facts, plan};
use serde_json::{Value, json};

#[test]
fn the_most_specific_layer_wins() {
    let top = "hostPrep:
  sysctl: {settings: {vm.max_map_count: 1, vm.swappiness: 5}}
  timezone: {name: UTC}
  journald: {maxUse: 1GiB}
  modules: {}
roles:
  worker:
    hostPrep:
      sysctl: {settings: {vm.max_map_count: 2}, omit: [kernel.panic]}
      journald: {enabled: false}
";
    let text = spec("1.36.2", "kubeadm", "", top);
    let own = "roles: [worker], hostPrep: {timezone: {enabled: false}, modules: {omit: [overlay]}, \
               sysctl: {settings: {vm.swappiness: 6}}},";
    let text = replaced(&text, "roles: [worker],", own);
    let built = Built::of(&text);
    let [cp1, w1] = ["cp1", "w1"].map(|host| system_files(&built, host));
    let paths =
        |files: &std::collections::BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    let (modules, sysctl) = ("etc/modules-load.d/sealift.conf", "etc/sysctl.d/90-sealift.conf");
    let journald = "etc/systemd/journald.conf.d/90-sealift.conf";
    assert_eq!(paths(&cp1), [modules, sysctl, journald, "etc/tmpfiles.d/sealift-timezone.conf"]);
    assert_eq!(paths(&w1), [modules, sysctl]);
    assert!(
        cp1[sysctl].contains("\nvm.max_map_count = 1\n") && cp1[sysctl].contains("\nkernel.panic = 10\n")
    );
    assert!(cp1[sysctl].contains("\nvm.swappiness = 5\n"));
    assert!(w1[sysctl].contains("\nvm.max_map_count = 2\n") && !w1[sysctl].contains("\nkernel.panic ="));
    assert!(w1[sysctl].contains("\nvm.swappiness = 6\n"));
    assert!(cp1[modules].contains("\noverlay\n") && !w1[modules].contains("\noverlay\n"));
}

/// What a kubelet is told of swap, by mode, on a node of each provisioner and for etcd alone.
#[test]
fn the_kubelet_is_told_of_swap() {
    let told = |provisioner: &str, mode: &str| {
        let text = spec("1.36.2", provisioner, "", &format!("hostPrep: {{swap: {{mode: {mode}}}}}\n"));
        let files = files(&Built::of(&text), "w1");
        let value: Value = if provisioner == "kubeadm" {
            let path = "/etc/kubernetes/patches/kubeletconfiguration+merge.json";
            serde_json::from_slice(&files[path].contents).unwrap()
        } else {
            sealift::spec::yaml::foreign(files["/etc/kubernetes/kubelet/config.yaml"].text()).unwrap()
        };
        let unit = files.contains_key("/etc/systemd/system/sealift-swap-off.service");
        (value["failSwapOn"].clone(), value["memorySwap"]["swapBehavior"].clone(), unit)
    };
    for provisioner in ["kubeadm", "static-pods"] {
        assert_eq!(told(provisioner, "off"), (Value::Null, Value::Null, true));
        assert_eq!(told(provisioner, "system"), (json!(false), json!("NoSwap"), false));
        assert_eq!(told(provisioner, "limited"), (json!(false), json!("LimitedSwap"), false));
    }
    let etcd = super::support::example::spec() + "hostPrep: {swap: {mode: system}}\n";
    let built = Built::of(&etcd);
    let files = super::support::archive::members(&built.bundle("infra0"));
    let file = files.iter().find(|file| file.name == "files/etc/kubernetes/kubelet/config.yaml").unwrap();
    let value = sealift::spec::yaml::foreign(file.text()).unwrap();
    assert_eq!(
        (&value["failSwapOn"], &value["memorySwap"]),
        (&json!(false), &json!({"swapBehavior": "NoSwap"}))
    );
}

/// What is said of a spec, one line each; of its preparation only.
fn said(text: &str) -> Vec<String> {
    let loaded = sealift::spec::load(text);
    let (_, of_plan) = plan(&loaded.spec, &Facts::default());
    let all = loaded.problems.iter().chain(&of_plan);
    let own = all.filter(|problem| {
        problem.path.contains("hostPrep") || problem.path.contains("Swap") || problem.is_error()
    });
    own.map(|problem| format!("{} {}: {}", problem.severity.name(), problem.path, problem.message)).collect()
}

#[test]
fn what_cannot_be_or_means_nothing() {
    let prep = |version: &str, kubernetes: &str, parts: &str| {
        said(&spec(version, "kubeadm", kubernetes, &format!("hostPrep: {{{parts}}}\n")))
    };
    let now = |parts: &str| prep("1.36.2", "", parts);
    let rows: &[(&str, &[&str])] = &[
        ("sysctl: {}, modules: {}, swap: {}, limits: {}, journald: {}", &[]),
        ("timezone: {}", &["error hostPrep.timezone: no time zone is named"]),
        ("timezone: {enabled: false}, ntp: {enabled: false}, logrotate: {enabled: false}", &[]),
        ("ntp: {}", &["error hostPrep.ntp: no time servers are named"]),
        ("ntp: {servers: [a, b, a]}", &["error hostPrep.ntp.servers[2]: a is listed twice"]),
        ("logrotate: {}", &["error hostPrep.logrotate: no logs are named"]),
        (
            "logrotate: {paths: [/var/log/a, /var/log/pods/*/*.log, /e*/passwd, /var/log/a]}",
            &[
                "error hostPrep.logrotate.paths[1]: /var/log/pods/*/*.log is not for logrotate: the kubelet rotates the logs of pods",
                "error hostPrep.logrotate.paths[2]: /e*/passwd is not for logrotate: no logs of programs lie there",
                "error hostPrep.logrotate.paths[3]: /var/log/a is listed twice",
            ],
        ),
        (
            "sysctl: {settings: {net.ipv4.tcp_tw_recycle: 0}, omit: [vm.swappiness, a.b]}",
            &[
                "warning hostPrep.sysctl.settings.\"net.ipv4.tcp_tw_recycle\": the kernel has no net.ipv4.tcp_tw_recycle since 4.12",
                "warning hostPrep.sysctl.omit[1]: a.b would not be there anyway",
            ],
        ),
        (
            "sysctl: {settings: {kernel.panic: 5}, omit: [kernel.panic]}",
            &["error hostPrep.sysctl.omit[0]: kernel.panic is set and left out"],
        ),
        (
            "modules: {extra: [a], omit: [a, overlay, b]}",
            &[
                "error hostPrep.modules.omit[0]: a is loaded and left out",
                "warning hostPrep.modules.omit[2]: b would not be there anyway",
            ],
        ),
        ("swap: {mode: limited}", &[]),
    ];
    for (parts, expected) in rows {
        assert_eq!(now(parts), *expected, "{parts}");
    }
    for mode in ["system", "limited"] {
        let part = format!("swap: {{mode: {mode}}}");
        let behavior = if mode == "system" { "NoSwap" } else { "LimitedSwap" };
        let old = format!("error hostPrep.swap.mode: a kubelet before 1.30 has no swapBehavior {behavior}");
        assert_eq!(prep("1.29.2", "", &part), [old]);
        let off = prep("1.30.2", "  featureGates: {NodeSwap: false}\n", &part);
        let gate = format!(
            "error hostPrep.swap.mode: swapBehavior {behavior} needs the feature gate NodeSwap, which is off"
        );
        assert_eq!(off, [gate]);
    }
    let v1 = prep("1.34.2", "  cgroupV1: true\n", "swap: {mode: limited}");
    assert_eq!(v1, ["error hostPrep.swap.mode: pods have swap with cgroup v2 only"]);
}

#[test]
fn what_the_kubelet_is_told_otherwise() {
    let top = |mode: &str, config: &str| {
        let top = format!("hostPrep: {{swap: {{mode: {mode}}}}}\nkubelet: {{config: {{{config}}}}}\n");
        said(&spec("1.36.2", "kubeadm", "", &top))
    };
    let limited = "failSwapOn: false, memorySwap: {swapBehavior: LimitedSwap}";
    assert_eq!(top("limited", limited), [""; 0]);
    assert_eq!(
        top("off", limited),
        ["warning kubelet.config.failSwapOn: failSwapOn does not fit hostPrep.swap, and wins"]
    );
    assert_eq!(
        top("system", "failSwapOn: true, memorySwap: {swapBehavior: LimitedSwap}"),
        [
            "error kubelet.config.failSwapOn: failSwapOn does not fit hostPrep.swap, and wins",
            "error kubelet.config.memorySwap.swapBehavior: memorySwap does not fit hostPrep.swap, and wins",
        ]
    );
}

#[test]
fn what_a_family_of_distributions_has() {
    let of = |os: &str, client: &str| {
        let top = format!("os: {os}\nhostPrep: {{ntp: {{servers: [a]{client}}}}}\n");
        said(&spec("1.36.2", "kubeadm", "", &top))
    };
    for os in ["debian", "rhel", "flatcar"] {
        assert_eq!(of(os, ""), [""; 0], "{os}");
    }
    assert_eq!(
        of("rhel", ", client: systemd-timesyncd"),
        ["warning hostPrep.ntp.client: RHEL brings no systemd-timesyncd"]
    );
    assert_eq!(
        of("flatcar", ", client: chrony"),
        ["error hostPrep.ntp.client: it is not known where Flatcar has chrony's servers"]
    );
}

/// Etcd in a unit of its own needs no kubelet.
#[test]
fn parts_where_no_kubelet_runs() {
    let etcd = |parts: &str| {
        let text = super::support::example::spec();
        let text = replaced(&text, "  run: static-pod\n", "  run: systemd\n  version: 3.6.8\n");
        let text = replaced(&text, "kubelet:\n  gate:\n    run: sealift\n", "");
        said(&(text + "hostPrep: {" + parts + "}\n"))
    };
    assert_eq!(
        etcd("sysctl: {}, modules: {}, swap: {}, limits: {}"),
        ["sysctl", "modules", "swap", "limits"].map(|part| {
            format!("warning hostPrep.{part}: hostPrep.{part} means nothing: no kubelet runs there")
        })
    );
    let own = "sysctl: {settings: {vm.swappiness: 1}}, modules: {extra: [tcp_bbr]}, journald: {}";
    assert_eq!(etcd(own), [""; 0]);
}
