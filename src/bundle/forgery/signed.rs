//! Forgeries of what is signed: entries, digests, signatures, manifests.

use super::{
    CLUSTER, ENTRIES, EPOCH, NAME, Raw, contents, file, forged, found, key, manifest, raws, read, resigned,
    sign_text, small, with_manifest,
};
use crate::bundle::{
    INDEX_NAMESPACE, MANIFEST, SIGNATURE, SUMS, canonical,
    manifest::Manifest,
    open::open,
    pack::{PackError, pack},
    sshsig,
    sums::sha256_hex,
    trust::{Trust, trust_line},
};

const NOT_TRUSTED: [&str; 1] = ["not-trusted @:SHA256SUMS.sig"];
const WRONG: [&str; 1] = ["signature-wrong @:SHA256SUMS.sig"];

#[test]
fn entries_missing_extra_twice_or_elsewhere() {
    for (at, name) in ENTRIES.iter().enumerate() {
        let missing = found(&forged(|raws| drop(raws.remove(at))));
        match *name {
            SIGNATURE => assert_eq!(missing, ["signature-missing @:SHA256SUMS.sig"]),
            name => assert_eq!(missing, [format!("entry-missing @:{name}")]),
        }
        let twice = found(&forged(|raws| raws.insert(at, raws[at].clone())));
        assert_eq!(twice, [format!("entry-duplicate @:{name}")]);
    }
    for (at, name) in ENTRIES.iter().enumerate().take(ENTRIES.len() - 1) {
        let moved = found(&forged(|raws| raws.swap(at, at + 1)));
        assert_eq!(moved, [format!("entry-order @:{name}")]);
    }
    let extra = forged(|raws| raws.insert(4, Raw::new("files/etc/pki/a", b"")));
    assert_eq!(found(&extra), ["entry-extra @:files/etc/pki/a"]);
    let last_twice = forged(|raws| raws.push(Raw::new(ENTRIES[3], b"other")));
    assert_eq!(found(&last_twice), ["entry-duplicate @:files/etc/hostname"]);
}

#[test]
fn every_changed_file_is_named() {
    let changed = forged(|raws| {
        raws[3] = Raw::new(ENTRIES[3], b"infra1");
        raws[5] = Raw::new(ENTRIES[5], &[b'y'; 600]);
    });
    assert_eq!(
        found(&changed),
        ["digest-mismatch @:files/etc/hostname", "digest-mismatch @:files/etc/pki/key-2"]
    );
}

#[test]
fn a_changed_file_with_digests_to_match() {
    let sums_only = |raws: &mut Vec<Raw>| {
        let before = sha256_hex(&raws[3].contents);
        raws[3] = Raw::new(ENTRIES[3], b"evil");
        let text = String::from_utf8(raws[0].contents.clone()).unwrap();
        raws[0] = Raw::new(SUMS, text.replace(&before, &sha256_hex(b"evil")).as_bytes());
    };
    assert_eq!(found(&forged(sums_only)), WRONG);
    // Signed as well, by whom nobody knows.
    let by_other = resigned(&key(8), |raws| raws[3] = Raw::new(ENTRIES[3], b"evil"));
    assert_eq!(found(&by_other), NOT_TRUSTED);
    // By the holder of the key, who forgot the manifest.
    let by_owner = resigned(&key(7), |raws| raws[3] = Raw::new(ENTRIES[3], b"evil"));
    assert_eq!(found(&by_owner), ["manifest-inconsistent @:files/etc/hostname"]);
}

#[test]
fn damage_and_distrust_are_told_together() {
    let changed = forged(|raws| {
        raws[0].contents[0] ^= 1;
        raws.swap(3, 4);
    });
    assert_eq!(found(&changed), ["entry-order @:files/etc/hostname", WRONG[0]]);
}

#[test]
fn signatures_that_do_not_count() {
    let signed = |text: &str| found(&forged(|raws| raws[1] = Raw::new(SIGNATURE, text.as_bytes())));
    let sums = raws(&small("infra0", &key(7)).bytes)[0].contents.clone();
    let malformed = ["signature-malformed @:SHA256SUMS.sig"];
    assert_eq!(signed(""), malformed);
    assert_eq!(signed(&sshsig::sign(&key(7), INDEX_NAMESPACE, &sums).unwrap()), malformed);
    assert_eq!(signed(&sshsig::sign(&key(7), "sealift-bundle", b"other").unwrap()), WRONG);
    assert_eq!(signed(&sshsig::sign(&key(8), "sealift-bundle", &sums).unwrap()), NOT_TRUSTED);
    assert_eq!(found(&small("infra0", &key(8)).bytes), NOT_TRUSTED);
}

#[test]
fn trust_is_for_a_cluster_a_purpose_and_a_time() {
    let packed = small("infra0", &key(7)).bytes;
    let public = key(7).verifying_key().to_bytes();
    let ids = |text: &str, at: i64| match open(&packed, NAME, &Trust::parse(text).unwrap(), at) {
        Ok(_) => Vec::new(),
        Err(findings) => findings.iter().map(|finding| finding.id.name()).collect(),
    };
    let line = trust_line(CLUSTER, &public);
    assert_eq!(ids(&line, 0), [""; 0]);
    assert_eq!(ids("", 0), ["not-trusted"]);
    assert_eq!(ids(&trust_line("fedcba9876543210fedcba9876543210", &public), 0), ["not-trusted"]);
    assert_eq!(ids(&line.replace("sealift-bundle,", ""), 0), ["not-trusted"]);
    let dated = line.replace(" ssh", ",valid-before=\"20260101Z\" ssh");
    assert_eq!(ids(&dated, 1_767_225_600), [""; 0]);
    assert_eq!(ids(&dated, 1_767_225_601), ["signing-key-expired"]);
}

#[test]
fn parts_of_another_hosts_bundle() {
    let other = raws(&small("infra1", &key(7)).bytes);
    let with =
        |taken: &[usize]| found(&forged(|raws| taken.iter().for_each(|at| raws[*at] = other[*at].clone())));
    assert_eq!(with(&[2]), ["digest-mismatch @:manifest.json"]);
    assert_eq!(with(&[0]), WRONG);
    assert_eq!(with(&[1]), WRONG);
    assert_eq!(with(&[0, 1]), ["digest-mismatch @:manifest.json", "digest-mismatch @:files/etc/hostname"]);
    assert_eq!(with(&[0, 1, 2]), ["digest-mismatch @:files/etc/hostname"]);
    assert_eq!(with(&[0, 1, 2, 3]), [""; 0]);
}

#[test]
fn signed_sums_in_another_form() {
    let signed = |change: fn(String) -> String| {
        found(&forged(|raws| {
            let text = change(String::from_utf8(raws[0].contents.clone()).unwrap());
            sign_text(&key(7), raws, &text);
        }))
    };
    let malformed = ["sums-malformed @:SHA256SUMS"];
    assert_eq!(signed(|text| text.replace("  ", " *")), malformed);
    assert_eq!(signed(|text| text.to_uppercase()), malformed);
    assert_eq!(signed(|text| text.split_inclusive('\n').rev().collect()), malformed);
    assert_eq!(signed(|text| format!("{}  {SUMS}\n{text}", sha256_hex(b""))), malformed);
    assert_eq!(signed(|_| String::new()), malformed);
    assert_eq!(signed(|text| text.split_inclusive('\n').skip(1).collect()), ["entry-extra @:manifest.json"]);
    assert_eq!(signed(|text| text + &format!("{}  files/z\n", sha256_hex(b""))), ["entry-missing @:files/z"]);
}

#[test]
fn signed_manifests_in_another_form() {
    let signed = |change: fn(String) -> String| {
        let bytes = resigned(&key(7), |raws| {
            let text = change(String::from_utf8(raws[2].contents.clone()).unwrap());
            raws[2] = Raw::new(MANIFEST, text.as_bytes());
        });
        found(&bytes)
    };
    let malformed = ["manifest-malformed @:manifest.json"];
    assert_eq!(signed(|text| text + "\n"), malformed);
    assert_eq!(signed(|text| text.replace("\"format\":1", "\"format\": 1")), malformed);
    assert_eq!(signed(|text| text.replace("\"format\":1", "\"format\":1,\"format\":1")), malformed);
    assert_eq!(signed(|text| text.replace("\"format\":1", "\"format\":2")), malformed);
    assert_eq!(signed(|text| text.replace("\"format\":1", "\"format\":1,\"other\":1")), malformed);
    assert_eq!(signed(|text| text.replace("\"managed\"", "\"unheard-of\"")), malformed);
    assert_eq!(signed(|_| "{}".into()), malformed);
    assert_eq!(signed(|_| "[".repeat(100_000)), malformed);
    assert_eq!(signed(|text| text), [""; 0]);
}

#[test]
fn a_newer_format_says_so() {
    let bytes = resigned(&key(7), |raws| raws[2] = Raw::new(MANIFEST, b"{\"format\":2,\"new\":true}"));
    let finding = read(&bytes).unwrap_err().remove(0);
    assert_eq!((finding.expected.as_deref(), finding.found.as_deref()), (Some("format 1"), Some("format 2")));
}

#[test]
fn manifests_that_contradict_themselves() {
    type Change = fn(&mut Manifest);
    let at = |paths: &[&str]| {
        paths.iter().map(|path| format!("manifest-inconsistent @:{path}")).collect::<Vec<_>>()
    };
    let cases: [(Change, &[&str]); 21] = [
        (|m| m.inputs.push('0'), &["inputs"]),
        (|m| m.host.name = "../x".into(), &["host.name"]),
        (|m| m.host.addresses.push("10.0.0.06".into()), &["host.addresses"]),
        (|m| m.valid_until = "2027-11-20".into(), &["validUntil"]),
        (|m| m.valid_until = "2027-11-20T00:00:00+00:00".into(), &["validUntil"]),
        (|m| m.valid_until = "2027-11-20T00:00:00.5Z".into(), &["validUntil"]),
        (|m| m.files.swap(0, 1), &["files"]),
        (|m| m.files.push(m.files[3].clone()), &["files"]),
        (|m| m.directories.push(m.directories[0].clone()), &["directories"]),
        (|m| m.directories[0].mode = "1777".into(), &["/etc/pki"]),
        (|m| m.directories[0].allow.push("/etc/other".into()), &["/etc/pki"]),
        (|m| m.directories[0].owned = false, &["/etc/pki"]),
        (|m| m.directories[0].path = "/etc/hostname".into(), &["/etc/hostname", "/etc/hostname"]),
        (|m| m.files[0].mode = "4755".into(), &["/etc/hostname"]),
        (|m| m.files[0].size += 1, &["files/etc/hostname"]),
        (|m| m.files[0].sha256 = "0".repeat(64), &["files/etc/hostname"]),
        (|m| m.files[0].hmac = Some("0".repeat(64)), &["/etc/hostname"]),
        (|m| m.files[2].hmac = None, &["/etc/pki/key"]),
        (|m| m.files[2].certificate = Some("/etc/pki/none".into()), &["/etc/pki/key"]),
        (|m| m.files[0].run.push("a\nb".into()), &["/etc/hostname"]),
        (|m| drop(m.files.remove(1)), &["files/etc/pki/empty"]),
    ];
    for (number, (change, paths)) in cases.into_iter().enumerate() {
        assert_eq!(found(&with_manifest(change)), at(paths), "case {number}");
    }
    // A file that is said to be sealed has another entry name.
    let sealed = with_manifest(|m| {
        m.files[0].sealed = true;
        m.files[0].hmac = Some("0".repeat(64));
    });
    assert_eq!(found(&sealed), at(&["files/etc/hostname.age", "files/etc/hostname"]));
    let mode = with_manifest(|m| m.files[0].mode = "0755".into());
    assert_eq!(found(&mode), ["entry-mode @:files/etc/hostname"]);
    let cluster = with_manifest(|m| m.cluster.id = "0".repeat(32));
    assert_eq!(found(&cluster), NOT_TRUSTED);
    let outside = resigned(&key(7), |raws| raws.push(Raw::new("other", b"")));
    assert_eq!(found(&outside), at(&["other"]));
}

#[test]
fn pack_refuses_what_open_would() {
    let pack_with = |change: fn(&mut Manifest)| {
        let mut changed = manifest("infra0", vec![file("/etc/hostname", false)]);
        change(&mut changed);
        let contents = contents("infra0").into_iter().filter(|(path, _)| path == "/etc/hostname").collect();
        pack(changed, &contents, EPOCH, &key(7)).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(pack_with(|_| {}), Ok(()));
    for (change, message) in [
        ((|m| m.files.push(file("/etc/none", false))) as fn(&mut Manifest), "no contents for /etc/none"),
        (|m| m.files.clear(), "/etc/hostname is foreign or not in the manifest"),
        (
            |m| m.files[0] = file("/etc/hostname", true),
            "/etc/hostname is to be sealed but its contents are not an age file",
        ),
        (|m| m.format = 2, "manifest format 2 cannot be written"),
        (
            |m| m.cluster.id.clear(),
            "the manifest contradicts itself: cluster.id: is not 32 lower-case hex digits",
        ),
    ] {
        assert_eq!(pack_with(change), Err(message.into()));
    }
    let twice = manifest("infra0", vec![file("/etc/hostname", false), file("/etc/hostname", false)]);
    let hostname = contents("infra0").into_iter().filter(|(path, _)| path == "/etc/hostname").collect();
    assert!(matches!(pack(twice, &hostname, EPOCH, &key(7)), Err(PackError::Inconsistent(_))));
    let long = format!("/{}", "a".repeat(120));
    let long_contents = [(long.clone(), Vec::new())].into();
    let packed = pack(manifest("infra0", vec![file(&long, false)]), &long_contents, EPOCH, &key(7));
    assert!(matches!(packed, Err(PackError::Archive(_))), "ustar cannot hold this name");
    let late = pack(manifest("infra0", vec![]), &[].into(), 1 << 33, &key(7));
    assert!(matches!(late, Err(PackError::Archive(_))));
}

#[test]
fn long_paths_come_back() {
    let path = format!("/{}/{}", "d".repeat(120), "f".repeat(95));
    let contents = [(path.clone(), b"deep".to_vec())].into();
    let packed = pack(manifest("infra0", vec![file(&path, false)]), &contents, EPOCH, &key(7)).unwrap();
    assert_eq!(read(&packed.bytes).unwrap().contents(&path), Some(b"deep".as_slice()));
}

proptest::proptest! {
    #[test]
    fn open_never_panics(bytes: Vec<u8>, at: usize, cut: usize, splice: Vec<u8>) {
        proptest::prop_assert!(read(&bytes).is_err());
        proptest::prop_assert!(read(&super::gzipped(&bytes)).is_err());
        let mut tar = super::tar_of(&small("infra0", &key(7)).bytes);
        let at = at % tar.len();
        let end = at + cut % (tar.len() - at);
        let same = tar[at..end] == splice;
        tar.splice(at..end, splice);
        proptest::prop_assert_eq!(read(&super::gzipped(&tar)).is_ok(), same);
    }

    /// Valid checksums, so that the reader gets past them.
    #[test]
    fn open_never_panics_on_odd_headers(at in 0_usize..7, from in 0_usize..500, bytes in proptest::collection::vec(0_u8.., 1..24)) {
        let odd = forged(|raws| {
            raws[at] = raws[at].clone().with(|header| {
                header.as_mut_bytes()[from..].iter_mut().zip(&bytes).for_each(|(to, byte)| *to = *byte);
            });
        });
        let good = small("infra0", &key(7)).bytes;
        let same = super::tar_of(&odd) == super::tar_of(&good);
        proptest::prop_assert_eq!(read(&odd).is_ok(), same);
    }
}

#[test]
fn canonical_manifest_is_the_only_text_of_the_kat() {
    let text = canonical::to_bytes(&manifest("infra0", vec![file("/a", true)])).unwrap();
    let hash = sha256_hex(b"infra0");
    let hmac = sha256_hex(b"/a");
    let expected = format!(
        r#"{{"cluster":{{"id":"{CLUSTER}","name":"prod"}},"directories":[{{"allow":["/etc/pki/local"],"gid":0,"mode":"0755","owned":true,"path":"/etc/pki","uid":0}}],"epoch":"","files":[{{"gid":0,"hmac":"{hmac}","mode":"0600","path":"/a","policy":"managed","restart":["unit/nginx"],"sealed":true,"sha256":"","size":0,"uid":0}}],"format":1,"host":{{"addresses":["10.0.0.6","fd00::6"],"generation":1,"name":"infra0","recipients":[]}},"inputs":"{hash}","revision":{{"cluster":1,"host":1}},"sealift":"0.1.0","validUntil":"2027-11-20T00:00:00Z"}}"#
    );
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}
