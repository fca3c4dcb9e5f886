//! What an install does when nothing is wrong.

use crate::bundle::sums::sha256_hex;
use crate::check::record::{DIRECTORY, HOST_SUMS, INSTALLED, MANIFEST, SIGNATURE, SUMS, TRUST};
use crate::finding::{Finding, Id};
use crate::host::testkit::{
    CONF, CRT, Draft, Host, KEY, POD, SECRET, alone, is_root, options, skip, verify_key,
};
use crate::host::{Action, Change, InstallError, Options, Report};
use crate::rootfs::Root;
use crate::verify_key::VERIFY_KEY_PATH;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

fn changes(report: &Report, leave_out: Action) -> Vec<(&str, Action)> {
    let all = report.changes.iter().map(|Change { path, action, .. }| (path.as_str(), *action));
    all.filter(|(_, action)| *action != leave_out).collect()
}

#[test]
fn a_first_install_places_everything_in_order() {
    let (draft, host) = (Draft::new(), Host::new());
    let bundle = draft.bundle();
    let dry = host.install(&draft, &bundle, &Options { dry_run: true, ..options() }).unwrap();
    assert_eq!(fs::read_dir(host.path("/")).unwrap().count(), 0, "a dry run wrote");
    let trust_text = Some(b"a line\n".as_slice());
    let report = host.install(&draft, &bundle, &Options { trust_text, ..options() }).unwrap();
    let expected = [
        "/etc/pki",
        "/etc/pods",
        DIRECTORY,
        CRT,
        SECRET,
        CONF,
        VERIFY_KEY_PATH,
        POD,
        HOST_SUMS,
        TRUST,
        MANIFEST,
        SUMS,
        SIGNATURE,
        INSTALLED,
    ];
    assert_eq!(changes(&report, Action::Unchanged), expected.map(|path| (path, Action::Created)));
    assert_eq!(changes(&dry, Action::Unchanged).len(), expected.len() - 1);
    assert_eq!((report.previous, report.revision.to_string().as_str()), (None, "2.1"));
    assert_eq!(report.run, ["app --reload"]);
    assert_eq!(report.restart, ["unit/app", "static-pod/etcd"]);
    assert_eq!((dry.run, dry.restart), (report.run, report.restart));

    assert_eq!(host.read(SECRET), KEY.as_bytes());
    assert_eq!(host.read(MANIFEST), bundle.manifest_bytes());
    assert_eq!(host.read(SUMS), bundle.sums());
    assert_eq!(host.read(SIGNATURE), bundle.signature());
    assert_eq!(host.read(TRUST), b"a line\n");
    let manifest = bundle.manifest_sha256();
    assert_eq!(
        String::from_utf8(host.read(INSTALLED)).unwrap(),
        format!(
            r#"{{"cluster":"0123456789abcdef0123456789abcdef","host":"infra0","manifest":"{manifest}","revision":{{"cluster":2,"host":1}}}}"#
        )
    );
    let lines = [CONF, CRT, SECRET, POD, VERIFY_KEY_PATH].map(|path| (path, sha256_hex(&host.read(path))));
    let mut lines = lines.map(|(path, digest)| format!("{digest}  {path}\n"));
    lines.sort_by(|a, b| a.get(66..).cmp(&b.get(66..)));
    assert_eq!(String::from_utf8(host.read(HOST_SUMS)).unwrap(), lines.concat());
    for (path, mode) in [
        (CONF, 0o644),
        (SECRET, 0o600),
        (VERIFY_KEY_PATH, 0o600),
        (HOST_SUMS, 0o600),
        (TRUST, 0o644),
        (DIRECTORY, 0o700),
        (INSTALLED, 0o600),
        (MANIFEST, 0o600),
        ("/etc/pki", 0o711),
        ("/etc/app", 0o755),
    ] {
        assert_eq!(host.mode(path), mode, "{path}");
    }
}

#[test]
fn a_second_install_touches_nothing() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    let before = host.picture();
    let report = host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(host.picture(), before);
    assert!(!report.changed());
    assert_eq!(report.previous, Some(report.revision));
    assert_eq!((report.run.len(), report.restart.len()), (0, 0));
    assert_eq!(changes(&report, Action::Unchanged), []);
}

#[test]
fn drift_is_repaired_and_told() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    let before = host.picture();
    fs::remove_file(host.path(CONF)).unwrap();
    host.write(POD, b"pod 2\n");
    host.chmod(SECRET, 0o644);
    host.chmod("/etc/pki", 0o777);
    host.write(HOST_SUMS, b"");
    let mut expected = vec![
        ("/etc/pki", Action::Mode),
        (SECRET, Action::Mode),
        (CONF, Action::Created),
        (POD, Action::Updated),
        (HOST_SUMS, Action::Updated),
    ];
    if is_root() {
        chown(host.path(CRT), Some(12), Some(34)).unwrap();
        expected.insert(1, (CRT, Action::Owner));
    }
    let report = host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(changes(&report, Action::Unchanged), expected);
    assert_eq!(report.restart, ["unit/app", "static-pod/etcd"]);
    // The same but for inodes and times.
    let plain = |picture: &std::collections::BTreeMap<_, String>| -> Vec<(std::path::PathBuf, String)> {
        let word = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        picture.iter().map(|(path, line): (&std::path::PathBuf, _)| (path.clone(), word(line))).collect()
    };
    assert_eq!(plain(&host.picture()), plain(&before));
    assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
}

#[test]
fn a_repaired_mode_restarts_nothing() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    host.chmod(CONF, 0o600);
    let report = host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!((report.run.len(), report.restart.len()), (0, 0));
    assert_eq!(host.mode(CONF), 0o644);
}

#[test]
fn a_newer_revision_replaces_and_removes() {
    let mut draft = Draft::new();
    draft.add("/etc/app/old.conf", b"old\n", false);
    draft.add("/etc/app/old.key", b"secret\n", true);
    draft.file("/etc/app/old.conf").run = vec!["forget old".into()];
    draft.file("/etc/app/old.key").restart = vec!["unit/old".into()];
    let (host, first) = Host::with(&draft);
    host.write("/etc/app/other", b"not ours");

    let mut newer = draft.clone();
    newer.drop("/etc/app/old.conf");
    newer.drop("/etc/app/old.key");
    newer.set(CONF, b"conf 2\n");
    newer.manifest.revision.host = 2;
    let bundle = newer.bundle();
    let report = host.install(&newer, &bundle, &options()).unwrap();
    assert_eq!(
        changes(&report, Action::Unchanged),
        [
            (CONF, Action::Updated),
            (HOST_SUMS, Action::Updated),
            (MANIFEST, Action::Updated),
            (SUMS, Action::Updated),
            (SIGNATURE, Action::Updated),
            (INSTALLED, Action::Updated),
            ("/etc/app/old.conf", Action::Removed),
            ("/etc/app/old.key", Action::Removed),
        ]
    );
    assert_eq!(report.previous.unwrap().to_string(), "2.1");
    assert_eq!(report.run, ["app --reload", "forget old"]);
    assert_eq!(report.restart, ["unit/app", "unit/old"]);
    let mut names: Vec<_> =
        fs::read_dir(host.path("/etc/app")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["app.conf", "other"]);

    // And back, when asked for.
    let back = Options { allow_rollback: true, ..options() };
    assert_eq!(host.install(&draft, &first, &back).unwrap().previous.unwrap().to_string(), "2.2");
    assert_eq!(host.read("/etc/app/old.key"), b"secret\n");
}

#[test]
fn what_a_killed_install_left_is_cleared() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    let before = host.picture();
    for directory in ["/etc/pods", "/etc/pki", DIRECTORY] {
        host.write(&format!("{directory}/.sealift-0123456789abcdef0123456789abcdef"), b"half a sec");
        host.write(&format!("{directory}/.sealift-fedcba9876543210fedcba9876543210/7.new"), b"half a sec");
    }
    host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(host.picture(), before);
}

/// All else goes, and what is not of an install is named.
#[test]
fn what_others_put_into_staging_directories_stays() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    let before = host.picture();
    let staging = ".sealift-fedcba9876543210fedcba9876543210";
    for path in ["/etc/pki", "/etc/pods"] {
        host.write(&format!("{path}/{staging}/7.old"), b"kept");
    }
    let foreign = format!("/etc/pki/{staging}/.7.new.swp");
    host.write(&foreign, b"");
    let root = Root::open(&host.path("/")).unwrap();
    let error = crate::host::install(&root, &bundle, &draft.identities(), &options()).unwrap_err();
    let InstallError::Refused(findings) = error else { panic!("{error:?}") };
    let mend = "move it out of the way, or remove it, and run again";
    let expected = Finding::new(Id::Interrupted, foreign.as_str(), mend);
    assert_eq!(findings, [expected.expected("nothing but what install stages").found("regular file")]);
    fs::remove_file(host.path(&foreign)).unwrap();
    fs::remove_dir(host.path(&format!("/etc/pki/{staging}"))).unwrap();
    assert_eq!(host.picture(), before);
}

/// A directory of the manifest that the record's directory is in, which is made before all others.
#[test]
fn a_directory_above_the_record() {
    let mut draft = Draft::new();
    let mut above = draft.manifest.directories.first().unwrap().clone();
    (above.path, above.mode) = ("/var/lib".into(), "0711".into());
    draft.manifest.directories.push(above);
    let (host, bundle) = Host::with(&draft);
    assert_eq!([host.mode("/var"), host.mode("/var/lib"), host.mode(DIRECTORY)], [0o755, 0o711, 0o700]);
    assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
}

#[test]
fn hard_links_elsewhere_keep_their_contents() {
    let draft = Draft::new();
    let (host, bundle) = Host::with(&draft);
    host.write(CONF, b"drifted");
    fs::hard_link(host.path(CONF), host.path("/etc/copy")).unwrap();
    host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(
        (host.read("/etc/copy").as_slice(), host.read(CONF).as_slice()),
        (b"drifted".as_slice(), b"conf 1\n".as_slice())
    );
    assert_eq!(fs::metadata(host.path(CONF)).unwrap().nlink(), 1);
}

fn modes_do_not_depend_on_the_umask() {
    let draft = Draft::new();
    let (host, _) = Host::with(&draft);
    let modes = [
        CONF,
        SECRET,
        CRT,
        VERIFY_KEY_PATH,
        POD,
        HOST_SUMS,
        DIRECTORY,
        INSTALLED,
        "/etc",
        "/etc/app",
        "/etc/pki",
        "/etc/pods",
        "/etc/sealift",
        "/var/lib",
    ];
    let found = modes.map(|path| host.mode(path));
    assert_eq!(
        found,
        [0o644, 0o600, 0o644, 0o600, 0o644, 0o600, 0o700, 0o600, 0o755, 0o755, 0o711, 0o755, 0o755, 0o755]
    );
}

#[test]
fn umask_000() {
    alone("host::tests::places::umask_000", None, 0, modes_do_not_depend_on_the_umask);
}

#[test]
fn umask_077() {
    alone("host::tests::places::umask_077", None, 0o077, modes_do_not_depend_on_the_umask);
}

#[test]
fn someone_who_is_not_root_may_stage() {
    alone("host::tests::places::someone_who_is_not_root_may_stage", Some(65534), 0o022, || {
        let draft = Draft::new();
        let (host, bundle) = Host::with(&draft);
        assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
        let own = rustix::process::geteuid().as_raw();
        assert_ne!(own, 0);
        assert_eq!(fs::metadata(host.path(SECRET)).unwrap().uid(), own);
    });
}

#[test]
fn root_stages_for_the_owner_of_the_directory() {
    if !is_root() {
        skip("only root can give files away");
        return;
    }
    let (draft, host) = (Draft::new(), Host::new());
    chown(host.path("/"), Some(1234), Some(5678)).unwrap();
    host.install(&draft, &draft.bundle(), &options()).unwrap();
    for path in [SECRET, CONF, "/etc", "/etc/pki", HOST_SUMS, INSTALLED] {
        let metadata = fs::metadata(host.path(path)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 5678), "{path}");
    }
}

#[test]
fn plain_sha256sum_reads_the_list() {
    let draft = Draft::new();
    let (host, _) = Host::with(&draft);
    let list = String::from_utf8(host.read(HOST_SUMS)).unwrap();
    // The list holds absolute paths; here they lie beneath the staging root.
    let local = list.replace("  /", &format!("  {}", host.path("/").display()));
    host.write("/list", local.as_bytes());
    let check =
        || std::process::Command::new("sha256sum").args(["-c", "--strict"]).arg(host.path("/list")).output();
    assert!(check().unwrap().status.success());
    host.write(SECRET, b"x");
    assert!(!check().unwrap().status.success());
    assert_eq!(verify_key().to_file().as_bytes(), host.read(VERIFY_KEY_PATH));
}
