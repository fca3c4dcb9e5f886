//! Forgeries of the compressed form and of the archive's form.

use super::{ENTRIES, EPOCH, Raw, forged, found, gzipped, key, read, small, tar_of};
use std::io::Write;
use tar::{EntryType, Header};

#[test]
fn no_flipped_byte_of_the_tar_passes() {
    let tar = tar_of(&small("infra0", &key(7)).bytes);
    for at in 0..tar.len() {
        for flip in [0x01, 0x80] {
            let mut changed = tar.clone();
            changed[at] ^= flip;
            assert!(read(&gzipped(&changed)).is_err(), "byte {at} ^ {flip:#x}");
        }
    }
}

/// Deflate can say one thing in several ways (another distance into a run of zeros, bits after the
/// last block), and the XFL hint means nothing: then it is another compressed form of the same tar.
#[test]
fn no_flipped_byte_of_the_gzip_changes_what_is_read() {
    let packed = small("infra0", &key(7)).bytes;
    let tar = tar_of(&packed);
    for at in 0..packed.len() {
        for flip in [0x01, 0x02, 0x40, 0xff] {
            let mut changed = packed.clone();
            changed[at] ^= flip;
            if read(&changed).is_ok() {
                assert_eq!(tar_of(&changed), tar, "byte {at} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn the_gzip_form_is_one_member_without_a_past() {
    let packed = small("infra0", &key(7)).bytes;
    for cut in [0, 1, 9, 10, 11, packed.len() / 2, packed.len() - 8, packed.len() - 1] {
        assert_eq!(found(&packed[..cut]), ["gzip-invalid @"], "{cut}");
    }
    for tail in [b"\0".as_slice(), b"\n", &[0; 512], &packed] {
        assert_eq!(found(&[&packed, tail].concat()), ["gzip-trailing @"]);
    }
    let with = |builder: flate2::GzBuilder| {
        let mut encoder = builder.write(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&tar_of(&packed)).unwrap();
        found(&encoder.finish().unwrap())
    };
    let plain = || flate2::GzBuilder::new().mtime(0).operating_system(255);
    assert_eq!(with(plain()), [""; 0]);
    for other in [
        plain().filename("a"),
        plain().mtime(1),
        plain().comment("a"),
        plain().extra("a"),
        plain().operating_system(3),
    ] {
        assert_eq!(with(other), ["gzip-header @"]);
    }
}

#[test]
fn two_compressed_forms_are_one_bundle() {
    let packed = small("infra0", &key(7)).bytes;
    for level in [0, 1, 9] {
        let mut encoder =
            flate2::GzBuilder::new().operating_system(255).write(Vec::new(), flate2::Compression::new(level));
        encoder.write_all(&tar_of(&packed)).unwrap();
        let other = encoder.finish().unwrap();
        assert_ne!(other, packed);
        assert_eq!(read(&other).unwrap().manifest_sha256(), read(&packed).unwrap().manifest_sha256());
    }
}

#[test]
fn the_tar_form_is_one() {
    let tar = tar_of(&small("infra0", &key(7)).bytes);
    let zeros = |count: usize| gzipped(&[tar.as_slice(), &vec![0; count]].concat());
    for count in [1, 512, 1024, 10240] {
        assert_eq!(found(&zeros(count)), ["archive-not-canonical @"], "{count}");
    }
    assert_eq!(found(&gzipped(&[tar.as_slice(), b"hidden"].concat())), ["archive-not-canonical @"]);
    assert_eq!(found(&gzipped(&tar[..tar.len() - 1])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(&tar[..tar.len() - 512])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(&tar[..tar.len() - 1024])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(&tar[..700])), ["archive-invalid @"]);
    assert_eq!(found(&gzipped(b"")), ["archive-invalid @"]);
    assert_eq!(
        found(&gzipped(&[0; 1024])),
        ["entry-missing @:SHA256SUMS", "signature-missing @:SHA256SUMS.sig"]
    );
}

#[test]
fn header_fields_are_one() {
    let changed = |change: fn(&mut Header)| found(&forged(|raws| raws[4] = raws[4].clone().with(change)));
    let canonical = ["archive-not-canonical @"];
    assert_eq!(changed(|header| header.set_mtime(EPOCH + 1)), canonical);
    assert_eq!(changed(|header| header.set_uid(1)), canonical);
    assert_eq!(changed(|header| header.set_gid(1)), canonical);
    assert_eq!(changed(|header| header.set_username("root").unwrap()), canonical);
    assert_eq!(changed(|header| header.set_groupname("root").unwrap()), canonical);
    assert_eq!(changed(|header| header.set_device_major(1).unwrap()), canonical);
    assert_eq!(changed(|header| header.set_link_name("x").unwrap()), canonical);
    assert_eq!(changed(|header| header.as_old_mut().linkflag = [0]), canonical);
    // The same number in other digits.
    assert_eq!(changed(|header| header.as_old_mut().mode.copy_from_slice(b"   644 \0")), canonical);
    assert_eq!(changed(|header| header.as_mut_bytes()[511] = 1), canonical);
    assert_eq!(changed(|header| header.as_old_mut().size[0] = b'x'), ["archive-invalid @"]);
    assert_eq!(changed(|header| header.as_old_mut().size = [0xff; 12]), ["archive-invalid @"]);
    let gnu = found(&forged(|raws| {
        let mut header = Header::new_gnu();
        header.set_path("files/etc/pki/empty").unwrap();
        header.set_mode(0o644);
        header.set_mtime(EPOCH);
        raws[4] = Raw { header, contents: Vec::new() }.with(|_| {});
    }));
    assert_eq!(gnu, ["archive-invalid @"]);
    let all_modes = found(&forged(|raws| {
        raws.iter_mut().take(3).for_each(|raw| *raw = raw.clone().with(|header| header.set_mode(0o600)));
    }));
    assert_eq!(all_modes, ENTRIES[..3].iter().map(|name| format!("entry-mode @:{name}")).collect::<Vec<_>>());
    assert_eq!(changed(|header| header.set_mode(0o600)), ["entry-mode @:files/etc/pki/empty"]);
    assert_eq!(changed(|header| header.set_mode(0o4644)), ["entry-mode @:files/etc/pki/empty"]);
}

#[test]
fn only_regular_files() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Directory,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
    ] {
        let changed = forged(|raws| raws[4] = raws[4].clone().with(|header| header.set_entry_type(kind)));
        assert_eq!(found(&changed), ["entry-type @:files/etc/pki/empty"], "{kind:?}");
    }
    for kind in [
        EntryType::XHeader,
        EntryType::XGlobalHeader,
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::GNUSparse,
        EntryType::Continuous,
    ] {
        let extra =
            Raw::new("files/etc/pki/empty", b"13 path=/etc\n").with(|header| header.set_entry_type(kind));
        assert_eq!(
            found(&forged(|raws| raws.insert(4, extra))),
            ["archive-invalid @:files/etc/pki/empty"],
            "{kind:?}"
        );
    }
}

#[test]
fn paths_stay_inside() {
    for name in [
        "/etc/passwd",
        "files/../../etc/passwd",
        "files/./a",
        "files//a",
        "files/a/",
        "files/a b",
        "files/a\nb",
        "files/\u{e4}",
    ] {
        let mut raw = Raw::new("x", b"");
        raw.header.as_old_mut().name = [0; 100];
        raw.header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        let shown = name.as_bytes().escape_ascii();
        assert_eq!(found(&forged(|raws| raws.push(raw.with(|_| {})))), [format!("entry-path @:{shown}")]);
    }
}

#[test]
fn caps_on_entries_and_paths() {
    let too_large = ["archive-too-large @"];
    let many = forged(|raws| {
        *raws = (0..10_001).map(|number| Raw::new(&format!("files/{number:05}"), b"")).collect();
    });
    assert_eq!(found(&many), too_large);
    let most = forged(|raws| {
        drop(raws.splice(3.., (0..9_997).map(|number| Raw::new(&format!("files/{number:05}"), b""))));
    });
    assert_eq!(found(&most).len(), 9_997 + 4, "each extra and each missing entry");
    let long = Raw::new(&format!("{}/{}", "p".repeat(155), "n".repeat(99)), b"");
    assert_eq!(long.name().len(), 255);
    assert_eq!(found(&forged(|raws| raws.push(long.clone()))), [format!("entry-extra @:{}", long.name())]);
    let longer = long.with(|header| header.as_old_mut().name[99] = b'n');
    assert_eq!(longer.name().len(), 256);
    assert_eq!(found(&forged(|raws| raws.push(longer))), too_large);
}
