//! What kubeadm is told, and what it cannot be told.

use super::super::fields::{Configuration, check};
use super::super::releases::RELEASES;
use super::super::{Facts, FilePlan, KubeadmPlan, plan};
use super::kubernetes::{self, CLUSTER};
use crate::spec;
use serde_json::{Value, json};

const KINDS: [Configuration; 5] = [
    Configuration::Kubelet,
    Configuration::KubeProxy,
    Configuration::Init,
    Configuration::Join,
    Configuration::Cluster,
];

/// The cluster with some texts replaced: kubeadm's plan of each host, and all problems.
fn with(edits: &[(&str, &str)]) -> (Vec<KubeadmPlan>, Vec<String>) {
    let (plan, problems) = kubernetes::with(edits);
    (plan.hosts.into_values().filter_map(|host| host.kubeadm).collect(), problems)
}

fn document(plan: &KubeadmPlan, kind: &str) -> Value {
    let found = plan.documents.iter().find(|document| document.map()["kind"] == kind).unwrap();
    Value::Object(found.map().clone())
}

fn patch(plan: &KubeadmPlan, name: &str) -> Value {
    Value::Object(plan.patches[&format!("/etc/kubernetes/patches/{name}")].map().clone())
}

/// In kubernetes, and one edit of the version.
fn kubernetes<'a>(version: &'a str, rest: &'a str) -> [(&'static str, String); 1] {
    [("  version: 1.36.2\n", format!("  version: {version}\n{rest}"))]
}

fn edited(version: &str, rest: &str) -> (Vec<KubeadmPlan>, Vec<String>) {
    let edits = kubernetes(version, rest);
    with(&edits.each_ref().map(|(from, to)| (*from, to.as_str())))
}

const TOLD: &str = "  podSubnets: [10.244.0.0/16]
  featureGates: {NodeSwap: true}
  cgroupV1: true
  untaintControlPlanes: true
  proxy: {http: \"http://proxy.example:3128\"}
  coreDns: {disabled: true}
  kubeProxy: {mode: ipvs, scheduler: lc, syncPeriod: 45s}
  images:
    kubeScheduler: registry.example/sched:v1
    coredns: registry.example/coredns:v1
  apiServer:
    extraArgs: {max-requests-inflight: 1500}
    extraVolumes: {data: {hostPath: /srv/data}}
  scheduler: {extraEnvs: {A: b}}
";

#[test]
fn a_cluster_of_v1beta4() {
    let (hosts, problems) = edited("1.36.2", TOLD);
    assert_eq!(problems, Vec::<String>::new());
    let cluster = document(&hosts[0], "ClusterConfiguration");
    assert_eq!(cluster["apiVersion"], "kubeadm.k8s.io/v1beta4");
    assert_eq!(
        cluster["apiServer"]["extraArgs"],
        json!([{"name": "feature-gates", "value": "NodeSwap=true"}, {"name": "max-requests-inflight", "value": "1500"}])
    );
    assert_eq!(
        cluster["apiServer"]["extraVolumes"],
        json!([{"name": "data", "hostPath": "/srv/data", "mountPath": "/srv/data", "readOnly": true}])
    );
    let envs = cluster["scheduler"]["extraEnvs"].as_array().unwrap();
    assert_eq!(envs[0], json!({"name": "A", "value": "b"}));
    assert!(envs.iter().any(|env| env["name"] == "HTTP_PROXY"));
    assert_eq!(
        (&cluster["dns"], &cluster["encryptionAlgorithm"]),
        (
            &json!({"disabled": true, "imageRepository": "registry.example", "imageTag": "v1"}),
            &json!("ECDSA-P256")
        )
    );
    let init = document(&hosts[0], "InitConfiguration");
    assert_eq!((&init["skipPhases"], &init["nodeRegistration"]["taints"]), (&Value::Null, &json!([])));
    assert_eq!(
        document(&hosts[0], "KubeletConfiguration"),
        json!({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "cgroupDriver": "systemd", "failCgroupV1": false, "featureGates": {"NodeSwap": true},
        })
    );
    assert_eq!(
        document(&hosts[0], "KubeProxyConfiguration")["ipvs"],
        json!({"scheduler": "lc", "syncPeriod": "45s"})
    );
    let names: Vec<_> = hosts[0].patches.keys().map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["kube-scheduler+strategic.json", "kubeletconfiguration+merge.json"]);
    assert_eq!(
        patch(&hosts[0], "kube-scheduler+strategic.json"),
        json!({"spec": {"containers": [{"name": "kube-scheduler", "image": "registry.example/sched:v1"}]}})
    );
}

/// Maps for lists, phases for addons that are left out, patches for variables.
#[test]
fn a_cluster_of_v1beta3() {
    let (hosts, problems) = edited("1.30.4", TOLD);
    assert_eq!(problems, Vec::<String>::new());
    let cluster = document(&hosts[0], "ClusterConfiguration");
    assert_eq!(cluster["apiVersion"], "kubeadm.k8s.io/v1beta3");
    assert_eq!(
        cluster["apiServer"]["extraArgs"],
        json!({"feature-gates": "NodeSwap=true", "max-requests-inflight": "1500"})
    );
    assert_eq!(cluster["dns"], json!({"imageRepository": "registry.example", "imageTag": "v1"}));
    for unknown in ["encryptionAlgorithm", "certificateValidityPeriod", "proxy"] {
        assert_eq!(cluster[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(cluster["scheduler"]["extraEnvs"], Value::Null);
    let scheduler = patch(&hosts[0], "kube-scheduler+strategic.json");
    let container = &scheduler["spec"]["containers"][0];
    assert_eq!(container["env"][0], json!({"name": "A", "value": "b"}));
    assert_eq!(document(&hosts[0], "InitConfiguration")["skipPhases"], json!(["addon/coredns"]));
    assert_eq!(document(&hosts[0], "KubeletConfiguration").get("failCgroupV1"), None);
    let worker = document(&hosts[3], "JoinConfiguration");
    assert_eq!(worker["nodeRegistration"]["kubeletExtraArgs"], json!({"node-ip": "192.0.2.9"}));
}

#[test]
fn what_one_host_has_of_its_own() {
    let roles = "roles:
  worker:
    labels: {rack: a, node-role.kubernetes.io/gpu: \"\"}
    taints: [{key: gpu, value: \"yes\", effect: NoExecute}]
    kubelet: {cgroupDriver: cgroupfs, config: {evictionHard: {memory.available: 1Gi}}, extraArgs: {v: 4}}
kubelet: {config: {evictionHard: {nodefs.available: 5%}, maxPods: 50}}
hosts:
  cp1:
    os: flatcar
";
    let (hosts, problems) = with(&[("hosts:\n  cp1:\n", roles)]);
    assert_eq!(problems, Vec::<String>::new());
    let worker = document(&hosts[3], "JoinConfiguration");
    assert_eq!(
        worker["nodeRegistration"],
        json!({
            "name": "w1",
            "criSocket": "unix:///var/run/containerd/containerd.sock",
            "ignorePreflightErrors": [
                "FileAvailable--etc-kubernetes-kubelet.conf", "FileAvailable--etc-kubernetes-pki-ca.crt"
            ],
            "kubeletExtraArgs": [
                {"name": "node-ip", "value": "192.0.2.9"},
                {"name": "node-labels", "value": "rack=a"},
                {"name": "v", "value": "4"},
            ],
            "taints": [{"key": "gpu", "value": "yes", "effect": "NoExecute"}],
        })
    );
    let kubelet = |number: usize| patch(&hosts[number], "kubeletconfiguration+merge.json");
    assert_eq!(
        kubelet(3),
        json!({
            "cgroupDriver": "cgroupfs",
            "evictionHard": {"memory.available": "1Gi", "nodefs.available": "5%"},
            "maxPods": 50,
            "rotateCertificates": false,
        })
    );
    // what all hosts have is in each one's: a change of it is a change of each host's bundle
    let mut all = json!({
        "cgroupDriver": "systemd",
        "evictionHard": {"nodefs.available": "5%"},
        "maxPods": 50,
        "rotateCertificates": false,
    });
    assert_eq!(kubelet(1), all);
    let plugins = "/opt/libexec/kubernetes/kubelet-plugins/volume/exec/";
    all["volumePluginDir"] = json!(plugins);
    assert_eq!(kubelet(0), all);
    assert_eq!(
        document(&hosts[0], "ClusterConfiguration")["controllerManager"]["extraArgs"],
        json!([{"name": "flex-volume-plugin-dir", "value": plugins}])
    );
}

#[test]
fn patches_of_what_kubeadm_writes_become_its_patches() {
    let patches = "patches:
  /etc/kubernetes/manifests/kube-apiserver.yaml: {metadata: {annotations: {a: b}}}
  /var/lib/kubelet/config.yaml: {maxPods: 20}
hosts:
";
    let (hosts, problems) = with(&[("hosts:\n", patches)]);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        patch(&hosts[0], "kube-apiserver+merge.json"),
        json!({"metadata": {"annotations": {"a": "b"}}})
    );
    assert_eq!(
        patch(&hosts[3], "kubeletconfiguration+merge.json"),
        json!({"cgroupDriver": "systemd", "maxPods": 20, "rotateCertificates": false})
    );
    assert_eq!(hosts[3].patches.len(), 1);
}

#[test]
fn with_the_cas_key_kubelets_renew_their_certificates() {
    let (hosts, problems) = with(&[("pki: {}", "pki: {caKeysOnHosts: [kubernetes], validity: {leaf: 90d}}")]);
    assert_eq!(problems, Vec::<String>::new());
    let kubelet = json!({"cgroupDriver": "systemd", "rotateCertificates": true});
    assert_eq!(patch(&hosts[3], "kubeletconfiguration+merge.json"), kubelet);
    let cluster = document(&hosts[0], "ClusterConfiguration");
    assert_eq!(cluster["certificateValidityPeriod"], "2160h0m0s");
    assert_eq!(
        cluster["controllerManager"]["extraArgs"],
        json!([{"name": "cluster-signing-cert-file", "value": "/etc/kubernetes/pki/ca-signing.crt"}])
    );
}

#[test]
fn names_that_every_api_server_has_stay_when_kubeadm_renews() {
    let pki = "pki: {certificates: {apiserver: {sans: [more.example]}, etcd-peer: {sans: [192.0.2.200]}}}";
    let own = "apiAddress: 192.0.2.6\n    etcdAddress: 192.0.2.6\n    certificates: {apiserver: {sans: [own.example]}}";
    let (hosts, problems) = with(&[("pki: {}", pki), ("apiAddress: 192.0.2.6", own)]);
    assert_eq!(problems, Vec::<String>::new());
    let cluster = document(&hosts[0], "ClusterConfiguration");
    assert_eq!(cluster["apiServer"], json!({"certSANs": ["more.example"]}));
    assert_eq!(
        cluster["etcd"],
        json!({"local": {"dataDir": "/var/lib/etcd", "peerCertSANs": ["192.0.2.200"]}})
    );
}

/// kubeadm writes them unquoted into a variable that systemd splits.
#[test]
fn flags_of_kubelets_are_single_words() {
    let told = "etcd: {run: static-pod}
kubelet: {extraArgs: {a: \"b c\", d: \"e\\\"f\", g: [h, 'i\\j'], k: \"$l%m,n=o\"}}
roles: {worker: {kubelet: {extraArgs: {p: \"q\\u00a0r\"}}}}";
    let lost = "kubeadm hands a kubelet's flags on unquoted, and a blank, quote or `\\` would be lost";
    let paths = [
        "kubelet.extraArgs.a",
        "kubelet.extraArgs.d",
        "kubelet.extraArgs.g",
        "roles.worker.kubelet.extraArgs.p",
    ];
    let of = |provisioner: &str| {
        with(&[("provisioner: kubeadm", provisioner), ("etcd: {run: static-pod}", told)]).1
    };
    assert_eq!(of("provisioner: kubeadm"), paths.map(|path| format!("error {path}: {path}: {lost}")));
    assert_eq!(of("provisioner: static-pods"), [""; 0]);
}

#[test]
fn what_kubeadm_cannot_be_told() {
    let rest = "  featureGates: {ControlPlaneKubeletLocalMode: true}
  images: {kubeProxy: registry.example/kube-proxy:v1, coredns: registry.k8s.io/coredns:v1}
  scheduler: {extraArgs: {v: [1, 2]}}
";
    let signs = "without the Kubernetes CA's key on control planes nobody signs what the kubelet asks for";
    let (_, problems) = edited("1.30.4", rest);
    assert_eq!(
        problems,
        [
            "error kubernetes.featureGates.ControlPlaneKubeletLocalMode: ControlPlaneKubeletLocalMode is a feature gate of kubeadm, and no component knows it",
            "error kubernetes.images.kubeProxy: kubeadm cannot be told kube-proxy's image registry.example/kube-proxy:v1: it takes registry.k8s.io/kube-proxy:v1.30.4",
            "error kubernetes.images.coredns: this image cannot be told to kubeadm",
            "error kubernetes.scheduler.extraArgs.v: v is given several times, which kubeadm's configuration cannot say in Kubernetes 1.30",
        ]
    );
    let hosts = "kubelet: {config: {serverTLSBootstrap: true}}
patches: {/var/lib/kubelet/config.yaml: {rotateCertificates: true}}
hosts:
  cp1:
    etcdAddress: 192.0.2.1
    etcd: {dataDir: /srv/etcd}
";
    let (_, problems) = with(&[("hosts:\n  cp1:\n", hosts)]);
    assert_eq!(
        problems,
        [
            format!("error kubelet.config.serverTLSBootstrap: serverTLSBootstrap: {signs}"),
            format!("error patches.\"/var/lib/kubelet/config.yaml\".rotateCertificates: rotateCertificates: {signs}"),
            "error hosts.cp1.etcdAddress: kubeadm has etcd listen where the API server does, not at 192.0.2.1".to_owned(),
            "error etcd: kubeadm gives all members of etcd on control planes the same, and these have different data directories".to_owned(),
        ]
    );
}

#[test]
fn commands_make_sense_in_a_cluster_that_runs() {
    let run = |initialized: bool| -> Vec<(String, usize)> {
        let text = CLUSTER.replacen("pki: {}", "pki: {}\n", 1);
        let text = text.replacen("  provisioner", &format!("  initialized: {initialized}\n  provisioner"), 1);
        let (plan, _) = plan(&spec::load(&text).spec, &Facts::default());
        let host = plan.hosts.into_values().next().unwrap();
        let of = |file: &&FilePlan| !file.run.is_empty() && file.path.starts_with("/etc/kubernetes/");
        host.files.iter().filter(of).map(|file| (file.path.clone(), file.run.len())).collect()
    };
    assert_eq!(run(false), []);
    assert_eq!(
        run(true),
        [
            ("/etc/kubernetes/kubeadm/init.yaml".to_owned(), 3),
            ("/etc/kubernetes/patches/kubeletconfiguration+merge.json".to_owned(), 1)
        ]
    );
}

/// Of every release and both places of etcd: the documents that the release's kubeadm reads.
#[test]
fn every_release_has_its_api() {
    for release in RELEASES {
        for stacked in [true, false] {
            let version = format!("1.{}.{}", release.minor, release.etcd_images.first().unwrap().0.start());
            let mut text = CLUSTER.replacen("1.36.2", &version, 1);
            if !stacked {
                text = text.replace("[control-plane, etcd]", "[control-plane]").replace("[worker]", "[etcd]");
            }
            let loaded = spec::load(&text);
            let (plan, problems) = plan(&loaded.spec, &Facts::default());
            assert!(!problems.iter().any(spec::Problem::is_error), "{version}: {problems:?}");
            let hosts: Vec<_> = plan.hosts.into_values().filter_map(|host| host.kubeadm).collect();
            let api = if release.minor < 31 { "kubeadm.k8s.io/v1beta3" } else { "kubeadm.k8s.io/v1beta4" };
            let cluster = document(&hosts[0], "ClusterConfiguration");
            let join = document(&hosts[1], "JoinConfiguration");
            assert_eq!(
                (&cluster["apiVersion"], &join["apiVersion"]),
                (&json!(api), &json!(api)),
                "{version}"
            );
            assert_eq!(cluster["kubernetesVersion"], format!("v{version}"));
            let etcd: Vec<_> = cluster["etcd"].as_object().unwrap().keys().collect();
            assert_eq!(etcd, [if stacked { "local" } else { "external" }], "{version}");
        }
    }
}

/// What other control planes have of the cluster is what the first one uploads.
#[test]
fn all_control_planes_are_made_from_the_same() {
    let (hosts, _) = edited("1.36.2", TOLD);
    let first = document(&hosts[0], "ClusterConfiguration");
    let joined: Vec<_> =
        hosts.iter().map(|host| host.cluster.as_ref().map(|form| form.map().clone().into())).collect();
    assert_eq!(joined, [None, Some(first.clone()), Some(first), None]);
}

/// Of every release, join and place of etcd, whatever the spec says: the release knows every field of
/// what kubeadm and the components are told.
#[test]
fn every_release_knows_every_field() {
    for release in RELEASES {
        for (join, pki) in [
            ("", "pki: {}"),
            ("", "pki: {caKeysOnHosts: [kubernetes], validity: {leaf: 90d, ca: 10y}}"),
            ("  join: token\n  bootstrapTokens: {a: {}}\n", "pki: {caKeysOnHosts: [kubernetes]}"),
        ] {
            for stacked in [true, false] {
                let version =
                    format!("1.{}.{}", release.minor, release.etcd_images.first().unwrap().0.start());
                let mut text = CLUSTER.replacen("pki: {}", pki, 1);
                text =
                    text.replacen("  version: 1.36.2\n", &format!("  version: {version}\n{TOLD}{join}"), 1);
                if !stacked {
                    text = text
                        .replace("[control-plane, etcd]", "[control-plane]")
                        .replace("[worker]", "[etcd]");
                }
                let (plan, _) = plan(&spec::load(&text).spec, &Facts::default());
                let kubeadm: Vec<_> = plan.hosts.into_values().filter_map(|host| host.kubeadm).collect();
                assert_eq!(kubeadm.len(), if stacked { 4 } else { 3 });
                for host in kubeadm {
                    let patch =
                        host.patches.get("/etc/kubernetes/patches/kubeletconfiguration+merge.json").unwrap();
                    let forms = host.documents.iter().chain(&host.cluster);
                    let named = forms.map(|form| (form.map()["kind"].as_str().unwrap().to_owned(), form));
                    for (kind, form) in named.chain([("KubeletConfiguration".to_owned(), patch)]) {
                        let of = KINDS.into_iter().find(|known| known.kind() == kind).unwrap();
                        let mut map = form.map().clone();
                        map.retain(|key, _| key != "apiVersion" && key != "kind");
                        let value = Value::Object(map);
                        let at = spec::Path::root().key(&kind);
                        let problems = check(of, release.minor, &value, &at);
                        let said: Vec<_> =
                            problems.iter().map(|one| format!("{} {}", one.path, one.message)).collect();
                        assert_eq!(said, Vec::<String>::new(), "{version} {kind}");
                    }
                }
            }
        }
    }
}
