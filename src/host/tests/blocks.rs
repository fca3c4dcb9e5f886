//! Blocks in files that are not ours: install changes its lines, and no other byte.

use crate::bundle::manifest::Policy;
use crate::check::journal;
use crate::check::record::{HOST_SUMS, MANIFEST};
use crate::host::before::Before;
use crate::host::blocks;
use crate::host::compare;
use crate::host::placing::Staged;
use crate::host::recovery;
use crate::host::steps::{Change, Over, Plan, Step};
use crate::host::testkit::{CONF, Draft, Host, block, is_root, names, options, skip};
use crate::host::wanted::{Base, Contents, Phase, Wanted};
use crate::host::{Action, InstallError, Options, Report};
use crate::rootfs::{Attributes, MAX_PARSED};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::process::Command;

const HOSTS: &str = "/etc/hosts";
const ONE: &str = "10.0.0.6 cp1\n";
const TWO: &str = "10.0.0.6 cp1\nfd00::7 cp2\n";
const OWN: &[u8] = b"127.0.0.1\tlocalhost\n::1 localhost\n";

fn draft() -> Draft {
    let mut draft = Draft::new();
    draft.block(HOSTS, ONE);
    draft.file(HOSTS).restart = vec!["unit/names".into()];
    draft.file(HOSTS).run = vec!["names --reload /etc/hosts".into()];
    draft
}

/// The next revision, with other lines.
fn newer(draft: &Draft) -> Draft {
    let mut newer = without(draft);
    newer.block(HOSTS, TWO);
    newer
}

/// The next revision, without the block.
fn without(draft: &Draft) -> Draft {
    let mut newer = draft.clone();
    newer.manifest.revision.cluster += 1;
    newer.drop(HOSTS);
    newer
}

fn install(host: &Host, draft: &Draft) -> Report {
    host.install(draft, &draft.bundle(), &options()).unwrap()
}

fn force() -> Options<'static> {
    Options { force: true, ..options() }
}

fn action(report: &Report) -> Option<Action> {
    report.changes.iter().find(|change| change.path == HOSTS).map(|change| change.action)
}

fn with(before: &[u8], lines: &str, after: &[u8]) -> Vec<u8> {
    [before, block(lines).as_bytes(), after].concat()
}

fn host(contents: &[u8]) -> Host {
    let host = Host::new();
    host.write(HOSTS, contents);
    host
}

#[test]
fn a_file_that_is_not_there_is_made() {
    let draft = draft();
    let (host, bundle) = Host::with(&draft);
    assert_eq!((host.read(HOSTS), host.mode(HOSTS)), (with(b"", ONE, b""), 0o644));
    assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
    fs::remove_file(host.path(HOSTS)).unwrap();
    let report = host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(action(&report), Some(Action::Created));
    assert_eq!(
        (report.run, report.restart),
        (vec!["names --reload /etc/hosts".into()], vec!["unit/names".into()])
    );
    let list = String::from_utf8(host.read(HOST_SUMS)).unwrap();
    assert!(!list.contains(HOSTS) && list.contains(CONF), "{list}");
}

/// What a file holds before, after the first revision, after the second, and without a block.
#[test]
fn placed_replaced_and_removed() {
    let cases: [(&[u8], &[u8]); 7] = [
        (OWN, OWN),
        (b"", b""),
        (b"127.0.0.1 localhost", b"127.0.0.1 localhost\n"),
        (b"127.0.0.1 localhost\r\n", b"127.0.0.1 localhost\r\n"),
        (b"\r", b"\r\n"),
        (b"\0\xff\n\0", b"\0\xff\n\0\n"),
        (b"# BEGIN sealift.\n# BEGIN", b"# BEGIN sealift.\n# BEGIN\n"),
    ];
    for (contents, ended) in cases {
        let host = host(contents);
        let draft = draft();
        let bundle = draft.bundle();
        assert_eq!(action(&host.install(&draft, &bundle, &options()).unwrap()), Some(Action::Updated));
        assert_eq!(host.read(HOSTS), with(ended, ONE, b""));
        let picture = host.picture();
        assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
        assert_eq!(host.picture(), picture);
        let edited = [host.read(HOSTS).as_slice(), b"10.0.0.9 mine"].concat();
        host.write(HOSTS, &edited);
        let newer = newer(&draft);
        assert_eq!(action(&install(&host, &newer)), Some(Action::Updated));
        assert_eq!(host.read(HOSTS), with(ended, TWO, b"10.0.0.9 mine"));
        let report = install(&host, &without(&newer));
        assert_eq!(
            (action(&report), host.read(HOSTS)),
            (Some(Action::Updated), [ended, b"10.0.0.9 mine"].concat())
        );
    }
}

#[test]
fn a_block_goes_and_its_file_stays() {
    let draft = draft();
    let (host, _) = Host::with(&draft);
    let last = without(&draft);
    let dry = host.install(&last, &last.bundle(), &Options { dry_run: true, ..options() }).unwrap();
    assert_eq!((action(&dry), host.read(HOSTS)), (Some(Action::Updated), with(b"", ONE, b"")));
    let report = install(&host, &last);
    assert_eq!((action(&report), host.read(HOSTS)), (Some(Action::Updated), Vec::new()));
    // The file is there: a command that names it finds it.
    assert_eq!(
        (report.run, report.restart),
        (vec!["names --reload /etc/hosts".into()], vec!["unit/names".into()])
    );

    // Without the block, or without the file, there is nothing to do.
    for contents in [Some(OWN), None] {
        let (host, _) = Host::with(&draft);
        match contents {
            Some(contents) => host.write(HOSTS, contents),
            None => fs::remove_file(host.path(HOSTS)).unwrap(),
        }
        assert_eq!(action(&install(&host, &last)), None);
        assert_eq!(fs::read(host.path(HOSTS)).ok().as_deref(), contents);
    }
}

#[test]
fn lines_that_somebody_changed() {
    let draft = draft();
    let (host, bundle) = Host::with(&draft);
    let theirs = with(OWN, "10.0.0.66 cp1\n", b"");
    host.write(HOSTS, &theirs);
    assert_eq!(action(&host.install(&draft, &bundle, &options()).unwrap()), Some(Action::Updated));
    assert_eq!(host.read(HOSTS), with(OWN, ONE, b""));

    // To take them away is another matter.
    host.write(HOSTS, &theirs);
    let last = without(&draft);
    let bundle = last.bundle();
    let Err(InstallError::Refused(findings)) = host.install(&last, &bundle, &options()) else { panic!() };
    let mend = "take its lines out of the file and run again, or remove it with --force";
    assert_eq!(
        (names(&findings), findings[0].mend.as_str()),
        (vec![format!("removed-file-changed {HOSTS}")], mend)
    );
    assert_eq!(action(&host.install(&last, &bundle, &force()).unwrap()), Some(Action::Updated));
    assert_eq!(host.read(HOSTS), OWN);
}

/// Nobody can tell which lines are whose: not even `--force` guesses.
#[test]
fn damaged_marks_are_refused() {
    let draft = draft();
    let (begin, end) = ("# BEGIN sealift\n", "# END sealift\n");
    let own = block(ONE);
    for text in [
        begin.to_owned(),
        end.to_owned(),
        format!("{end}{begin}"),
        format!("{own}{own}"),
        format!("{begin}{own}{end}"),
        format!("{own}\r{end}"),
    ] {
        let first = host(text.as_bytes());
        let expected = (vec![format!("block-damaged {HOSTS}")], 1);
        assert_eq!(first.refused(&draft, &draft.bundle(), &force()), expected, "{text:?}");
        let (host, _) = Host::with(&draft);
        host.write(HOSTS, text.as_bytes());
        for later in [newer(&draft), without(&draft)] {
            assert_eq!(host.refused(&later, &later.bundle(), &force()), expected, "{text:?}");
        }
    }
}

#[test]
fn large_files() {
    let draft = draft();
    let bundle = draft.bundle();
    let expected = (vec![format!("block-damaged {HOSTS}")], 1);
    // The second has room for itself, and none for a block.
    for size in [MAX_PARSED + 1, MAX_PARSED] {
        let host = host(b"");
        fs::File::options().write(true).open(host.path(HOSTS)).unwrap().set_len(size).unwrap();
        let Err(InstallError::Refused(findings)) = host.install(&draft, &bundle, &force()) else { panic!() };
        assert_eq!(
            (names(&findings), findings[0].found.as_deref()),
            (expected.0.clone(), Some("more bytes"))
        );
        assert_eq!(host.path(HOSTS).metadata().unwrap().len(), size);
    }
    let host = host(&vec![b'\n'; usize::try_from(MAX_PARSED).unwrap() - block(ONE).len()]);
    assert_eq!(action(&host.install(&draft, &bundle, &options()).unwrap()), Some(Action::Updated));
    assert!(!host.install(&draft, &bundle, &options()).unwrap().changed());
}

#[test]
fn what_is_no_regular_file() {
    let draft = draft();
    let bundle = draft.bundle();
    let host = host(OWN);
    fs::rename(host.path(HOSTS), host.path("/etc/real")).unwrap();
    symlink("real", host.path(HOSTS)).unwrap();
    let expected = (vec![format!("type-mismatch {HOSTS}")], 1);
    assert_eq!(host.refused(&draft, &bundle, &force()), expected);
    fs::remove_file(host.path(HOSTS)).unwrap();
    fs::create_dir(host.path(HOSTS)).unwrap();
    assert_eq!(host.refused(&draft, &bundle, &force()), expected);
    // Beyond a link the block would stay, and nobody would know of it any more.
    let (host, _) = Host::with(&draft);
    fs::rename(host.path(HOSTS), host.path("/etc/real")).unwrap();
    symlink("real", host.path(HOSTS)).unwrap();
    let last = without(&draft);
    let bundle = last.bundle();
    assert_eq!(host.refused(&last, &bundle, &force()), expected);
    let Err(InstallError::Refused(findings)) = host.install(&last, &bundle, &options()) else { panic!() };
    let mend = "take sealift's lines out of what it leads to, move it out of the way, then run `sealift install` again with this host's bundle";
    assert_eq!(findings[0].mend, mend);
    assert_eq!(host.read("/etc/real"), with(b"", ONE, b""));
    // What holds no bytes holds no block.
    fs::remove_file(host.path(HOSTS)).unwrap();
    fs::create_dir(host.path(HOSTS)).unwrap();
    assert_eq!(action(&install(&host, &last)), None);
}

#[test]
fn mode_and_owner_are_the_files_own() {
    let draft = draft();
    let host = host(OWN);
    host.chmod(HOSTS, 0o4640);
    if is_root() {
        chown(host.path(HOSTS), Some(12), Some(34)).unwrap();
        host.chmod(HOSTS, 0o4640);
    }
    let seen = || {
        let metadata = host.path(HOSTS).metadata().unwrap();
        (host.mode(HOSTS), metadata.uid(), metadata.gid())
    };
    let before = seen();
    install(&host, &draft);
    assert_eq!((seen(), host.read(HOSTS)), (before, with(OWN, ONE, b"")));
    // Another mode is no drift.
    host.chmod(HOSTS, 0o600);
    let newer = newer(&draft);
    let bundle = newer.bundle();
    host.install(&newer, &bundle, &options()).unwrap();
    assert!(!host.install(&newer, &bundle, &options()).unwrap().changed());
    assert_eq!(host.mode(HOSTS), 0o600);
    install(&host, &without(&newer));
    assert_eq!((host.mode(HOSTS), host.read(HOSTS)), (0o600, OWN.to_vec()));
}

#[test]
fn extended_attributes_stay() {
    let attribute = |host: &Host| {
        let path = std::ffi::CString::new(host.path(HOSTS).to_str().unwrap()).unwrap();
        let mut value = Vec::with_capacity(64);
        rustix::fs::getxattr(path.as_c_str(), "user.sealift", rustix::buffer::spare_capacity(&mut value))
            .map(|_| value)
    };
    let host = host(OWN);
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(host.path(HOSTS), "user.sealift", b"label", flags).is_err() {
        skip("this file system has no extended attributes");
        return;
    }
    let draft = draft();
    install(&host, &draft);
    assert_eq!(attribute(&host).as_deref(), Ok(b"label".as_slice()));
    install(&host, &without(&draft));
    assert_eq!((attribute(&host).as_deref(), host.read(HOSTS)), (Ok(b"label".as_slice()), OWN.to_vec()));
}

/// As a backup that links what did not change wants it.
#[test]
fn other_names_of_the_file_keep_what_it_was() {
    let host = host(OWN);
    fs::hard_link(host.path(HOSTS), host.path("/etc/backup")).unwrap();
    install(&host, &draft());
    assert_eq!((host.read("/etc/backup"), host.read(HOSTS)), (OWN.to_vec(), with(OWN, ONE, b"")));
}

#[test]
fn a_file_that_changes_meanwhile_is_not_overwritten() {
    let host = host(OWN);
    let root = host.root();
    let before = Before::read(&root).unwrap();
    let lines = block(ONE);
    let wanted = || Wanted {
        path: HOSTS,
        contents: Contents::Public(lines.as_bytes()),
        attributes: Attributes::on(&root, 0o644, 0, 0),
        phase: Phase::First,
        kept: false,
        base: Base::Bundle,
    };
    let settled = || {
        let mut wanted = wanted();
        assert_eq!(blocks::place(&root, &before, &mut wanted).unwrap(), None);
        wanted
    };
    let refused = |wanted| {
        let Err(InstallError::Refused(findings)) = compare::files(&root, vec![wanted]) else { panic!() };
        assert_eq!(names(&findings), [format!("changed-while-reading {HOSTS}")]);
    };
    assert_eq!(compare::files(&root, vec![settled()]).unwrap()[0].action, Action::Updated);
    let merged = settled();
    host.write(HOSTS, b"another line\n");
    refused(merged);
    let merged = settled();
    fs::remove_file(host.path(HOSTS)).unwrap();
    refused(merged);
    let created = settled();
    assert_eq!(created.base, Base::Absent);
    host.write(HOSTS, OWN);
    refused(created);
}

/// Others write after their lines were read and before the new file takes its place.
#[test]
fn lines_that_come_while_others_are_staged_stay() {
    let theirs = [OWN, b"10.0.0.9 mine\n"].concat();
    let replace = |host: &Host| {
        host.write("/etc/hosts.new", &theirs);
        fs::rename(host.path("/etc/hosts.new"), host.path(HOSTS)).unwrap();
    };
    let append: &dyn Fn(&Host) = &|host| host.write(HOSTS, &theirs);
    for (contents, write) in [(Some(OWN), append), (Some(OWN), &replace), (None, append)] {
        let host = Host::new();
        host.write("/etc/other", b"");
        if let Some(contents) = contents {
            host.write(HOSTS, contents);
        }
        let root = host.root();
        let seen = root.metadata(HOSTS).ok();
        let (base, over) = seen.map_or((Base::Absent, Over::Nothing), |it| (Base::File(it), Over::Itself));
        let attributes = Attributes::on(&root, 0o644, 0, 0);
        let change = Change::Place { contents: b"merged\n", attributes, base, over };
        let steps = vec![Step { path: HOSTS, phase: Phase::First, change }];
        let plan = Plan { made: BTreeMap::new(), changed: BTreeSet::from(["/etc"]), steps };
        let mut journal = plan.journal(&draft().manifest).unwrap();
        let staged = Staged::prepare(&root, &plan, &mut journal).unwrap();
        journal.phase = journal::Phase::Placing;
        write(&host);
        let written = host.read(HOSTS);
        let Err(InstallError::Refused(findings)) = staged.place(&root, &plan) else { panic!() };
        recovery::end(&root, &journal).unwrap();
        assert_eq!(names(&findings), [format!("changed-while-reading {HOSTS}")]);
        let left: Vec<_> =
            fs::read_dir(host.path("/etc")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!((left.len(), host.read(HOSTS), written), (2, theirs.clone(), theirs.clone()));
    }
}

#[test]
fn all_is_taken_back() {
    let mut draft = draft();
    draft.add("/etc/app/old", b"old\n", false);
    let host = host(OWN);
    install(&host, &draft);
    let chattr = |flag: &str| {
        let status = Command::new("chattr").arg(flag).arg(host.path("/etc/app/old")).status();
        status.is_ok_and(|it| it.success())
    };
    if !is_root() || !chattr("+i") {
        skip("chattr does not work here");
        return;
    }
    let before = host.picture();
    let results: Vec<_> = [newer(&draft), without(&draft)]
        .into_iter()
        .map(|mut later| {
            later.drop("/etc/app/old");
            let result = host.install(&later, &later.bundle(), &options());
            (result.map(|_| ()).map_err(|error| error.to_string()), host.picture() == before)
        })
        .collect();
    assert!(chattr("-i"));
    assert_eq!(results, vec![(Err("cannot remove /etc/app/old".to_owned()), true); 2]);
}

#[test]
fn back_to_an_earlier_revision() {
    let draft = draft();
    let host = host(OWN);
    install(&host, &draft);
    install(&host, &newer(&draft));
    let back = Options { allow_rollback: true, ..options() };
    host.install(&draft, &draft.bundle(), &back).unwrap();
    assert_eq!(host.read(HOSTS), with(OWN, ONE, b""));
}

/// Without a record nobody knows of the block but its marks.
#[test]
fn without_a_record() {
    let draft = draft();
    let host = host(OWN);
    install(&host, &draft);
    fs::remove_file(host.path(MANIFEST)).unwrap();
    install(&host, &newer(&draft));
    assert_eq!(host.read(HOSTS), with(OWN, TWO, b""));
}

#[test]
fn a_file_that_was_ours_alone_and_the_other_way_round() {
    let mut managed = Draft::new();
    managed.add(HOSTS, OWN, false);
    let (host, _) = Host::with(&managed);
    let draft = newer(&managed);
    assert_eq!(action(&install(&host, &draft)), Some(Action::Updated));
    assert_eq!(host.read(HOSTS), with(b"", TWO, b""));
    // What somebody wrote into it stays.
    let (host, _) = Host::with(&managed);
    let edited = [OWN, b"10.0.0.9 mine\n"].concat();
    host.write(HOSTS, &edited);
    install(&host, &draft);
    assert_eq!(host.read(HOSTS), with(&edited, TWO, b""));
    // A managed file is what the bundle says.
    let mut last = without(&draft);
    last.add(HOSTS, OWN, false);
    install(&host, &last);
    assert_eq!(host.read(HOSTS), OWN);
    // Another program's stays as it is.
    let (host, _) = Host::with(&draft);
    let mut foreign = without(&draft);
    foreign.foreign(HOSTS);
    assert_eq!(foreign.file(HOSTS).policy, Policy::Foreign);
    install(&host, &foreign);
    assert_eq!(host.read(HOSTS), with(b"", TWO, b""));
}
