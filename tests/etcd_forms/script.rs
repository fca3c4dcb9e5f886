//! The check of health as a program: its text, and what it makes of an etcdctl that only pretends.

use super::forms::spec;
use crate::support::etcd_health::script;
use crate::support::example::Built;
use crate::support::{Ran, need, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

/// A host of the example, and programs that pretend.
struct Host {
    _built: Built,
    script: PathBuf,
    programs: PathBuf,
}

impl Host {
    fn new(etcd: &str) -> Self {
        let built = Built::of(&spec(etcd));
        let root = built.root("infra0");
        let trust = built.out().join("trust");
        let _ = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
        let installed = fs::metadata(root.join("etc/etcd/sealift-etcd-health")).unwrap();
        assert_eq!(installed.permissions().mode() & 0o7777, 0o755);
        let programs = built.path("programs");
        fs::create_dir(&programs).unwrap();
        Self { script: script(&root), programs, _built: built }
    }

    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.programs.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Runs the check with its programs, and no etcdctl of this machine.
    fn run(&self, words: &[&str], variables: &[(&str, &str)]) -> Ran {
        for tool in
            ["awk", "cat", "env", "grep", "head", "id", "sed", "sh", "sleep", "sort", "tail", "timeout", "tr"]
        {
            let link = self.programs.join(tool);
            if !link.exists() {
                std::os::unix::fs::symlink(need(tool).unwrap(), link).unwrap();
            }
        }
        let mut command = Command::new("/bin/sh");
        command.arg(&self.script).args(words).env_clear().env("PATH", &self.programs);
        run(command.envs(variables.iter().copied()))
    }
}

/// What etcdctl 3.6 says of three members, by its words; `STATUS` is one member's status.
const ETCDCTL: &str = r#"
for word; do case $word in --endpoints=*) endpoints=${word#--endpoints=};; esac; done
case "$*" in
    *'member list'*)
        echo '1a, started, infra0, https://10.0.0.6:2380, https://10.0.0.6:2379, false'
        echo 'f000000000000002, started, infra1, https://10.0.0.7:2380, https://10.0.0.7:2379, false'
        echo '3, started, infra2, https://10.0.0.8:2380, https://10.0.0.8:2379, false' ;;
    *'endpoint health'*)
        for url in $(echo "$endpoints" | tr , ' '); do echo "$url is healthy: successfully committed proposal: took = 2ms"; done ;;
    *'endpoint status'*)
        term=4 leader=26
        for url in $(echo "$endpoints" | tr , ' '); do
            STATUS
            printf '"ClusterID" : %s\n"MemberID" : 26\n"Revision" : 5\n"RaftTerm" : %s\n' 7000000000000000001 $term
            printf '"Version" : "3.6.8"\n"StorageVersion" : "3.6.0"\n"DBSize" : %s\n"DBSizeInUse" : 1\n"DBSizeQuota" : %s\n' ${size:-20480} ${quota:-2147483648}
            printf '"Leader" : %s\n"IsLearner" : false\n"RaftIndex" : 9\n"RaftTerm" : %s\n"RaftAppliedIndex" : 9\n' $leader $term
            printf '"Errors" : []\n"Endpoint" : "%s"\n"DowngradeTargetVersion" : ""\n"DowngradeEnabled" : false\n\n' $url
        done ;;
    *'alarm list'*) ALARMS ;;
esac
"#;

fn told(host: &Host, status: &str, alarms: &str) -> (i32, String) {
    host.program("etcdctl", &ETCDCTL.replace("STATUS", status).replace("ALARMS", alarms));
    let ran = host.run(&[], &[]);
    assert_eq!(ran.stderr, "");
    (ran.code, ran.stdout)
}

#[test]
fn reads_what_3_6_says() {
    let host = Host::new("run: static-pod");
    let expect = |status: &str, alarms: &str, code: i32, lines: &str| {
        assert_eq!(told(&host, status, alarms), (code, lines.to_owned()), "{status} {alarms}");
    };
    expect(":", ":", 0, "ok: 3 members, one leader, no alarm\n");
    expect(
        "case $url in *8:2379) size=900 quota=1000;; esac",
        ":",
        1,
        "warning: the database of https://10.0.0.8:2379 has 900 bytes, and writes are refused from 1000 on\n",
    );
    expect(
        "case $url in *7:2379) leader=0;; *) leader=26;; esac",
        ":",
        2,
        "critical: https://10.0.0.7:2379 knows no leader\n",
    );
    expect(
        "case $url in *7:2379) term=9;; *) term=4;; esac",
        ":",
        2,
        "critical: members disagree on the term: 4, 9\ncritical: members disagree on the term: 9, 4\n"
            .split_inclusive('\n')
            .next()
            .unwrap(),
    );
    expect(
        "[ \"$url\" != https://10.0.0.7:2379 ] || continue",
        ":",
        2,
        "critical: infra1 (https://10.0.0.7:2379) does not tell its status\n",
    );
    // a number beyond 63 bits
    expect(
        ":",
        "echo 'memberID:17293822569102704642 alarm:CORRUPT '",
        2,
        "critical: infra1 has raised the alarm CORRUPT\n",
    );
}

#[test]
fn says_when_nobody_can_be_asked() {
    let host = Host::new("run: static-pod");
    let none = "unknown: there is no etcdctl on PATH, and no container of etcd runs here; install it, or set ETCDCTL\n";
    let ran = host.run(&[], &[]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (3, none, ""));
    let ran = host.run(&["--verbose"], &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    let usage = host.run(&["--help"], &[]).expect_code(0);
    assert_eq!(usage.stdout, ran.stderr);
    assert!(usage.stdout.starts_with("usage: sealift-etcd-health\n"));
}

/// The kubelet's container runtime has etcdctl in etcd's image.
#[test]
fn asks_by_the_etcdctl_in_its_container() {
    let host = Host::new("run: static-pod");
    let inside = host.program("inside", &ETCDCTL.replace("STATUS", ":").replace("ALARMS", ":"));
    let crictl = "case $1 in ps) echo 0a1b2c;; exec) [ \"$2 $3\" = '0a1b2c etcdctl' ] || exit 1; shift 3; exec INSIDE \"$@\";; esac";
    host.program("crictl", &crictl.replace("INSIDE", inside.to_str().unwrap()));
    let ran = host.run(&[], &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "ok: 3 members, one leader, no alarm\n"));
}

/// Whoever calls has a proxy and variables of etcdctl's; neither leads elsewhere.
#[test]
fn variables_of_the_caller_mean_nothing() {
    let host = Host::new("run: static-pod");
    let spied = "env >> ${0%/*}/seen\n".to_owned() + &ETCDCTL.replace("STATUS", ":").replace("ALARMS", ":");
    host.program("etcdctl", &spied);
    let variables = [
        ("ETCDCTL_ENDPOINTS", "https://192.0.2.1:2379"),
        ("ETCDCTL_INSECURE_SKIP_TLS_VERIFY", "true"),
        ("ETCDCTL_API", "2"),
        ("https_proxy", "http://192.0.2.1:3128"),
    ];
    assert_eq!(host.run(&[], &variables).expect_code(0).stdout, "ok: 3 members, one leader, no alarm\n");
    let seen = fs::read_to_string(host.programs.join("seen")).unwrap();
    assert!(!seen.contains("ETCDCTL_"), "{seen}");
    assert!(seen.lines().any(|line| line == "no_proxy=*") && seen.lines().any(|line| line == "NO_PROXY=*"));
}

#[test]
fn is_plain_posix_sh() {
    let Some(shellcheck) = need("shellcheck") else { return };
    for etcd in ["run: static-pod", "run: static-pod\n  urls: name"] {
        let host = Host::new(etcd);
        let ran = run(Command::new(&shellcheck).args(["--shell=sh", "--severity=style"]).arg(&host.script));
        assert_eq!(ran.expect_code(0).stdout, "");
    }
}

/// A shell and systemd read the same from etcdctl's variables, with IPv6 addresses too.
#[test]
fn etcdctls_variables_need_no_quotes() {
    let text = spec("run: static-pod").replace("[10.0.0.6]", "[\"fd00::6\"]");
    let built = Built::of(&text);
    let members = crate::support::archive::members(&built.bundle("infra0"));
    let file = members.iter().find(|member| member.name == "files/etc/etcd/etcdctl.env").unwrap();
    let text = String::from_utf8(file.contents.clone()).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let path = built.path("etcdctl.env");
    fs::write(&path, &text).unwrap();
    let script = format!("set -a; . {}; env", path.display());
    let seen = run(Command::new("/bin/sh").args(["-c", &script]).env_clear()).expect_code(0).stdout;
    let mut seen: Vec<_> = seen.lines().filter(|line| line.starts_with("ETCDCTL_")).collect();
    seen.sort_unstable();
    let mut expected = lines.clone();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    // systemd.exec(5), EnvironmentFile=: outside quotes only these mean something
    assert!(lines.iter().all(|line| !line.contains(['"', '\'', '\\', ' ', '$', '#', ';'])), "{text}");
    assert!(text.contains("ETCDCTL_ENDPOINTS=https://[fd00::6]:2379,https://10.0.0.7:2379,"), "{text}");
}
