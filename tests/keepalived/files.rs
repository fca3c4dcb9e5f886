//! The files of keepalived and kube-vip, as their readers see them.

use super::support::example::Built;
use super::support::stacked::installed_by;
use super::support::{need, run};
use super::{BOTH, V4, V6, entry, spec};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A spec with this entry, built, and the roots of its hosts.
pub(crate) fn installed(balancers: &str, more: &str) -> (Built, [PathBuf; 2]) {
    let built = Built::of(&spec(balancers, more));
    let roots = [0, 1].map(|number| installed_by(&built, ["cp1", "cp2"][usize::from(number)], number));
    (built, roots)
}

/// keepalived's verdict on the files of a root.
fn judged(root: &Path) -> (i32, String) {
    let etc = root.join("etc");
    // a bridge can do multicast, as ifb cannot
    let inside = format!(
        "ip link add name eth0 type bridge && mount --bind {etc}/keepalived /etc/keepalived && \
         {{ [ ! -e {etc}/passwd ] || mount --bind {etc}/passwd /etc/passwd; }} && \
         unshare --pid --fork keepalived --config-test --use-file=/etc/keepalived/keepalived.conf",
        etc = etc.display()
    );
    let ran = run(Command::new("unshare").args(["--net", "--mount", "--fork", "sh", "-c", &inside]));
    (ran.code, ran.stdout + &ran.stderr)
}

/// Makes the script's user in a root, as systemd does.
pub(crate) fn user(root: &Path) {
    let Some(sysusers) = need("systemd-sysusers") else { return };
    for file in ["passwd", "group"] {
        fs::copy(Path::new("/etc").join(file), root.join("etc").join(file)).unwrap();
    }
    let own = format!("--root={}", root.display());
    let _ = run(Command::new(sysusers).arg(own).arg("keepalived-script.conf")).expect_code(0);
    let users = fs::read_to_string(root.join("etc/passwd")).unwrap();
    let line = users.lines().find(|line| line.starts_with("keepalived_script:")).unwrap();
    assert!(line.contains(":keepalived's check script:") && line.ends_with("/nologin"), "{line}");
}

const VARIANTS: [(&str, &str); 9] = [
    (V4, ""),
    (V6, ""),
    (BOTH, ""),
    (BOTH, ", preempt: false"),
    (BOTH, ", multicast: true, advertisementInterval: 250ms"),
    (V4, ", password: {generation: 2}, advertisementInterval: 2s"),
    (
        BOTH,
        ", priorities: {cp1: 10, cp2: 200}, check: {interval: 5s, timeout: 4s, rise: 1, fall: 2, weight: 200}",
    ),
    (V4, ", run: static-pod, image: \"a.example/keepalived:2.3\", password: {}"),
    (BOTH, ", run: static-pod, image: \"a.example/keepalived:2.3\""),
];

#[test]
fn keepalived_takes_every_variant() {
    if need("keepalived").is_none() || need("unshare").is_none() {
        return;
    }
    for (vips, more) in VARIANTS {
        let (_built, roots) = installed(&entry(vips, more), "");
        for root in &roots {
            if !more.contains("static-pod") {
                user(root);
            }
            assert_eq!(judged(root), (0, String::new()), "{vips} {more}");
        }
    }
}

/// keepalived reads what it includes within an instance.
#[test]
fn the_password_is_read_where_it_is_included() {
    if need("keepalived").is_none() {
        return;
    }
    let (_built, roots) = installed(&entry(V4, ", password: {}"), "");
    user(&roots[0]);
    let file = roots[0].join("etc/keepalived/auth.conf");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(fs::read_to_string(roots[1].join("etc/keepalived/auth.conf")).unwrap(), text);
    let password = text.split("auth_pass ").nth(1).unwrap().lines().next().unwrap();
    assert!(password.len() == 8 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    fs::write(&file, text.replace(password, &format!("{password}x"))).unwrap();
    let (code, told) = judged(&roots[0]);
    assert_ne!(code, 0);
    assert!(told.contains("Truncating auth_pass to 8 characters"), "{told}");
}

#[test]
fn configuration_of_both_families() {
    let (_built, roots) = installed(&entry(BOTH, ""), "");
    let text = fs::read_to_string(roots[1].join("etc/keepalived/keepalived.conf")).unwrap();
    let (_, instances) = text.split_once("\n\nvrrp_instance ").unwrap();
    assert_eq!(
        instances,
        "VI_1 {
    version 2
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    unicast_src_ip 10.0.0.7
    unicast_peer {
        10.0.0.6
    }
    virtual_ipaddress {
        10.0.0.100/32 dev eth0
    }
    track_script {
        check_apiserver
    }
}

vrrp_instance VI_1_6 {
    version 3
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    unicast_src_ip fd00::7
    unicast_peer {
        fd00::6
    }
    virtual_ipaddress {
        fd00::100/128 dev eth0
    }
    track_script {
        check_apiserver
    }
}
"
    );
    let first = fs::read_to_string(roots[0].join("etc/keepalived/keepalived.conf")).unwrap();
    assert_eq!(first.matches("state MASTER\n").count(), 2);
    assert_eq!(first.matches("priority 101\n").count(), 2);
}

/// The values of kube-vip's variables and the path of its kubeconfig on a host.
fn kube_vip(root: &Path) -> (String, String) {
    let text = fs::read_to_string(root.join("etc/kubernetes/manifests/kube-vip.yaml")).unwrap();
    let pod = sealift::spec::yaml::foreign(&text).unwrap();
    let envs = pod["spec"]["containers"][0]["env"].as_array().unwrap().iter();
    let envs = envs.filter_map(|env| Some(format!("{}={}", env["name"].as_str()?, env["value"].as_str()?)));
    let kubeconfig = pod["spec"]["volumes"][0]["hostPath"]["path"].as_str().unwrap().to_owned();
    (envs.collect::<Vec<_>>().join(" "), kubeconfig)
}

const ARP: &str = "vip_arp=true port=6443 vip_interface=eth0 vip_subnet=32,128 cp_enable=true \
                   cp_namespace=kube-system svc_enable=false vip_leaderelection=true \
                   vip_leasename=plndr-cp-lock vip_leaseduration=5 vip_renewdeadline=3 vip_retryperiod=1 \
                   address=10.0.0.100,fd00::100";
const BGP: &str = "vip_arp=false port=6443 vip_interface=lo vip_subnet=32 cp_enable=true \
                   cp_namespace=kube-system svc_enable=false vip_leaderelection=true \
                   vip_leasename=plndr-cp-lock vip_leaseduration=5 vip_renewdeadline=3 vip_retryperiod=1 \
                   address=10.0.0.100 bgp_enable=true bgp_routerid=10.0.0.6 bgp_as=65000 \
                   bgp_peers=10.0.0.1:65001::false,10.9.0.1:65002::true";

#[test]
fn kube_vip_by_arp_and_by_bgp() {
    let image = "image: \"a.example/kube-vip:v1.0.0\"";
    let arp = format!("  - {{kind: kube-vip, vips: [{BOTH}], interface: eth0, {image}}}");
    let bgp = format!(
        "  - {{kind: kube-vip, vips: [{V4}], {image}, announce: bgp, bgp: {{as: 65000, peers: [{{address: \
         10.0.0.1, as: 65001}}, {{address: 10.9.0.1, as: 65002, multihop: true}}]}}}}"
    );
    let (_built, roots) = installed(&arp, "");
    assert_eq!(kube_vip(&roots[0]), (ARP.to_owned(), "/etc/kubernetes/super-admin.conf".to_owned()));
    assert_eq!(kube_vip(&roots[1]).1, "/etc/kubernetes/admin.conf");
    let (_built, roots) = installed(&bgp, "");
    assert_eq!(kube_vip(&roots[0]).0, BGP);
}

/// What kube-vip reads is on the host under either provisioner, and stays there.
#[test]
fn kube_vips_kubeconfig_is_managed() {
    let entry =
        format!("  - {{kind: kube-vip, vips: [{V4}], interface: eth0, image: \"a.example/kube-vip:v1\"}}");
    for provisioner in ["kubeadm", "static-pods"] {
        for initialized in [false, true] {
            let to = format!("provisioner: {provisioner}\n  initialized: {initialized}");
            let built = Built::of(&spec(&entry, "").replace("provisioner: kubeadm", &to));
            for (number, host) in (0..).zip(["cp1", "cp2"]) {
                let root = installed_by(&built, host, number);
                let name = if number == 0 && !initialized { "super-admin" } else { "admin" };
                let path = format!("/etc/kubernetes/{name}.conf");
                assert_eq!(kube_vip(&root).1, path);
                let manifest = fs::read(root.join("var/lib/sealift/manifest.json")).unwrap();
                let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
                let file = manifest["files"].as_array().unwrap().iter();
                let file = file.clone().find(|file| file["path"] == path.as_str()).unwrap();
                assert!(file["policy"].is_null() || file["policy"] == "managed", "{file}");
                assert_eq!(
                    file["restart"],
                    serde_json::json!(["static-pod/kube-vip"]),
                    "{provisioner} {host}"
                );
            }
        }
    }
}

#[test]
fn pods_are_kubernetes_own() {
    let Some(tool) = need("kubernetes-validate") else { return };
    let image = "image: \"a.example/x:1\"";
    let entries = [
        entry(BOTH, &format!(", run: static-pod, {image}")),
        format!("  - {{kind: kube-vip, vips: [{V6}], interface: eth0, {image}}}"),
    ];
    for (entry, name) in entries.iter().zip(["keepalived", "kube-vip"]) {
        let (built, roots) = installed(entry, "");
        let pod = roots[0].join(format!("etc/kubernetes/manifests/{name}.yaml"));
        for minor in ["1.29", "1.36"] {
            let ran = run(Command::new(&tool).args(["-k", minor, "--strict"]).arg(&pod)).expect_code(0);
            assert!((ran.stdout + &ran.stderr).contains(" passed for resource "));
        }
        let spec = built.path("sealift.yaml");
        let told = super::support::sealift(["images", spec.to_str().unwrap()]).expect_code(0).stdout;
        assert!(told.contains("a.example/x:1"), "{told}");
    }
}
