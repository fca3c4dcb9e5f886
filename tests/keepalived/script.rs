//! The check that keepalived runs, against API servers that answer well, badly or not at all.

use super::files::installed;
use super::machine::ApiServer;
use super::support::{is_root, need, run, skip};
use super::{BOTH, V4, entry};
use std::process::Command;

#[test]
fn shellcheck_has_nothing_to_say() {
    let Some(shellcheck) = need("shellcheck") else { return };
    for vips in [V4, BOTH] {
        let (_built, roots) = installed(&entry(vips, ""), "");
        let script = roots[0].join("etc/keepalived/check_apiserver.sh");
        let ran = run(Command::new(&shellcheck).arg("--shell=sh").arg(script));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    }
}

/// Runs in networks of its own, whose host has 10.0.0.6 and may have the virtual address.
#[test]
fn says_by_its_exit_code_whether_the_host_is_well() {
    let [Some(_), Some(dash), Some(busybox), Some(_)] = ["curl", "dash", "busybox", "python3"].map(need)
    else {
        return;
    };
    if !is_root() {
        return skip("only root can make networks");
    }
    let (_built, roots) = installed(&entry(V4, ""), "");
    let (_other, strangers) =
        installed(&entry(V4, ""), "pki: {generation: 2, cas: {kubernetes: {generation: 2}}}\n");
    let [dash, busybox] = [dash, busybox].map(|path| path.to_str().unwrap().to_owned());
    for shell in [vec![dash.clone()], vec![busybox, "sh".to_owned()]] {
        let check = |server: Option<&ApiServer>, setup: &str| {
            let ca = format!("{}/etc/keepalived", roots[0].display());
            let serve =
                server.map_or_else(String::new, |server| format!("{} & until curl --silent --insecure --output /dev/null https://10.0.0.6:6443/; do sleep 0.1; done; ", server.command()));
            let inside = format!(
                "mount --bind {ca} /etc/keepalived; ip link set lo up; ip link add eth0 type bridge; ip link set eth0 \
                 up; ip addr add 10.0.0.6/24 dev eth0; {setup} {serve} {} /etc/keepalived/check_apiserver.sh",
                shell.join(" ")
            );
            let words = ["--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c", &inside];
            let ran = run(Command::new("unshare").args(words));
            assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{shell:?}");
            ran.code
        };
        let of = |root, bind: &str, code| ApiServer::new(root, bind, code);
        let vip = "ip addr add 10.0.0.100/32 dev eth0;";
        assert_eq!(check(Some(&of(&roots[0], "0.0.0.0", 200)), ""), 0, "{shell:?}");
        assert_eq!(check(Some(&of(&roots[0], "0.0.0.0", 200)), vip), 0, "{shell:?}");
        assert_eq!(check(Some(&of(&roots[0], "0.0.0.0", 500)), ""), 1, "{shell:?}");
        assert_eq!(check(Some(&of(&roots[0], "10.0.0.6", 200)), ""), 0, "{shell:?}");
        // where the address is, but nothing answers there
        assert_eq!(check(Some(&of(&roots[0], "10.0.0.6", 200)), vip), 1, "{shell:?}");
        assert_eq!(check(Some(&of(&strangers[0], "0.0.0.0", 200)), ""), 1, "{shell:?}");
        assert_eq!(check(None, ""), 1, "{shell:?}");
    }
}
