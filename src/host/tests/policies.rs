//! Files that components rewrite, that are needed once, and that others write.

use crate::bundle::manifest::Policy;
use crate::bundle::open::Verified;
use crate::bundle::sums::sha256_hex;
use crate::check::fields::testkit::{
    CA, CURRENT, NODE_CERT, OTHER_CA, SERVER, digest, expected, fields_of, placed, rewritten,
};
use crate::check::record::{HOST_SUMS, INSTALLED, MANIFEST};
use crate::finding::{Finding, Id};
use crate::host::compare;
use crate::host::testkit::{CONF, Draft, Host, KEY, names, options};
use crate::host::wanted::{Base, Contents, Phase, Wanted};
use crate::host::{Action, InstallError, Options, Report};
use crate::rootfs::Attributes;
use crate::verify_key::VERIFY_KEY_PATH;
use std::fs;
use std::os::unix::fs::symlink;

const KUBELET: &str = "/etc/kubernetes/kubelet.conf";
const ADMIN: &str = "/etc/kubernetes/admin.conf";
const STATE: &str = "/etc/pods/state";
const MEND: &str =
    "find out who changed it; then move it out of the way and run again, or replace it with --force";

/// What a report says of one path; `None` when it does not name it.
fn action(report: &Report, path: &str) -> Option<Action> {
    report.changes.iter().find(|change| change.path == path).map(|change| change.action)
}

fn raised(draft: &Draft) -> Draft {
    let mut newer = draft.clone();
    newer.manifest.revision.cluster += 1;
    newer
}

/// Installs a draft that was not installed before: each sealing is another bundle.
fn install(host: &Host, draft: &Draft) -> Report {
    repair(host, draft, &draft.bundle())
}

fn repair(host: &Host, draft: &Draft, bundle: &Verified) -> Report {
    host.install(draft, bundle, &options()).unwrap()
}

fn force() -> Options<'static> {
    Options { force: true, ..options() }
}

fn with_kubelet() -> Draft {
    let mut draft = Draft::new();
    draft.initial(KUBELET, &placed(SERVER, CA), expected(SERVER, CA));
    draft.file(KUBELET).restart = vec!["kubelet".into()];
    draft
}

/// As the kubelet does once it has a certificate of its own.
fn rewrite(host: &Host, server: &str, ca: &str) {
    host.write("/var/lib/kubelet/pki/kubelet-client-1.pem", format!("{NODE_CERT}{KEY}").as_bytes());
    let _ = fs::remove_file(host.path(CURRENT));
    symlink("/var/lib/kubelet/pki/kubelet-client-1.pem", host.path(CURRENT)).unwrap();
    host.write(KUBELET, rewritten(server, ca).as_bytes());
}

#[test]
fn an_initial_file_is_placed_when_absent() {
    let draft = with_kubelet();
    let (host, bundle) = Host::with(&draft);
    assert_eq!(host.read(KUBELET), placed(SERVER, CA).as_bytes());
    assert!(!repair(&host, &draft, &bundle).changed());
    fs::remove_file(host.path(KUBELET)).unwrap();
    let report = repair(&host, &draft, &bundle);
    assert_eq!(action(&report, KUBELET), Some(Action::Created));
    assert_eq!(report.restart, ["kubelet"]);
    let list = String::from_utf8(host.read(HOST_SUMS)).unwrap();
    assert!(!list.contains(KUBELET) && list.contains(CONF), "{list}");
}

#[test]
fn an_initial_file_that_nobody_rewrote_is_replaced() {
    for sealed in [true, false] {
        let mut draft = with_kubelet();
        draft.file(KUBELET).sealed = sealed;
        let (host, _) = Host::with(&draft);
        let mut newer = raised(&draft);
        let server = "https://other.example:6443";
        newer.initial(KUBELET, &placed(server, OTHER_CA), expected(server, OTHER_CA));
        newer.file(KUBELET).sealed = sealed;
        assert_eq!(action(&install(&host, &newer), KUBELET), Some(Action::Updated), "sealed: {sealed}");
        assert_eq!(host.read(KUBELET), placed(server, OTHER_CA).as_bytes());
    }
}

#[test]
fn what_a_component_wrote_stays_while_its_fields_hold() {
    let draft = with_kubelet();
    let (host, bundle) = Host::with(&draft);
    rewrite(&host, SERVER, CA);
    let before = host.picture();
    assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
    assert_eq!(host.picture(), before);

    // A newer bundle with another key but the same fields leaves it alone too.
    let mut newer = raised(&draft);
    newer.set(KUBELET, (placed(SERVER, CA) + "# new\n").as_bytes());
    let newer_bundle = newer.bundle();
    let report = repair(&host, &newer, &newer_bundle);
    assert_eq!(action(&report, KUBELET), Some(Action::Unchanged));
    assert_eq!(report.restart, [""; 0]);
    assert_eq!(host.read(KUBELET), rewritten(SERVER, CA).as_bytes());

    // Mode and owner are the bundle's.
    host.chmod(KUBELET, 0o666);
    assert_eq!(action(&repair(&host, &newer, &newer_bundle), KUBELET), Some(Action::Mode));
    assert_eq!((host.mode(KUBELET), host.read(KUBELET)), (0o600, rewritten(SERVER, CA).into_bytes()));
}

/// Between the reading of its fields and the comparison a component may write again.
#[test]
fn what_changes_after_it_was_judged_is_not_overwritten() {
    let host = Host::new();
    let root = host.root();
    let kept = |contents| Wanted {
        path: KUBELET,
        contents: Contents::Public(contents),
        attributes: Attributes::on(&root, 0o600, 0, 0),
        phase: Phase::First,
        kept: true,
        base: Base::Bundle,
    };
    host.write(KUBELET, b"new");
    host.chmod(KUBELET, 0o600);
    let changes = compare::files(&root, vec![kept(b"new")]).unwrap();
    assert!(changes.iter().all(|change| change.action == Action::Unchanged));
    for gone in [false, true] {
        if gone {
            fs::remove_file(host.path(KUBELET)).unwrap();
        }
        let Err(InstallError::Refused(findings)) = compare::files(&root, vec![kept(b"old")]) else {
            panic!()
        };
        assert_eq!(names(&findings), [format!("changed-while-reading {KUBELET}")]);
    }
}

#[test]
fn an_initial_file_that_was_there_before_the_first_install() {
    let (draft, host) = (with_kubelet(), Host::new());
    rewrite(&host, SERVER, CA);
    host.chmod(KUBELET, 0o600);
    assert_eq!(action(&install(&host, &draft), KUBELET), Some(Action::Unchanged));
    let host = Host::new();
    rewrite(&host, "https://other:6443", CA);
    let refused = host.refused(&draft, &draft.bundle(), &options());
    assert_eq!(refused, (vec![format!("initial-differs {KUBELET}")], 1));
}

#[test]
fn fields_that_differ_are_refused_one_by_one() {
    let draft = with_kubelet();
    let (host, bundle) = Host::with(&draft);
    rewrite(&host, "https://evil:6443", OTHER_CA);
    let names = [format!("initial-differs {KUBELET}"), format!("initial-differs {KUBELET}")];
    assert_eq!(host.refused(&draft, &bundle, &options()), (names.to_vec(), 1));
    let Err(InstallError::Refused(findings)) = host.install(&draft, &bundle, &options()) else { panic!() };
    let finding = |expected: String, found: String| {
        Finding::new(Id::InitialDiffers, KUBELET, MEND).expected(expected).found(found)
    };
    let ca = |ca| format!("certificateAuthority: {}", digest(ca));
    let server = |server| format!("server: {server}");
    assert_eq!(
        findings,
        [finding(ca(CA), ca(OTHER_CA)), finding(server(SERVER), server("https://evil:6443"))]
    );
    assert_eq!(action(&host.install(&draft, &bundle, &force()).unwrap(), KUBELET), Some(Action::Updated));
    assert_eq!(host.read(KUBELET), placed(SERVER, CA).as_bytes());

    for text in ["", "no: kubeconfig", "a: [", "\u{0}"] {
        host.write(KUBELET, text.as_bytes());
        let refused = host.refused(&draft, &bundle, &options());
        assert_eq!(refused, (vec![format!("initial-differs {KUBELET}")], 1), "{text}");
    }
    fs::File::options().write(true).open(host.path(KUBELET)).unwrap().set_len(17 << 20).unwrap();
    let error = host.install(&draft, &bundle, &options()).unwrap_err();
    let InstallError::Refused(findings) = error else { panic!("{error:?}") };
    assert_eq!(findings, [finding("at most 16 MiB".into(), "more".into())]);
    host.install(&draft, &bundle, &force()).unwrap();
    assert_eq!(host.read(KUBELET), placed(SERVER, CA).as_bytes());
}

/// A new authority: whoever kept to the old one gets the new, who did not is refused.
#[test]
fn a_rotation_replaces_what_only_a_component_rewrote() {
    let draft = with_kubelet();
    let mut newer = raised(&draft);
    newer.initial(KUBELET, &placed(SERVER, OTHER_CA), expected(SERVER, OTHER_CA));
    let (host, _) = Host::with(&draft);
    rewrite(&host, SERVER, CA);
    assert_eq!(action(&install(&host, &newer), KUBELET), Some(Action::Updated));
    assert_eq!(host.read(KUBELET), placed(SERVER, OTHER_CA).as_bytes());

    let (host, _) = Host::with(&draft);
    rewrite(&host, "https://evil:6443", CA);
    let names = vec![format!("initial-differs {KUBELET}"); 2];
    assert_eq!(host.refused(&newer, &newer.bundle(), &options()), (names, 1));

    // Who has the new one already keeps it.
    let (host, _) = Host::with(&draft);
    rewrite(&host, SERVER, OTHER_CA);
    host.chmod(KUBELET, 0o600);
    assert_eq!(action(&install(&host, &newer), KUBELET), Some(Action::Unchanged));

    // Without a record nobody knows what was there before.
    let (host, _) = Host::with(&draft);
    rewrite(&host, SERVER, CA);
    fs::remove_file(host.path(MANIFEST)).unwrap();
    let names = vec![format!("initial-differs {KUBELET}")];
    assert_eq!(host.refused(&newer, &newer.bundle(), &options()), (names, 1));
}

/// The file that a kubeconfig names changes in the same install.
#[test]
fn files_of_the_bundle_count_as_they_will_be() {
    let ca = "/etc/kubernetes/pki/ca.crt";
    let by_path = |authority: &str| {
        let data =
            format!("certificate-authority-data: {}", crate::check::fields::testkit::base64(authority));
        placed(SERVER, authority).replace(&data, &format!("certificate-authority: {ca}"))
    };
    let draft = |authority: &str| {
        let mut draft = Draft::new();
        draft.add(ca, authority.as_bytes(), false);
        draft.initial(KUBELET, &by_path(authority), expected(SERVER, authority));
        draft
    };
    let old = draft(CA);
    let mut new = raised(&old);
    new.set(ca, OTHER_CA.as_bytes());
    new.initial(KUBELET, &by_path(OTHER_CA), expected(SERVER, OTHER_CA));
    let (host, _) = Host::with(&old);
    let own = by_path(CA) + "# rewritten\n";
    host.write(KUBELET, own.as_bytes());
    let report = install(&host, &new);
    assert_eq!(
        (action(&report, KUBELET), action(&report, ca)),
        (Some(Action::Unchanged), Some(Action::Updated))
    );
    assert_eq!(host.read(KUBELET), own.as_bytes());
}

#[test]
fn a_bundle_whose_own_file_breaks_its_fields() {
    let mut draft = with_kubelet();
    draft.set(KUBELET, placed("https://other:6443", CA).as_bytes());
    let inside = format!("infra0.tar.gz:{KUBELET}");
    let refused = Host::new().refused(&draft, &draft.bundle(), &force());
    assert_eq!(refused, (vec![format!("manifest-inconsistent {inside}")], 1));
    let mut unknown = with_kubelet();
    unknown.file(KUBELET).fields = Some(fields_of("other", &[("a", "b")]));
    let refused = Host::new().refused(&unknown, &unknown.bundle(), &force());
    assert_eq!(refused, (vec![format!("manifest-malformed {inside}")], 1));
    // What it names outside of the bundle is the host's.
    let mut linked = with_kubelet();
    linked.set(KUBELET, rewritten(SERVER, CA).as_bytes());
    install(&Host::new(), &linked);
}

#[test]
fn initial_files_that_are_no_longer_listed() {
    let draft = with_kubelet();
    let mut newer = raised(&draft);
    newer.drop(KUBELET);
    let (host, _) = Host::with(&draft);
    rewrite(&host, SERVER, CA);
    assert_eq!(action(&install(&host, &newer), KUBELET), Some(Action::Removed));
    let (host, _) = Host::with(&draft);
    rewrite(&host, "https://evil:6443", CA);
    let refused = host.refused(&newer, &newer.bundle(), &options());
    assert_eq!(refused, (vec![format!("removed-file-changed {KUBELET}")], 1));
}

#[test]
fn obstacles_in_the_place_of_an_initial_file() {
    let draft = with_kubelet();
    let host = Host::new();
    host.write("/etc/kubernetes/real", placed(SERVER, CA).as_bytes());
    symlink("real", host.path(KUBELET)).unwrap();
    let refused = host.refused(&draft, &draft.bundle(), &force());
    assert_eq!(refused, (vec![format!("type-mismatch {KUBELET}")], 1));
}

fn with_admin() -> Draft {
    let mut draft = Draft::new();
    draft.bootstrap(ADMIN, b"admin 1\n");
    draft
}

#[test]
fn a_bootstrap_file_that_was_removed_stays_away() {
    let draft = with_admin();
    let (host, bundle) = Host::with(&draft);
    assert_eq!(host.read(ADMIN), b"admin 1\n");
    host.write(ADMIN, b"edited\n");
    assert_eq!(action(&repair(&host, &draft, &bundle), ADMIN), Some(Action::Updated));
    fs::remove_file(host.path(ADMIN)).unwrap();
    let report = host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!((report.changed(), action(&report, ADMIN)), (false, None));
    assert!(!host.path(ADMIN).exists());
    // A repair of something else does not bring it back either.
    fs::remove_file(host.path(CONF)).unwrap();
    assert_eq!(action(&repair(&host, &draft, &bundle), CONF), Some(Action::Created));
    assert!(!host.path(ADMIN).exists());
    let list = String::from_utf8(host.read(HOST_SUMS)).unwrap();
    assert!(!list.contains(ADMIN), "{list}");
}

#[test]
fn a_bootstrap_file_comes_with_each_new_revision() {
    let draft = with_admin();
    let (host, _) = Host::with(&draft);
    fs::remove_file(host.path(ADMIN)).unwrap();
    let newer = raised(&draft);
    assert_eq!(action(&install(&host, &newer), ADMIN), Some(Action::Created));
    let mut last = raised(&newer);
    last.drop(ADMIN);
    assert_eq!(action(&install(&host, &last), ADMIN), Some(Action::Removed));
    assert!(!host.path(ADMIN).exists());
}

/// An install that was interrupted is finished, with everything in it.
#[test]
fn a_bootstrap_file_is_placed_until_an_install_is_complete() {
    let draft = with_admin();
    let (host, bundle) = Host::with(&draft);
    for path in [ADMIN, INSTALLED] {
        fs::remove_file(host.path(path)).unwrap();
    }
    assert_eq!(action(&repair(&host, &draft, &bundle), ADMIN), Some(Action::Created));
    // A newer install was begun: its record does not fit installed.json.
    host.write(MANIFEST, raised(&draft).bundle().manifest_bytes());
    fs::remove_file(host.path(ADMIN)).unwrap();
    assert_eq!(action(&repair(&host, &draft, &bundle), ADMIN), Some(Action::Created));
}

#[test]
fn a_foreign_file_is_never_touched() {
    let mut draft = Draft::new();
    draft.foreign(STATE);
    let (host, bundle) = Host::with(&draft);
    assert!(!host.path(STATE).exists());
    let list = String::from_utf8(host.read(HOST_SUMS)).unwrap();
    assert!(!list.contains(STATE) && !list.contains(&sha256_hex(b"")), "{list}");
    let path = host.path(STATE);
    let changes: [&dyn Fn(); 3] = [&|| host.write(STATE, b"theirs"), &|| host.chmod(STATE, 0o777), &|| {
        fs::remove_file(&path).unwrap();
        symlink("etcd.yaml", &path).unwrap();
    }];
    for change in changes {
        change();
        let before = host.picture();
        let report = host.install(&draft, &bundle, &force()).unwrap();
        assert_eq!((report.changed(), action(&report, STATE)), (false, None));
        assert_eq!(host.picture(), before);
    }
    // Nor when it is no longer listed.
    let mut newer = raised(&draft);
    newer.drop(STATE);
    assert_eq!(action(&install(&host, &newer), STATE), None);
    assert!(host.path(STATE).is_symlink());
}

/// What sealift placed and another program takes over stays.
#[test]
fn a_file_that_becomes_foreign_stays() {
    let draft = Draft::new();
    let (host, _) = Host::with(&draft);
    let mut newer = raised(&draft);
    newer.drop(CONF);
    newer.foreign(CONF);
    assert_eq!(action(&install(&host, &newer), CONF), None);
    assert_eq!(host.read(CONF), b"conf 1\n");
}

#[test]
fn the_verify_key_is_managed_and_sealifts_own_paths_are_nobodys() {
    for policy in [Policy::Bootstrap, Policy::Initial, Policy::Foreign] {
        let mut draft = Draft::new();
        match policy {
            Policy::Foreign => {
                draft.drop(VERIFY_KEY_PATH);
                draft.foreign(VERIFY_KEY_PATH);
            }
            Policy::Initial => {
                let key = crate::host::testkit::verify_key().to_file();
                draft.initial(VERIFY_KEY_PATH, key.as_str(), fields_of("kubeconfig", &[("server", "")]));
            }
            _ => draft.file(VERIFY_KEY_PATH).policy = policy,
        }
        let (found, code) = Host::new().refused(&draft, &draft.bundle(), &force());
        let expected = format!("manifest-inconsistent infra0.tar.gz:{VERIFY_KEY_PATH}");
        assert!(found.contains(&expected), "{policy:?}: {found:?}");
        assert_eq!(code, 1);
    }
    let mut draft = Draft::new();
    draft.foreign("/etc/sealift/trust");
    let expected = (vec!["manifest-inconsistent /etc/sealift/trust".into()], 1);
    assert_eq!(Host::new().refused(&draft, &draft.bundle(), &force()), expected);
}
