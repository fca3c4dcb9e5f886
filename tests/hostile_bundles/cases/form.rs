//! The compressed form, and the archive's.

use super::super::base::{form, of, plain_tar};
use super::super::forge::{Entry, GZIP, gzip, member};
use super::{Case, Made, made, row};

const MOTD: &str = "files/etc/app/motd";

fn header(flags: u8, time: u8, system: u8, more: &[u8]) -> Made {
    let mut head = GZIP;
    (head[3], head[4], head[9]) = (flags, time, system);
    made(member(&[&head[..], more].concat(), &plain_tar()))
}

fn motd(change: impl FnOnce(&mut Entry)) -> Made {
    made(form(|all| change(of(all, MOTD))))
}

/// One more entry before the last.
fn more(entry: Entry) -> Made {
    made(form(|all| all.insert(all.len() - 1, entry)))
}

fn named(name: &[u8]) -> Made {
    let mut entry = Entry::new("", 0o644, b"x");
    entry.name = name.into();
    made(form(|all| all.push(entry)))
}

/// Another kind of entry in the place of a file.
fn kind(kind: u8, link: &str) -> Made {
    motd(|entry| {
        entry.contents.clear();
        (entry.kind, entry.link) = (kind, link.into());
    })
}

fn cut(from_end: usize) -> Made {
    let whole = gzip(&plain_tar());
    made(whole[..whole.len() - from_end].into())
}

pub(super) fn cases() -> Vec<Case> {
    const HEADER: &[&str] = &["gzip-header"];
    const INVALID: &[&str] = &["archive-invalid"];
    const OTHER: &[&str] = &["archive-not-canonical"];
    const PATH: &[&str] = &["entry-path"];
    const TYPE: &[&str] = &["entry-type"];
    const TRAILING: &[&str] = &["gzip-trailing"];
    vec![
        row("gzip-name", HEADER, 1, "the gzip header has a file name", || header(8, 0, 255, b"a.tar\0")),
        row("gzip-comment", HEADER, 1, "the gzip header has a comment", || header(16, 0, 255, b"hi\0")),
        row("gzip-time", HEADER, 1, "the gzip header has a time", || header(0, 1, 255, b"")),
        row("gzip-system", HEADER, 1, "the gzip header says Unix", || header(0, 0, 3, b"")),
        row("gzip-two-members", TRAILING, 1, "an empty gzip member follows", || {
            made([gzip(&plain_tar()), gzip(b"")].concat())
        }),
        row("gzip-trailing", TRAILING, 1, "a zero byte follows", || {
            made([gzip(&plain_tar()), vec![0]].concat())
        }),
        row("gzip-truncated", &["gzip-invalid"], 1, "the last byte is missing", || cut(1)),
        row("gzip-half", &["gzip-invalid"], 1, "cut within the deflate stream", || cut(600)),
        row("gzip-crc", &["gzip-invalid"], 1, "another checksum", || {
            let mut bytes = gzip(&plain_tar());
            let at = bytes.len() - 8;
            bytes[at] ^= 1;
            made(bytes)
        }),
        row("gzip-not", &["gzip-invalid"], 1, "the tar without gzip", || made(plain_tar())),
        row("gzip-bomb", &["archive-too-large"], 1, "257 MiB of zeros", || made(gzip(&vec![0; 257 << 20]))),
        row("tar-entries", &["archive-too-large"], 1, "10001 entries", || {
            let name = |number: usize| Entry::new(&format!("files/{number:05}"), 0o644, b"");
            made(form(|all| *all = (0..10_001).map(name).collect()))
        }),
        row("tar-truncated", INVALID, 1, "the tar ends after one block of zeros", || {
            let tar = plain_tar();
            made(gzip(&tar[..tar.len() - 512]))
        }),
        row("tar-checksum", INVALID, 1, "a header's checksum is wrong", || motd(|entry| entry.off = 1)),
        row("tar-size", INVALID, 1, "a size that is no number", || {
            motd(|entry| entry.size = Some("0000000000x".into()))
        }),
        row("tar-size-beyond", INVALID, 1, "a size beyond the end", || {
            motd(|entry| entry.size = Some("77777777777".into()))
        }),
        row("tar-gnu", INVALID, 1, "a header of GNU tar", || motd(|entry| entry.magic = *b"ustar  \0")),
        row("tar-pax", INVALID, 1, "a PAX header renames what follows", || {
            let mut pax = Entry::new("PaxHeaders/motd", 0o644, b"19 path=/etc/motd\n");
            pax.kind = b'x';
            more(pax)
        }),
        row("tar-pax-global", INVALID, 1, "a global PAX header", || {
            let mut pax = Entry::new("pax_global_header", 0o644, b"12 comment=a\n");
            pax.kind = b'g';
            more(pax)
        }),
        row("tar-gnu-long-name", INVALID, 1, "a GNU long name", || {
            let mut long = Entry::new("././@LongLink", 0o644, b"/etc/passwd\0");
            long.kind = b'L';
            more(long)
        }),
        row("tar-sparse", INVALID, 1, "a GNU sparse file", || kind(b'S', "")),
        row("tar-symlink", TYPE, 1, "a symbolic link", || kind(b'2', "/etc/shadow")),
        row("tar-hard-link", TYPE, 1, "a hard link", || kind(b'1', "manifest.json")),
        row("tar-device", TYPE, 1, "a character device", || kind(b'3', "")),
        row("tar-block-device", TYPE, 1, "a block device", || kind(b'4', "")),
        row("tar-directory", TYPE, 1, "a directory", || kind(b'5', "")),
        row("tar-fifo", TYPE, 1, "a fifo", || kind(b'6', "")),
        row("tar-old-type", OTHER, 1, "type NUL, as before POSIX", || motd(|entry| entry.kind = 0)),
        row("tar-uid", OTHER, 1, "an entry of user 1", || motd(|entry| entry.uid = "0000001".into())),
        row("tar-gid", OTHER, 1, "an entry of group 1", || motd(|entry| entry.gid = "0000001".into())),
        row("tar-user-name", OTHER, 1, "an entry names its user", || {
            motd(|entry| entry.user = "root".into())
        }),
        row("tar-link-name", OTHER, 1, "a file with a link's target", || {
            motd(|entry| entry.link = b"x".into())
        }),
        row("tar-device-number", OTHER, 1, "a file with a device number", || {
            motd(|entry| entry.major = "0000001".into())
        }),
        row("tar-time", OTHER, 1, "an entry of another time", || motd(|entry| entry.mtime = "1".repeat(11))),
        row("tar-times", OTHER, 1, "all entries of another time than the epoch", || {
            made(form(|all| all.iter_mut().for_each(|entry| entry.mtime = "15277501601".into())))
        }),
        row("tar-mode-spaces", OTHER, 1, "a mode in other digits", || {
            motd(|entry| entry.mode = "   644 ".into())
        }),
        row("tar-prefix", OTHER, 1, "a short name split into prefix and name", || {
            motd(|entry| (entry.prefix, entry.name) = (b"files/etc".into(), b"app/motd".into()))
        }),
        row("tar-padding", OTHER, 1, "bytes behind a file's end, in its block", || {
            let mut tar = plain_tar();
            let at = tar.windows(6).rposition(|window| window == b"hello\n").unwrap();
            tar[at + 100] = 1;
            made(gzip(&tar))
        }),
        row("tar-trailing-blocks", OTHER, 1, "20 blocks of zeros at the end, as tar writes them", || {
            made(gzip(&[plain_tar(), vec![0; 18 * 512]].concat()))
        }),
        row("tar-hidden", OTHER, 1, "bytes behind the end", || {
            made(gzip(&[plain_tar(), b"hidden".to_vec()].concat()))
        }),
        row("tar-mode", &["entry-mode"], 1, "a file with a mode other than its manifest's", || {
            motd(|entry| entry.mode = "0000755".into())
        }),
        row("tar-setuid", &["entry-mode"], 1, "a setuid file", || {
            motd(|entry| entry.mode = "0004644".into())
        }),
        row("tar-own-mode", &["entry-mode"], 1, "manifest.json of mode 0600", || {
            made(form(|all| of(all, "manifest.json").mode = "0000600".into()))
        }),
        row("entry-duplicate", &["entry-duplicate"], 1, "a file twice", || {
            made(form(|all| all.insert(3, all[3].clone())))
        }),
        row("entry-order", &["entry-order"], 1, "two files change places", || {
            made(form(|all| all.swap(3, 4)))
        }),
        row("entry-missing", &["entry-missing"], 1, "a file is missing", || {
            made(form(|all| drop(all.pop())))
        }),
        row("entry-no-manifest", &["entry-missing"], 1, "manifest.json is missing", || {
            made(form(|all| drop(all.remove(2))))
        }),
        row("entry-no-sums", &["entry-missing"], 1, "SHA256SUMS is missing", || {
            made(form(|all| drop(all.remove(0))))
        }),
        row("entry-unlisted", &["entry-extra"], 1, "a file that nothing lists", || {
            more(Entry::new("files/etc/app/shadow", 0o644, b"x"))
        }),
        row("path-absolute", PATH, 1, "an absolute path", || named(b"/etc/passwd")),
        row("path-climbs", PATH, 1, "a path with ..", || named(b"files/../../etc/passwd")),
        row("path-dot", PATH, 1, "a path with .", || named(b"files/./z")),
        row("path-empty", PATH, 1, "a path with an empty component", || named(b"files//z")),
        row("path-not-utf-8", PATH, 1, "a path that is not UTF-8", || named(b"files/\xff")),
        row("path-newline", PATH, 1, "a path with a line feed", || named(b"files/z\nz")),
        row("path-nul", OTHER, 1, "bytes behind a name's end", || named(b"files/z\0hidden")),
    ]
}
