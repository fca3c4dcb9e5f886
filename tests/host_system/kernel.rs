//! Settings and modules, given to the programs that apply them, in namespaces where that can be done.

use super::support::stacked::files;
use super::support::{is_root, need, repository, run, skip, temporary};
use super::{PARTS, built, dual};
use sealift::plan::preparation::{MODULES, REMOVED, SETTINGS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program that systemd applies settings with.
const SYSTEMD: &str = "/lib/systemd/systemd-sysctl";

fn entry(key: &str) -> PathBuf {
    Path::new("/proc/sys").join(key.replace('.', "/"))
}

#[test]
fn this_kernel_has_each_setting_or_its_module_is_named() {
    for setting in SETTINGS {
        let module = setting.module.is_some_and(|name| MODULES.iter().any(|row| row.name == name));
        let without_ipv6 = setting.key.starts_with("net.ipv6.") && !Path::new("/proc/sys/net/ipv6").exists();
        assert!(entry(setting.key).exists() || module || without_ipv6, "{}", setting.key);
    }
    assert!(REMOVED.iter().all(|row| !entry(row.key).exists()));
}

/// Keys with their values, as sysctl.d(5) has them.
fn pairs(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (key, value) = line.split_once(" = ").unwrap();
            (key.to_owned(), value.to_owned())
        })
        .collect()
}

/// Settings of a network, set in one of its own and read back there, by systemd and by procps.
#[test]
fn a_network_takes_its_settings() {
    let (Some(sysctl), Some(unshare)) = (need("sysctl"), need("unshare")) else { return };
    if !is_root() {
        return skip("only root can make networks");
    }
    let built = dual("", PARTS);
    let all = pairs(files(&built, "w1")["/etc/sysctl.d/90-sealift.conf"].text());
    let inside = |script: &str| {
        run(Command::new(&unshare).args(["--net", "sh", "-euc", script])).expect_code(0).stdout
    };
    let there = |key: &str| format!("test -e {} && echo yes || true", entry(key).display());
    let own: Vec<_> =
        all.iter().filter(|(key, _)| key.starts_with("net.") && inside(&there(key)) == "yes\n").collect();
    assert!(own.iter().any(|(key, _)| key == "net.ipv4.ip_forward"), "{own:?}");
    let directory = temporary();
    let file = directory.path().join("90-sealift.conf");
    let lines: Vec<_> = own.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    fs::write(&file, lines.concat()).unwrap();
    let expected = own.iter().map(|(_, value)| format!("{value}\n")).collect::<Vec<_>>().concat();
    for command in [format!("{} -p", sysctl.display()), SYSTEMD.to_owned()] {
        let reads: Vec<_> = own.iter().map(|(key, _)| format!("cat {}\n", entry(key).display())).collect();
        let read = inside(&format!("{command} {} >/dev/null\n{}", file.display(), reads.concat()));
        assert_eq!(read.replace('\t', " "), expected, "{command}");
    }
}

/// Texts that a value may be, in the one setting that takes any text, of a machine of its own.
#[test]
fn a_value_is_read_back_as_it_is() {
    let (Some(sysctl), Some(unshare)) = (need("sysctl"), need("unshare")) else { return };
    if !is_root() {
        return skip("only root can make machines");
    }
    let values = ["a", "a b", "# b", "; b", "a = b", "= b", "a\\", "\"a", "'a' $b `c` %d {e}", "-", "[a]"];
    for value in values {
        let quoted = serde_json::to_string(value).unwrap();
        let parts = format!("hostPrep: {{sysctl: {{settings: {{kernel.domainname: {quoted}}}}}}}\n");
        let built = built("", &parts);
        let files = files(&built, "w1");
        let text = files["/etc/sysctl.d/90-sealift.conf"].text();
        assert_eq!(pairs(text).iter().filter(|(_, own)| own == value).count(), 1, "{text}");
        // nothing of this machine but its name
        let wanted = |line: &&str| line.starts_with('#') || line.is_empty() || line.contains("domainname");
        let file = built.path("90-sealift.conf");
        let own: String = text.lines().filter(wanted).flat_map(|line| [line, "\n"]).collect();
        fs::write(&file, own).unwrap();
        for command in [format!("{} -p", sysctl.display()), SYSTEMD.to_owned()] {
            let script = format!("{command} {} >&2; cat /proc/sys/kernel/domainname", file.display());
            let read = run(Command::new(&unshare).args(["--uts", "sh", "-euc", &script])).expect_code(0);
            assert_eq!(read.stdout, format!("{value}\n"), "{command}: {}", read.stderr);
        }
    }
}

/// What systemd would load: without the capability to do so, it only says it.
#[test]
fn systemd_reads_the_modules() {
    let Some(setpriv) = need("setpriv") else { return };
    if !is_root() {
        return skip("only root has capabilities to give away");
    }
    let built = built("  kubeProxy: {mode: ipvs, scheduler: lc}\n", PARTS);
    let file = built.path("sealift.conf");
    fs::write(&file, files(&built, "w1")["/etc/modules-load.d/sealift.conf"].text()).unwrap();
    let read = run(Command::new(setpriv)
        .args(["--bounding-set=-sys_module", "--inh-caps=-sys_module", "/lib/systemd/systemd-modules-load"])
        .arg(&file)
        .env("SYSTEMD_LOG_LEVEL", "debug")
        .env("SYSTEMD_LOG_TARGET", "console"));
    let loading = read.stderr.lines().filter_map(|line| line.strip_prefix("Loading module: "));
    assert_eq!(
        loading.collect::<Vec<_>>(),
        [
            "br_netfilter",
            "ip_vs",
            "ip_vs_lc",
            "ip_vs_rr",
            "ip_vs_sh",
            "ip_vs_wrr",
            "nf_conntrack",
            "overlay",
            "tcp_bbr"
        ],
        "{}",
        read.stderr
    );
}

/// docs/host-preparation.md has the tables, row by row.
#[test]
fn the_document_has_the_tables() {
    let document = fs::read_to_string(repository("docs/host-preparation.md")).unwrap();
    let own = |head: &str| -> Vec<&str> {
        let after = document.split_once(head).unwrap().1;
        after.lines().skip(1).take_while(|line| line.starts_with('|')).skip(1).collect()
    };
    let modules: Vec<_> =
        MODULES.iter().map(|row| format!("| `{}` | {} | {} |", row.name, row.on.words(), row.why)).collect();
    assert_eq!(own("| module | where | why |"), modules);
    let settings = SETTINGS
        .iter()
        .map(|row| format!("| `{}` | {} | {} | {} |", row.key, row.value, row.on.words(), row.why));
    assert_eq!(own("| setting | value | where | why |"), settings.collect::<Vec<_>>());
    for row in REMOVED {
        let named = format!("`{}` ({})", row.key, row.since);
        assert!(document.replace('\n', " ").contains(&named), "{named}");
    }
}
