#![allow(clippy::unwrap_used, clippy::panic)]

use super::{
    Attributes, Entry, Kind, MAX_PARSED, Metadata, Root, WalkError, is_temporary, split, temporary_name,
};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use tempfile::TempDir;

/// A tree with something of everything, and a file outside that nothing may reach.
fn tree() -> (TempDir, Root) {
    let outer = TempDir::new().unwrap();
    fs::write(outer.path().join("outside"), "outside").unwrap();
    let top = outer.path().join("root");
    fs::create_dir_all(top.join("etc/app")).unwrap();
    fs::write(top.join("etc/app/conf"), "conf").unwrap();
    symlink("..", top.join("etc/up")).unwrap();
    symlink("/", top.join("etc/slash")).unwrap();
    symlink("app/conf", top.join("etc/link")).unwrap();
    symlink("nowhere", top.join("etc/dangling")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, top.join("etc/pipe"), 0o600.into()).unwrap();
    std::os::unix::net::UnixListener::bind(top.join("etc/socket")).unwrap();
    let root = Root::open(&top).unwrap();
    (outer, root)
}

fn describe<T: std::fmt::Debug>(result: Result<T, WalkError>) -> String {
    result.map_or_else(|error| error.to_string(), |value| panic!("{value:?}"))
}

#[test]
fn reads_what_is_there() {
    let (_outer, root) = tree();
    assert_eq!(root.file("/etc/app/conf").unwrap().contents().unwrap().as_slice(), b"conf");
    assert_eq!(root.metadata("/etc/link").unwrap().kind, Kind::Symlink);
    assert_eq!(root.metadata("/etc/app").unwrap().kind, Kind::Directory);
    let kinds = root.directory("/etc").unwrap().list().unwrap();
    let entry = |name: &str, kind| Entry { name: name.into(), kind };
    assert_eq!(
        kinds,
        [
            entry("app", Kind::Directory),
            entry("dangling", Kind::Symlink),
            entry("link", Kind::Symlink),
            entry("pipe", Kind::Fifo),
            entry("slash", Kind::Symlink),
            entry("socket", Kind::Socket),
            entry("up", Kind::Symlink),
        ]
    );
}

#[test]
fn follows_no_link_and_says_which_component_stands_in_the_way() {
    let (_outer, root) = tree();
    for (path, expected) in [
        ("/etc/up/etc/app/conf", "/etc/up is a symbolic link"),
        ("/etc/slash/etc/passwd", "/etc/slash is a symbolic link"),
        ("/etc/dangling/x", "/etc/dangling is a symbolic link"),
        ("/etc/link", "/etc/link is a symbolic link, not a regular file"),
        ("/etc/link/x", "/etc/link is a symbolic link"),
        ("/etc/app/conf/x", "/etc/app/conf is a regular file, not a directory"),
        ("/etc/pipe/x", "/etc/pipe is a named pipe, not a directory"),
        ("/etc/pipe", "/etc/pipe is a named pipe, not a regular file"),
        ("/etc/socket", "/etc/socket is a socket, not a regular file"),
        ("/etc/app", "/etc/app is a directory, not a regular file"),
        ("/etc/none/of/this", "/etc/none does not exist"),
        ("/etc/app/none", "/etc/app/none does not exist"),
    ] {
        assert_eq!(describe(root.file(path)), expected, "{path}");
    }
    assert_eq!(describe(root.directory("/etc/up")), "/etc/up is a symbolic link");
}

#[test]
fn takes_plain_absolute_paths_only() {
    let (_outer, root) = tree();
    for path in
        ["", "/", "etc/app/conf", "/etc/../outside", "/..", "/etc/./app", "/etc//app", "/etc/app/", "/a\0b"]
    {
        assert!(matches!(root.file(path), Err(WalkError::Invalid { .. })), "{path:?}");
        assert!(matches!(root.metadata(path), Err(WalkError::Invalid { .. })), "{path:?}");
    }
    let etc = root.directory("/etc").unwrap();
    for name in ["", ".", "..", "app/conf", "/"] {
        assert!(matches!(etc.file(name), Err(WalkError::Invalid { .. })), "{name:?}");
        assert!(matches!(etc.enter(name), Err(WalkError::Invalid { .. })), "{name:?}");
        assert!(matches!(etc.rename("link", &etc, name), Err(WalkError::Invalid { .. })), "{name:?}");
        assert!(matches!(etc.unlink(name), Err(WalkError::Invalid { .. })), "{name:?}");
    }
    assert_eq!(split("/a/b/c").unwrap(), ("/a/b", "c"));
    assert_eq!(split("/a").unwrap(), ("/", "a"));
}

#[test]
fn the_root_itself_may_be_reached_through_links() {
    let (outer, _root) = tree();
    symlink("root", outer.path().join("alias")).unwrap();
    let root = Root::open(&outer.path().join("alias")).unwrap();
    assert_eq!(root.file("/etc/app/conf").unwrap().contents().unwrap().as_slice(), b"conf");
    assert!(!root.is_system());
    assert!(Root::open(Path::new("/proc/self/root")).unwrap().is_system());
    assert!(Root::open(&outer.path().join("outside")).is_err());
}

#[test]
fn notices_what_changes_while_it_reads() {
    let (outer, root) = tree();
    let path = outer.path().join("root/etc/app/conf");
    let changes: [(&str, &dyn Fn()); 3] = [
        ("grows", &|| fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"x").unwrap()),
        ("shrinks", &|| fs::File::options().write(true).open(&path).unwrap().set_len(100_000).unwrap()),
        ("is rewritten", &|| fs::File::options().write(true).open(&path).unwrap().write_all(b"x").unwrap()),
    ];
    for (what, change) in changes {
        fs::write(&path, vec![7; 200_000]).unwrap();
        // Times have the resolution of a clock tick.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let mut first = true;
        let outcome = root.file("/etc/app/conf").unwrap().stream(|_| {
            if std::mem::take(&mut first) {
                change();
            }
        });
        assert_eq!(describe(outcome), "/etc/app/conf changed while it was being read", "{what}");
    }
    fs::write(&path, vec![7; 200_000]).unwrap();
    let mut length = 0;
    root.file("/etc/app/conf").unwrap().stream(|piece| length += piece.len()).unwrap();
    assert_eq!(length, 200_000);
}

#[test]
fn holds_no_more_than_its_limit_in_memory() {
    let (outer, root) = tree();
    let file = fs::File::create(outer.path().join("root/etc/large")).unwrap();
    file.set_len(MAX_PARSED).unwrap();
    assert_eq!(root.file("/etc/large").unwrap().contents().unwrap().len() as u64, MAX_PARSED);
    file.set_len(MAX_PARSED + 1).unwrap();
    assert_eq!(describe(root.file("/etc/large").unwrap().contents()), "/etc/large is too large");
    let mut length = 0;
    root.file("/etc/large").unwrap().stream(|piece| length += piece.len()).unwrap();
    assert_eq!(length as u64, MAX_PARSED + 1);
}

#[test]
fn names_are_safe_to_print() {
    use std::os::unix::ffi::OsStrExt;
    let outer = TempDir::new().unwrap();
    for name in [b"a\nb".as_slice(), b"\xff", b"\x1b[31m", "ä".as_bytes(), b"a\\nb"] {
        fs::write(outer.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
    }
    let root = Root::open(outer.path()).unwrap();
    let names: Vec<_> = root.directory("/").unwrap().list().unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["\\x1b[31m", "\\xff", "a\\\\nb", "a\\nb", "ä"]);
}

#[test]
fn writes_whole_files_with_mode_and_owner() {
    let (outer, root) = tree();
    let app = root.directory("/etc/app").unwrap();
    let own = app.own_metadata().unwrap();
    for mode in [0o600, 0o644, 0o755, 0o444, 0o000] {
        let attributes = Attributes { mode, uid: own.uid, gid: own.gid };
        let name = temporary_name().unwrap();
        assert!(is_temporary(&name), "{name}");
        let staged = app.make_private(&name).unwrap();
        assert_eq!(staged.own_metadata().unwrap().mode, 0o700);
        assert_eq!(app.leftovers().unwrap(), [Entry { name: name.clone(), kind: Kind::Directory }]);
        let metadata = staged.write_new("0.new", b"new", attributes, None).unwrap();
        assert_eq!(metadata, staged.metadata("0.new").unwrap());
        assert_eq!((Attributes::of(&metadata), metadata.links, metadata.size), (attributes, 1, 3));
        staged.rename("0.new", &app, "conf").unwrap();
        app.remove_directory(&name).unwrap();
        assert_eq!(app.list().unwrap(), [Entry { name: "conf".into(), kind: Kind::File }]);
    }
    // No owner at all: refused, and nothing stays.
    let nobody = Attributes { mode: 0o600, uid: u32::MAX, gid: own.gid };
    let before = app.list().unwrap();
    assert!(app.write_new("nobody", b"new", nobody, None).is_err());
    assert_eq!(app.list().unwrap(), before);
    for name in
        [".sealift-", ".sealift-0123456789abcdef0123456789abcdeF", "sealift-0123456789abcdef0123456789abcdef"]
    {
        assert!(!is_temporary(name), "{name}");
    }
    let made = app.make("made", Attributes { mode: 0o751, uid: own.uid, gid: own.gid }).unwrap();
    assert_eq!(made.own_metadata().unwrap().mode, 0o751);
    assert_eq!(fs::metadata(outer.path().join("root/etc/app/made")).unwrap().permissions().mode(), 0o40751);
}

/// A file is put where none is, kept under a second name, and swapped with another.
#[test]
fn moves_between_directories() {
    let (outer, root) = tree();
    let app = root.directory("/etc/app").unwrap();
    let own = app.own_metadata().unwrap();
    let attributes = Attributes { mode: 0o644, uid: own.uid, gid: own.gid };
    let staged = app.make_private("staged").unwrap();
    let text = |path: &str| fs::read_to_string(outer.path().join("root/etc/app").join(path)).unwrap();
    staged.write_new("a", b"a", attributes, None).unwrap();
    staged.write_new("b", b"b", attributes, None).unwrap();
    assert!(matches!(staged.write_new("b", b"c", attributes, None), Err(WalkError::Io { .. })));
    staged.place_anew("a", &app, "placed").unwrap();
    assert!(
        matches!(staged.place_anew("b", &app, "placed"), Err(WalkError::Changed { at }) if at == "/etc/app/placed")
    );
    assert!(app.keep("placed", &staged, "kept").unwrap());
    assert_eq!(app.metadata("placed").unwrap().links, 2);
    assert!(staged.exchange("b", &app, "placed").unwrap());
    assert_eq!([text("placed"), text("staged/b"), text("staged/kept")], ["b", "a", "a"]);
    app.set_aside("placed", &staged, "gone").unwrap();
    assert!(app.metadata("placed").unwrap_err().is_not_found());
    assert_eq!(text("staged/gone"), "b");
    for name in ["..", "a/b", ""] {
        assert!(matches!(staged.rename("b", &app, name), Err(WalkError::Invalid { .. })), "{name}");
    }
}

#[test]
fn one_lock_at_a_time() {
    let (_outer, root) = tree();
    let first = root.directory("/etc").unwrap();
    let second = root.directory("/etc").unwrap();
    assert!(first.lock().unwrap());
    assert!(!second.lock().unwrap());
    drop(first);
    assert!(second.lock().unwrap());
}

#[test]
fn all_is_the_owners_of_a_staging_directory() {
    let outer = TempDir::new().unwrap();
    let own: Metadata = Root::open(outer.path()).unwrap().directory("/").unwrap().own_metadata().unwrap();
    if own.uid == 0 {
        assert_eq!(Root::open(outer.path()).unwrap().owner(0, 7), (0, 7));
        chown(outer.path(), Some(1234), Some(5678)).unwrap();
        let root = Root::open(outer.path()).unwrap();
        assert_eq!([root.owner(0, 0), root.owner(5, 0), root.owner(0, 6)], [(1234, 5678); 3]);
    } else {
        let root = Root::open(outer.path()).unwrap();
        assert_eq!([root.owner(0, 0), root.owner(5, 6)], [(own.uid, own.gid); 2]);
    }
    assert_eq!(Root::open(Path::new("/")).unwrap().owner(0, 7), (0, 7));
}
