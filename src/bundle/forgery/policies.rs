//! Files that are not managed: what their lines may say, and what the archive holds of them.

use super::{EPOCH, Raw, contents, file, found, key, manifest, read, resigned};
use crate::bundle::{
    MANIFEST, canonical,
    manifest::{Fields, File, Manifest, Origin, Policy},
    pack::{PackError, Packed, pack},
};

const FOREIGN: &str = "/etc/app/state";

fn foreign() -> File {
    File { policy: Policy::Foreign, restart: Vec::new(), ..file(FOREIGN, false) }
}

fn fields(values: &[(&str, &str)]) -> Fields {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Fields { format: "ini".into(), values: values.collect() }
}

/// One file of each policy.
fn mixed() -> Manifest {
    let mut initial = file("/etc/pki/key-2", false);
    initial.policy = Policy::Initial;
    initial.fields = Some(fields(&[("a", "1"), ("b", "")]));
    let mut bootstrap = file("/etc/pki/key", true);
    bootstrap.policy = Policy::Bootstrap;
    manifest(
        "infra0",
        vec![foreign(), file("/etc/hostname", false), bootstrap, initial, file("/etc/pki/empty", false)],
    )
}

fn packed() -> Packed {
    pack(mixed(), &contents("infra0"), EPOCH, &key(7)).unwrap()
}

/// What is found in a bundle whose manifest was changed and signed.
fn with_text(change: impl FnOnce(String) -> String) -> Vec<String> {
    let manifest = canonical::to_bytes(&packed().manifest).unwrap();
    let text = change(String::from_utf8(manifest).unwrap());
    found(&resigned(&key(7), |raws| raws[2] = Raw::new(MANIFEST, text.as_bytes())))
}

#[test]
fn each_policy_comes_back_as_it_was_packed() {
    let packed = packed();
    let verified = read(&packed.bytes).unwrap();
    assert_eq!(verified.manifest(), &packed.manifest);
    assert_eq!(verified.contents(FOREIGN), None);
    assert_eq!(verified.contents("/etc/pki/key-2"), Some([b'x'; 600].as_slice()));
    let text = String::from_utf8(verified.manifest_bytes().to_vec()).unwrap();
    let line = r#"{"gid":0,"mode":"0644","path":"/etc/app/state","policy":"foreign","uid":0}"#;
    assert!(text.contains(line), "{text}");
    let line = r#"{"fields":{"format":"ini","values":{"a":"1","b":""}},"gid":0,"mode":"0644","path":"/etc/pki/key-2","policy":"initial","#;
    assert!(text.contains(line), "{text}");
    assert!(text.contains(r#""policy":"bootstrap""#), "{text}");
    let names: Vec<_> = super::raws(&packed.bytes).iter().map(Raw::name).collect();
    assert_eq!(names, super::ENTRIES);
}

#[test]
fn a_foreign_file_may_have_fields() {
    let mut manifest = mixed();
    manifest.files[0].fields = Some(fields(&[("a", ""), ("b", "2")]));
    let packed = pack(manifest, &contents("infra0"), EPOCH, &key(7)).unwrap();
    let verified = read(&packed.bytes).unwrap();
    assert_eq!(verified.manifest(), &packed.manifest);
    let text = String::from_utf8(verified.manifest_bytes().to_vec()).unwrap();
    let line = r#"{"fields":{"format":"ini","values":{"a":"","b":"2"}},"gid":0,"mode":"0644","path":"/etc/app/state","policy":"foreign","uid":0}"#;
    assert!(text.contains(line), "{text}");
}

#[test]
fn lines_that_no_writer_writes() {
    assert_eq!(with_text(|text| text), [""; 0]);
    let line = r#""policy":"foreign""#;
    let (before, after) = ("\"path\":\"/etc/app/state\"", "\"uid\":0}");
    let whole = |text: String| text.replace(&format!("{before},{line},{after}"), "@");
    let malformed = ["manifest-malformed @:manifest.json"];
    let foreign_with = |members: &str| {
        with_text(|text| whole(text).replace('@', &format!("{before},{line},{members},{after}")))
    };
    let digest = "0".repeat(64);
    for members in [
        format!(r#""sealed":false,"sha256":"{digest}","size":0"#),
        r#""sealed":false"#.to_owned(),
        format!(r#""sha256":"{digest}""#),
        r#""size":0"#.to_owned(),
        r#""sha256":"""#.to_owned(),
        r#""run":[]"#.to_owned(),
        r#""sealed":null"#.to_owned(),
    ] {
        assert_eq!(foreign_with(&members), malformed, "{members}");
    }
    for (from, to) in [
        ("foreign", "block"),
        ("foreign", "blocks"),
        ("foreign", "Foreign"),
        ("foreign", "managed"),
        ("foreign", "initial"),
        ("\"format\":\"ini\"", "\"format\":\"ini\",\"more\":1"),
        ("\"a\":\"1\"", "\"a\":1"),
        ("\"a\":\"1\"", "\"a\":\"1\",\"a\":\"1\""),
        ("\"fields\":{\"format\":\"ini\",\"values\":{\"a\":\"1\",\"b\":\"\"}}", "\"fields\":null"),
        ("\"sealed\":true,", ""),
    ] {
        assert_eq!(with_text(|text| text.replace(from, to)), malformed, "{to}");
    }
}

#[test]
fn what_contradicts_its_policy_is_not_packed() {
    type Change = fn(&mut Manifest);
    const BARE: &str = "is foreign, and has more than path, mode, owner and fields";
    const FIELDS: &str = "has fields and is neither initial nor foreign, or is initial and lacks them";
    const NAMELESS: &str = "has fields without a name, or with control characters";
    let cases: [(Change, &[&str]); 18] = [
        (|m| m.files[3].policy = Policy::Managed, &[FIELDS]),
        (|m| m.files[3].policy = Policy::Bootstrap, &[FIELDS]),
        (|m| m.files[3].fields = None, &[FIELDS]),
        (|m| m.files[1].fields = Some(fields(&[("a", "")])), &[FIELDS]),
        (|m| m.files[0].fields = Some(fields(&[])), &["names no field that stays checked"]),
        (|m| m.files[3].fields = Some(fields(&[])), &["names no field that stays checked"]),
        (|m| m.files[3].fields = Some(fields(&[("", "x")])), &[NAMELESS]),
        (|m| m.files[3].fields = Some(fields(&[("a", "x\n")])), &[NAMELESS]),
        (|m| m.files[3].fields = Some(fields(&[("a\u{1b}", "x")])), &[NAMELESS]),
        (|m| m.files[3].fields.as_mut().unwrap().format.clear(), &[NAMELESS]),
        (|m| m.files[0].size = 1, &[BARE]),
        (|m| m.files[0].sha256 = "0".repeat(64), &[BARE]),
        (|m| m.files[0].origin = Some(Origin { seed: 1, generation: "1".into() }), &[BARE]),
        (|m| m.files[0].certificate = Some("/etc/hostname".into()), &[BARE]),
        (|m| m.files[0].restart.push("unit/x".into()), &[BARE]),
        (|m| m.files[0].run.push("x".into()), &[BARE]),
        (|m| m.files[0].hmac = Some("0".repeat(64)), &[BARE, "has an hmac and is not sealed, or lacks one"]),
        (
            |m| m.files[2].certificate = Some(FOREIGN.into()),
            &["names a certificate that is no public file of this manifest"],
        ),
    ];
    for (number, (change, problems)) in cases.into_iter().enumerate() {
        let mut manifest = mixed();
        change(&mut manifest);
        let Err(PackError::Inconsistent(found)) = pack(manifest, &contents("infra0"), EPOCH, &key(7)) else {
            panic!("case {number} was packed");
        };
        let found: Vec<_> = found.iter().map(|it| it.problem.as_str()).collect();
        assert_eq!(found, problems, "case {number}");
    }
}

#[test]
fn signed_contradictions_are_found_by_the_reader_too() {
    let changed = |change: fn(&mut Manifest)| {
        let mut manifest = packed().manifest;
        change(&mut manifest);
        with_text(|_| String::from_utf8(canonical::to_bytes(&manifest).unwrap()).unwrap())
    };
    assert_eq!(changed(|m| m.files[4].fields = None), ["manifest-inconsistent @:/etc/pki/key-2"]);
    assert_eq!(changed(|m| m.files[0].run.push("x".into())), ["manifest-inconsistent @:/etc/app/state"]);
    // A file that is said to be another program's is no entry.
    let foreign = changed(|m| m.files[1] = File { path: "/etc/hostname".into(), ..m.files[0].clone() });
    assert_eq!(foreign, ["manifest-inconsistent @:files/etc/hostname"]);
    let entry = resigned(&key(7), |raws| {
        raws[2] = Raw::new(MANIFEST, &canonical::to_bytes(&packed().manifest).unwrap());
        raws.insert(3, Raw::new("files/etc/app/state", b"x"));
    });
    assert_eq!(found(&entry), ["manifest-inconsistent @:files/etc/app/state"]);
}

#[test]
fn contents_of_foreign_files_are_not_packed() {
    let mut contents = contents("infra0");
    contents.insert(FOREIGN.into(), b"x".to_vec());
    let packed = pack(mixed(), &contents, EPOCH, &key(7)).map(|_| ()).map_err(|error| error.to_string());
    assert_eq!(packed, Err("/etc/app/state is foreign or not in the manifest".to_owned()));
}

const HOSTS: &str = "/etc/hosts";
const BLOCK: &[u8] = b"# BEGIN sealift\n10.0.0.6 cp1\n# END sealift\n";

/// A bundle with a block of these bytes.
fn with_block(bytes: &[u8], change: fn(&mut File)) -> Result<Packed, PackError> {
    let mut block = File { policy: Policy::Block, ..file(HOSTS, false) };
    change(&mut block);
    let mut contents = contents("infra0");
    contents.insert(HOSTS.into(), bytes.to_vec());
    let mut manifest = mixed();
    manifest.files.push(block);
    pack(manifest, &contents, EPOCH, &key(7))
}

#[test]
fn a_block_comes_back_as_it_was_packed() {
    let packed = with_block(BLOCK, |_| {}).unwrap();
    let verified = read(&packed.bytes).unwrap();
    assert_eq!((verified.manifest(), verified.contents(HOSTS)), (&packed.manifest, Some(BLOCK)));
    let text = String::from_utf8(verified.manifest_bytes().to_vec()).unwrap();
    let line = r#"{"gid":0,"mode":"0644","path":"/etc/hosts","policy":"block","restart":["unit/nginx"],"sealed":false,"#;
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_block_that_is_none_is_neither_packed_nor_read() {
    let said = |packed: Result<Packed, PackError>| packed.map(|_| ()).unwrap_err().to_string();
    let none = "/etc/hosts is no block: from `# BEGIN sealift` to `# END sealift`, a line feed after each and no such line between";
    for bytes in [b"10.0.0.6 cp1\n".as_slice(), b"", &[BLOCK, b"x\n"].concat(), &[BLOCK, BLOCK].concat()] {
        assert_eq!(said(with_block(bytes, |_| {})), none);
    }
    let inconsistent = "the manifest contradicts itself: /etc/hosts: is a block, and is sealed or has a certificate or origin";
    let origin = |file: &mut File| file.origin = Some(Origin { seed: 1, generation: "1".into() });
    assert_eq!(said(with_block(BLOCK, origin)), inconsistent);
    let certificate = |file: &mut File| file.certificate = Some("/etc/hostname".into());
    assert_eq!(said(with_block(BLOCK, certificate)), inconsistent);
    let fields = |file: &mut File| file.fields = Some(self::fields(&[("a", "")]));
    assert_eq!(
        said(with_block(BLOCK, fields)),
        "the manifest contradicts itself: /etc/hosts: has fields and is neither initial nor foreign, or is initial and lacks them"
    );
    // No file's key is certified by a block.
    let mut manifest = mixed();
    manifest.files[1].policy = Policy::Block;
    manifest.files[2].certificate = Some("/etc/hostname".into());
    let mut contents = contents("infra0");
    contents.insert("/etc/hostname".into(), BLOCK.to_vec());
    let problem = "the manifest contradicts itself: /etc/pki/key: names a certificate that is no public file of this manifest";
    assert_eq!(said(pack(manifest, &contents, EPOCH, &key(7))), problem);
    // Signed all the same.
    let managed = with_block(b"10.0.0.6 cp1\n", |file| file.policy = Policy::Managed).unwrap();
    let mut manifest = managed.manifest.clone();
    manifest.files.iter_mut().find(|file| file.path == HOSTS).unwrap().policy = Policy::Block;
    let forged = resigned(&key(7), |raws| {
        raws[2] = Raw::new(MANIFEST, &canonical::to_bytes(&manifest).unwrap());
        raws.insert(4, Raw::new("files/etc/hosts", b"10.0.0.6 cp1\n"));
    });
    assert_eq!(found(&forged), ["manifest-inconsistent @:files/etc/hosts"]);
}
