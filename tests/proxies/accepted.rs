//! nginx and haproxy themselves take every variant, without a warning.

use crate::support::{self, need, need_working, run, temporary};
use crate::{HAPROXY_IMAGE, NGINX_IMAGE, built, files};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A machine for a program: its addresses, its names, and the files of a bundle where they belong.
const MACHINE: &str = "set -e
ip link set lo up
for address in 10.0.0.9/32 fd00::9/128; do ip address add $address dev lo; done
mount --bind \"$ROOT/hosts\" /etc/hosts
mkdir -p /etc/nginx /etc/haproxy
mount --bind \"$ROOT/etc/nginx\" /etc/nginx
mount --bind \"$ROOT/etc/haproxy\" /etc/haproxy
mount -t tmpfs none /run; mkdir /run/nginx
exec \"$@\"
";

/// How often each variant is there: all pairs of what a configuration depends on.
fn variants() -> Vec<(String, String, bool)> {
    let mut all = Vec::new();
    for (i, listen) in ["loopback", "all", "host"].into_iter().enumerate() {
        for (j, balance) in ["least-connections", "round-robin", "source-address"].into_iter().enumerate() {
            for (k, run) in ["service", "container", "static-pod"].into_iter().enumerate() {
                let dual = (i + j + k) % 2 == 0;
                let names = (i + j) % 2 == 0;
                let reuse = (j + k) % 2 == 0;
                let image = |image: &str| match run {
                    "service" => String::new(),
                    _ => format!(", image: \"{image}\""),
                };
                let rest = format!(
                    "on: load-balancer, run: {run}, listen: {listen}, balance: {balance}, backends: {}, \
                     weights: {{cp2: 7}}",
                    if names { "name" } else { "address" }
                );
                let rest_of = |more: &str, own: &str| format!("{rest}, {more}{}", image(own));
                all.push((
                    format!("kind: nginx, {}", rest_of(&format!("reusePort: {reuse}"), NGINX_IMAGE)),
                    format!("kind: haproxy, {}", rest_of("port: 9443, idleTimeout: 1500ms", HAPROXY_IMAGE)),
                    dual,
                ));
            }
        }
    }
    all
}

/// Writes the configurations of a bundle below a root.
fn write(root: &Path, nginx: &str, haproxy: &str, dual: bool) {
    let files = files(&built(&[nginx, haproxy], dual));
    for directory in ["etc/nginx", "etc/haproxy"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    let mut written = 0;
    for (path, file) in &files {
        if path.starts_with("/etc/nginx/") || path.starts_with("/etc/haproxy/") {
            fs::write(root.join(path.trim_start_matches('/')), &file.contents).unwrap();
            written += 1;
        }
    }
    assert_eq!(written, 3, "{:?}", files.keys());
    fs::write(root.join("hosts"), "10.0.0.6 cp1\n10.0.0.7 cp2\nfd00::8 cp3\n").unwrap();
}

#[test]
fn every_variant_passes() {
    let [Some(nginx), Some(haproxy), Some(_)] = ["nginx", "haproxy", "ip"].map(need) else { return };
    let mut words = vec!["--net", "--mount"];
    if !support::is_root() {
        words.push("--map-root-user");
    }
    let probe: Vec<&str> = words.iter().copied().chain(["true"]).collect();
    let Some(unshare) = need_working("unshare", &probe) else { return };
    for (one, other, dual) in variants() {
        let root = temporary();
        write(root.path(), &one, &other, dual);
        let check = |program: &Path, arguments: &[&str]| {
            let mut command = Command::new(&unshare);
            command.args(&words).args(["sh", "-c", MACHINE, "sh"]).arg(program).args(arguments);
            let ran = run(command.env("ROOT", root.path()));
            assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (0, "", ""), "{one} / {other}");
        };
        // images have the module in the program; this machine's package has it beside
        let own = if one.contains("run: service") {
            "pid /tmp/x.pid;"
        } else {
            "load_module modules/ngx_stream_module.so;"
        };
        check(&nginx, &["-t", "-q", "-c", "/etc/nginx/nginx.conf", "-g", own]);
        check(&haproxy, &["-c", "-q", "-dW", "-f", "/etc/haproxy/haproxy.cfg"]);
    }
}
