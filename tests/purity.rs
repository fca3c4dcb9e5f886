//! A build is a pure function: the same inputs give the same bytes, whatever the world around it.
//!
//! Each test changes one thing that must not matter and compares every byte of the output with
//! that of a plain build.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};
use support::{contents, copy_tree, is_root, need, need_working, repository, run, skip, temporary, tree};

/// The example that is built; its keyring and identities are in `test-only/`.
const EXAMPLE: &str = "bundles/etcd-static-pods";

/// Path and digest of every file of an output directory.
type Digests = BTreeMap<String, String>;

/// The inputs, copied to a place of their own, and where the output goes.
struct Stage {
    directory: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self::of(EXAMPLE)
    }

    fn of(example: &str) -> Self {
        let directory = temporary();
        copy_tree(&repository(example), &directory.path().join("in"));
        let _ = fs::remove_dir_all(directory.path().join("in/out"));
        Self { directory }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// `sealift build` on the staged inputs, ready to be changed; after `wrapper` and its arguments.
    fn build(&self, program: &Path, wrapper: &[&str]) -> Command {
        let mut words: Vec<PathBuf> = wrapper.iter().map(PathBuf::from).collect();
        words.extend([program.to_path_buf(), "build".into(), self.path("in/sealift.yaml")]);
        words.extend(["--seed".into(), self.path("in/test-only/seed.age")]);
        words.extend(["-i".into(), self.path("in/test-only/operator.key"), "-o".into(), self.path("out")]);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(self.directory.path());
        command
    }

    /// What the command wrote.
    #[track_caller]
    fn digests(&self, command: &mut Command) -> Digests {
        let _ = run(command).expect_code(0);
        let digests = contents(&self.path("out"));
        assert!(digests.contains_key("index.json") && digests.contains_key("infra0.tar.gz"), "{digests:#?}");
        digests
    }
}

fn program() -> PathBuf {
    PathBuf::from(support::SEALIFT)
}

/// What a plain build gives; the other builds are compared with it.
static PLAIN: LazyLock<Digests> = LazyLock::new(|| {
    let stage = Stage::new();
    stage.digests(&mut stage.build(&program(), &[]))
});

/// A build under `wrapper`, with a change to its command, must give the plain build's bytes.
#[track_caller]
fn same(what: &str, wrapper: &[&str], change: impl FnOnce(&mut Command)) {
    let stage = Stage::new();
    let mut command = stage.build(&program(), wrapper);
    change(&mut command);
    assert_eq!(stage.digests(&mut command), *PLAIN, "{what}");
}

#[test]
fn environment() {
    for (name, value) in [
        ("TZ", "Pacific/Kiritimati"),
        ("TZ", "UTC"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LC_ALL", "C"),
        ("LANG", "ar_EG.UTF-8"),
        ("HOME", "/nonexistent"),
        ("USER", "somebody"),
        ("HOSTNAME", "elsewhere"),
        ("SOURCE_DATE_EPOCH", "1"),
        ("RAYON_NUM_THREADS", "1"),
        ("RUST_BACKTRACE", "full"),
        ("TERM", "dumb"),
        ("NO_COLOR", "1"),
    ] {
        same(&format!("{name}={value}"), &[], |command| {
            command.env(name, value);
        });
    }
    same("an empty environment", &[], |command| {
        command.env_clear();
    });
}

#[test]
fn umask() {
    for umask in ["000", "077"] {
        same(umask, &["sh", "-c", &format!("umask {umask}; exec \"$@\""), "sh"], |_| {});
    }
}

#[test]
fn working_directory() {
    for directory in ["/", "/tmp"] {
        same(directory, &[], |command| {
            command.current_dir(directory);
        });
    }
}

#[test]
fn relative_paths() {
    let stage = Stage::new();
    let mut command = Command::new(program());
    command.args(["build", "sealift.yaml", "--seed", "test-only/seed.age"]);
    command.args(["-i", "./test-only/operator.key", "-o", "../out"]);
    assert_eq!(stage.digests(command.current_dir(stage.path("in"))), *PLAIN);
}

#[test]
fn threads() {
    for threads in ["-j1", "-j2", "-j8"] {
        same(threads, &[], |command| {
            command.arg(threads);
        });
    }
}

#[test]
fn a_second_build_over_the_first() {
    let stage = Stage::new();
    let first = stage.digests(&mut stage.build(&program(), &[]));
    let again = stage.digests(stage.build(&program(), &[]).arg("--rebuild"));
    assert_eq!((&first, &again), (&*PLAIN, &*PLAIN));
}

#[test]
fn times_and_modes_of_inputs() {
    let stage = Stage::new();
    for name in tree(&stage.path("in")).keys() {
        let path = stage.path("in").join(name);
        let file = fs::File::open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(24)).unwrap();
        if path.is_file() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    assert_eq!(stage.digests(&mut stage.build(&program(), &[])), *PLAIN);
}

#[test]
fn clock() {
    let Some(faketime) = need("faketime") else { return };
    for moment in ["+3y", "2001-01-01 00:00:00", "2099-12-31 23:59:59"] {
        let wrapper = [faketime.to_str().unwrap(), "-f", moment];
        let year =
            run(Command::new(wrapper[0]).args(&wrapper[1..]).args(["date", "+%Y"])).expect_code(0).stdout;
        let real = run(Command::new("date").arg("+%Y")).expect_code(0).stdout;
        assert_ne!(year, real, "faketime changes nothing");
        same(moment, &wrapper, |_| {});
    }
}

/// What getrandom returns begins with bytes of our choice; strace's log shows that it happened.
#[test]
fn randomness() {
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    for bytes in ["0000000000000000", "ffffffffffffffff", "0123456789abcdef"] {
        let stage = Stage::new();
        let log = stage.path("strace.log");
        let poke = format!("inject=getrandom:poke_exit=@arg1={bytes}");
        let wrapper = [
            strace.to_str().unwrap(),
            "-f",
            "-e",
            "trace=getrandom",
            "-e",
            &poke,
            "-o",
            log.to_str().unwrap(),
            "--",
        ];
        assert_eq!(stage.digests(&mut stage.build(&program(), &wrapper)), *PLAIN, "{bytes}");
        let log = fs::read_to_string(&log).unwrap();
        assert!(log.contains("(INJECTED: args)"), "nothing was injected:\n{log}");
    }
}

/// A kernel that has no getrandom: nothing that a build needs may come from there.
#[test]
fn no_randomness() {
    let Some(strace) = need_working("strace", &["-o", "/dev/null", "true"]) else { return };
    let wrapper =
        [strace.to_str().unwrap(), "-f", "-e", "inject=getrandom:error=ENOSYS", "-o", "/dev/null", "--"];
    same("getrandom fails", &wrapper, |_| {});
}

#[test]
fn address_space_layout() {
    let Some(setarch) = need_working("setarch", &["-R", "true"]) else { return };
    same("no randomised addresses", &[setarch.to_str().unwrap(), "-R"], |_| {});
}

#[test]
fn host_name() {
    if !is_root() {
        return skip("only root can change the host name");
    }
    let Some(unshare) = need_working("unshare", &["--uts", "true"]) else { return };
    let script = "hostname purity.example && test \"$(hostname)\" = purity.example && exec \"$@\"";
    same("another host name", &[unshare.to_str().unwrap(), "--uts", "sh", "-c", script, "sh"], |_| {});
}

#[test]
fn user() {
    if !is_root() {
        return skip("only root can change the user");
    }
    let Some(setpriv) = need("setpriv") else { return };
    let stage = Stage::new();
    let copy = stage.path("sealift");
    fs::copy(program(), &copy).unwrap();
    let nobody = 65_534;
    chown(stage.path(""), Some(nobody), Some(nobody)).unwrap();
    for name in tree(&stage.path("")).keys() {
        chown(stage.path(name), Some(nobody), Some(nobody)).unwrap();
    }
    let wrapper = [setpriv.to_str().unwrap(), "--reuid=65534", "--regid=65534", "--clear-groups"];
    assert_eq!(stage.digests(&mut stage.build(&copy, &wrapper)), *PLAIN);
}

#[test]
fn order_of_keys_in_the_spec() {
    let stage = Stage::new();
    let path = stage.path("in/sealift.yaml");
    let spec = fs::read_to_string(&path).unwrap();
    let other = reversed(&spec);
    assert_ne!(other, spec);
    fs::write(&path, other).unwrap();
    assert_eq!(stage.digests(&mut stage.build(&program(), &[])), *PLAIN);
}

/// Clusters with control planes: with kubeadm and without, joined by certificates and by token.
const CLUSTERS: [&str; 3] =
    ["bundles/static-pods-ha", "bundles/external-etcd-kubeadm", "bundles/stacked-keepalived"];

/// Other ways to run etcd.
const FORMS: [&str; 3] = ["bundles/etcd-systemd", "bundles/etcd-statefulset", "bundles/nginx-local-proxy"];

/// One of [`FORMS`] as it is, or one of [`CLUSTERS`], also with manifests, mirrors, patches and a proxy, and the spec that it is built from.
fn cluster(example: &str) -> (Stage, String) {
    let stage = Stage::of(example);
    let path = stage.path("in/sealift.yaml");
    let more = "  manifests: [net/b.yaml, net/a.yaml]\n  proxy: {https: \"http://proxy.example:3128\"}\n  podSubnets:";
    let rest = "containerRuntime: {registryMirrors: {quay.io: [https://q.example], docker.io: [https://d.example]}}\n\
                patches: {/etc/kubernetes/manifests/kube-apiserver.yaml: {metadata: {labels: {b: c, a: d}}}}\nhosts:";
    let spec = fs::read_to_string(&path).unwrap();
    if FORMS.contains(&example) {
        return (stage, spec);
    }
    assert!(spec.contains("  podSubnets:") && spec.contains("\nhosts:"));
    let spec = spec.replace("  podSubnets:", more).replace("\nhosts:", &format!("\n{rest}"));
    fs::write(&path, &spec).unwrap();
    fs::create_dir(stage.path("in/net")).unwrap();
    for name in ["a", "b"] {
        let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
        fs::write(stage.path("in/net").join(name).with_extension("yaml"), text).unwrap();
    }
    (stage, spec)
}

/// What [`Stage::digests`] says, of any cluster.
#[track_caller]
fn outputs(stage: &Stage, command: &mut Command) -> Digests {
    let _ = run(command).expect_code(0);
    contents(&stage.path("out"))
}

/// All that the world can change at once, and the order of the spec's keys.
#[test]
fn clusters_in_another_world() {
    for example in CLUSTERS.into_iter().chain(FORMS) {
        let (stage, _) = cluster(example);
        let plain = outputs(&stage, &mut stage.build(&program(), &[]));
        assert!(plain.contains_key("operator.tar.gz") && plain.contains_key("index.json"), "{plain:#?}");

        let (stage, spec) = cluster(example);
        let other = reversed(&spec);
        assert_ne!(other, spec);
        fs::write(stage.path("in/sealift.yaml"), other).unwrap();
        for name in tree(&stage.path("in")).keys() {
            let file = fs::File::open(stage.path("in").join(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(24)).unwrap();
        }
        let mut command = stage.build(&program(), &["sh", "-c", "umask 077; exec \"$@\"", "sh"]);
        let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
        command.envs(proxies.map(|name| (name, "http://elsewhere.example:1")));
        command.envs([("TZ", "Pacific/Kiritimati"), ("LC_ALL", "tr_TR.UTF-8"), ("HOME", "/nonexistent")]);
        command.envs([("USER", "somebody"), ("HOSTNAME", "elsewhere"), ("KUBECONFIG", "/nonexistent")]);
        command.env("SOURCE_DATE_EPOCH", "1").arg("-j8").current_dir("/");
        assert_eq!(outputs(&stage, &mut command), plain, "{example}");
    }
}

/// A build of some hosts gives their bundles as a whole one does.
#[test]
fn some_hosts_of_clusters() {
    for example in CLUSTERS.into_iter().chain(FORMS) {
        let (stage, _) = cluster(example);
        let plain = outputs(&stage, &mut stage.build(&program(), &[]));
        for host in plain.keys().filter_map(|name| name.strip_suffix(".tar.gz")) {
            let (stage, _) = cluster(example);
            let some = outputs(&stage, stage.build(&program(), &[]).args(["--host", host]));
            let bundle = format!("{host}.tar.gz");
            assert_eq!(some.get(&bundle), plain.get(&bundle), "{example} {host}");
        }
    }
}

/// A worker more, before all others, is nothing to other hosts.
#[test]
fn a_worker_more_in_clusters() {
    for example in CLUSTERS {
        let (stage, _) = cluster(example);
        let mut plain = outputs(&stage, &mut stage.build(&program(), &[]));
        let (stage, spec) = cluster(example);
        let recipient = support::opened::machine(9).to_public();
        let worker = format!(
            "hosts:\n  a0: {{addresses: [10.255.0.9], roles: [worker], recipients: [{recipient}], \
             kubelet: {{config: {{maxPods: 50}}}}, labels: {{example.com/a: b}}}}\n"
        );
        fs::write(stage.path("in/sealift.yaml"), spec.replace("\nhosts:\n", &format!("\n{worker}"))).unwrap();
        let mut more = outputs(&stage, &mut stage.build(&program(), &[]));
        assert!(more.remove("a0.tar.gz").is_some(), "{more:#?}");
        let of_hosts = |name: &String| name.ends_with(".tar.gz") && name != "operator.tar.gz";
        plain.retain(|name, _| of_hosts(name));
        more.retain(|name, _| of_hosts(name));
        assert_eq!(more, plain, "{example}");
    }
}

/// `tests/run` builds the release and names it; the one that `cargo test` runs is not optimised.
#[test]
fn optimisation() {
    let Some(release) = std::env::var_os("SEALIFT_RELEASE_BIN") else {
        return skip("SEALIFT_RELEASE_BIN does not name a release build (tests/run sets it)");
    };
    let release = fs::canonicalize(release).unwrap();
    assert_ne!(fs::read(&release).unwrap(), fs::read(program()).unwrap(), "not another build");
    let stage = Stage::new();
    assert_eq!(stage.digests(&mut stage.build(&release, &[])), *PLAIN);
}

/// The same YAML with the keys of every block mapping in reverse order. Sequences, flow
/// collections and block scalars stay as they are; comments go with the line below them.
fn reversed(yaml: &str) -> String {
    let mut out = block(&yaml.lines().collect::<Vec<_>>()).join("\n");
    out.push('\n');
    out
}

fn block<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_blank = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let is_item = |line: &str| line.trim_start().starts_with("- ");
    let Some(level) = lines.iter().find(|line| !is_blank(line)).map(|line| indent(line)) else {
        return lines.to_vec();
    };
    if lines.iter().find(|line| !is_blank(line)).is_some_and(|line| is_item(line)) {
        return lines.to_vec();
    }
    let mut entries: Vec<Vec<&str>> = vec![vec![]];
    let mut has_key = false;
    for line in lines {
        let is_key = !is_blank(line) && indent(line) == level && !is_item(line);
        let above_a_key = is_blank(line) && indent(line) <= level;
        if has_key && (is_key || above_a_key) {
            entries.push(vec![]);
            has_key = false;
        }
        has_key |= is_key;
        entries.last_mut().unwrap().push(line);
    }
    entries.iter().rev().flat_map(|entry| inside(entry, is_blank)).collect()
}

/// One key with what belongs to it: a mapping below it is reversed too.
fn inside<'a>(entry: &[&'a str], is_blank: impl Fn(&&str) -> bool) -> Vec<&'a str> {
    let head = entry.iter().position(|line| !is_blank(line)).map_or(entry.len(), |at| at + 1);
    let (head, body) = entry.split_at(head);
    let has_block = head.last().is_some_and(|line| line.trim_end().ends_with(':'));
    let body = if has_block { block(body) } else { body.to_vec() };
    [head, &body].concat()
}

#[test]
fn reversing_a_spec_reverses_mappings_only() {
    let spec = "# head\na: 1\nb:\n  c: {x: 1, y: 2}\n  # about d\n  d:\n    - e: 1\n      f: 2\n    - g\n  h: |\n    i: 1\n    \
                j: 2\nk:\n- l\n- m\n";
    let expected = "k:\n- l\n- m\nb:\n  h: |\n    i: 1\n    j: 2\n  # about d\n  d:\n    - e: 1\n      f: 2\n    \
                    - g\n  c: {x: 1, y: 2}\n# head\na: 1\n";
    assert_eq!(reversed(spec), expected);
}
