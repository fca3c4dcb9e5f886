//! Kubelets of nodes without kubeadm, end to end: installed, verified, and read by systemd.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use support::example::{Built, VALID_AT};
use support::{need, run, sealift, stacked, temporary};

const UNITS: &str = "etc/systemd/system";
const BOOTSTRAP: &str = "etc/kubernetes/bootstrap-kubelet.conf";

/// What systemd must keep in one word.
const HOSTILE: &str =
    r#"{extraArgs: {a: "b c\"d'e\\f%g$h;*=,", v: 4}, environment: {KUBELET_EXTRA_ARGS: "--x $y `z` \"q\""}}"#;

fn built(join: &str) -> Built {
    let (kubernetes, pki) = match join {
        "token" => ("  join: token\n  bootstrapTokens: {join: {}}\n", "pki: {caKeysOnHosts: [kubernetes]}\n"),
        _ => ("", ""),
    };
    let kubernetes = format!("{kubernetes}  proxy: {{http: \"http://proxy.example:3128\"}}\n");
    let rest = format!("{pki}kubelet: {HOSTILE}\nroles: {{worker: {{os: flatcar}}}}\n");
    Built::of(&stacked::spec("1.36.2", "static-pods", &kubernetes, &rest))
}

fn text(root: &Path, path: &str) -> String {
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn nodes_hold_what_their_bundles_say() {
    for join in ["certificates", "token"] {
        let built = built(join);
        for host in stacked::HOSTS {
            let root = stacked::installed(&built, host);
            let words = ["verify", "--at", VALID_AT.0, "--trust"];
            let trust = built.out().join("trust");
            let words = words.iter().map(Into::into).chain([trust, "--root".into(), root.clone()]);
            let _ = sealift(words.collect::<Vec<std::path::PathBuf>>()).expect_code(0);
            assert!(root.join("etc/kubernetes/pki/ca.crt").exists(), "{join} {host}");
            let bootstraps = join == "token" && host == "w1";
            assert_eq!(root.join(BOOTSTRAP).exists(), bootstraps, "{join} {host}");
            assert_eq!(root.join("etc/kubernetes/kubelet.conf").exists(), !bootstraps, "{join} {host}");
        }
    }
}

/// The token is the one that the operators make known, and no public file has it.
#[test]
fn the_token_is_in_sealed_files_alone() {
    let built = built("token");
    let worker = stacked::installed(&built, "w1");
    let config = text(&worker, BOOTSTRAP);
    let token = config.lines().find_map(|line| line.strip_prefix("    token: ")).unwrap().trim_matches('"');
    assert!(token.len() == 23 && token.as_bytes()[6] == b'.', "no token");
    assert!(config.contains("    server: https://api.prod.example:6443\n"));
    let (_, secret) = token.split_once('.').unwrap();
    assert_eq!(fs::metadata(worker.join(BOOTSTRAP)).unwrap().permissions().mode() & 0o777, 0o600);
    let raw = fs::read(built.bundle("w1")).unwrap();
    assert!(!String::from_utf8_lossy(&raw).contains(secret));
    let files = stacked::files(&built, "operator");
    let applied = files["/etc/kubernetes/cluster/bootstrap-tokens.yaml"].text();
    assert!(applied.contains(&format!("token-secret: \"{secret}\"")), "the cluster knows another token");
}

/// systemd's own verdict on the units of an installed host, with the programs that it names.
fn verdict(analyze: &Path, root: &Path, programs: &[&str]) -> (String, support::Ran) {
    let directory = temporary();
    let units = directory.path().join("units");
    fs::create_dir_all(&units).unwrap();
    let mut all = String::new();
    let located = |text: String| {
        programs.iter().fold(text, |text, program| {
            let name = Path::new(program).file_name().unwrap();
            text.replace(program, directory.path().join(name).to_str().unwrap())
        })
    };
    for program in programs {
        let stub = directory.path().join(Path::new(program).file_name().unwrap());
        fs::write(&stub, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for unit in ["kubelet", "containerd"] {
        let of_package = format!("[Unit]\nDescription={unit}\n[Service]\nExecStart={}\n", programs[0]);
        let own = fs::read_to_string(root.join(UNITS).join(format!("{unit}.service")));
        fs::write(units.join(format!("{unit}.service")), located(own.unwrap_or(of_package))).unwrap();
        let drop_ins = root.join(UNITS).join(format!("{unit}.service.d"));
        let copied = units.join(format!("{unit}.service.d"));
        fs::create_dir_all(&copied).unwrap();
        for entry in fs::read_dir(drop_ins).unwrap() {
            let path = entry.unwrap().path();
            let text = located(fs::read_to_string(&path).unwrap());
            all += &text;
            fs::write(copied.join(path.file_name().unwrap()), text).unwrap();
        }
    }
    let path = format!("{}:", units.display());
    let words = ["verify", "--man=no", "--recursive-errors=no", "kubelet.service", "containerd.service"];
    (all, run(Command::new(analyze).args(words).env("SYSTEMD_UNIT_PATH", path).env("LC_ALL", "C")))
}

#[test]
fn systemd_accepts_every_unit() {
    let Some(analyze) = need("systemd-analyze") else { return };
    for join in ["certificates", "token"] {
        let built = built(join);
        for (host, programs) in [
            ("cp1", ["/usr/bin/kubelet", "/usr/local/bin/sealift"]),
            ("w1", ["/opt/bin/kubelet", "/opt/bin/sealift"]),
        ] {
            let root = stacked::installed(&built, host);
            let (all, ran) = verdict(&analyze, &root, &programs);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{host} {join}");
            // one line each, quoted: nothing of a value stands on a line of its own
            assert!(all.contains("    \"--a=b c\\\"d'e\\\\f%%g$$h;*=,\" \\\n"), "{all}");
            assert!(all.contains("\nEnvironment=HTTP_PROXY=http://proxy.example:3128\n"), "{all}");
            assert_eq!(all.matches("\nExecStart=\n").count(), 1);
            let variables = text(&root, "etc/default/kubelet");
            let expected =
                "# Variables of the kubelet's unit.\nKUBELET_EXTRA_ARGS=\"--x \\$y \\`z\\` \\\"q\\\"\"\n";
            assert_eq!(variables, expected);
        }
    }
}
