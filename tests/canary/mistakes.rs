//! What people do wrong: secrets given in places where something else belongs, and files that are damaged.

use crate::disk::Disk;
use crate::stage;
use crate::stage::{CLUSTER, SEED, Stage, operator, words};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Everything fails, and says nothing of what it read. Words in capitals are files with secrets.
const MISTAKES: &[&str] = &[
    // no identity, another's, none at all, one that is not there
    "build sealift.yaml -o x",
    "build sealift.yaml -i CP1 -o x",
    "build sealift.yaml -i W1 -o x",
    "build sealift.yaml -i KEYRING -o x",
    "build sealift.yaml -i AUTHORITY -o x",
    "build sealift.yaml -i trust -o x",
    "build sealift.yaml -i absent -o x",
    "csr sealift.yaml -i CP1 -o x",
    "verify out --trust trust -i AUTHORITY",
    "certs out --trust trust -i KEYRING",
    // another file in the place of one
    "build sealift.yaml -i OPERATOR --seed KEYRING -o x",
    "build sealift.yaml -i OPERATOR --seed OPERATOR -o x",
    "build sealift.yaml -i OPERATOR --seed etcd-ca.key.age -o x",
    "build sealift.yaml -i OPERATOR --seed identity.age -o x",
    "build sealift.yaml -i OPERATOR --templates secrets -o x",
    "build OPERATOR -i OPERATOR -o x",
    "build KEYRING -i OPERATOR -o x",
    "check AUTHORITY",
    "check W1",
    "check KEYRING",
    "check next.yaml --previous secrets",
    "images OPERATOR",
    "images KEYRING",
    "certs secrets/operator.yaml",
    "certs OPERATOR --trust trust",
    "certs out --trust OPERATOR",
    "verify OPERATOR --trust trust",
    "verify KEYRING --trust trust",
    "verify out --trust OPERATOR",
    "verify out --trust W1",
    "verify out --trust KEYRING",
    "verify secrets --trust trust",
    "verify --root secrets --trust trust",
    "diff OPERATOR out",
    "diff KEYRING AUTHORITY --text",
    "install OPERATOR -i CP1 --root root --trust trust",
    "install out/cp1.tar.gz -i CP1 --root root --trust W1",
    "install out/cp1.tar.gz -i AUTHORITY --root root --trust trust",
    "install out/cp1.tar.gz -i damaged.key --root root --trust trust",
    "install out/cp1.tar.gz -i damaged.ssh --root root --trust trust",
    "build sealift.yaml -i damaged.key -o x",
    "build sealift.yaml -i damaged.ssh -o x",
    "build sealift.yaml -i two.key -o x",
    // keyrings that are none
    "build sealift.yaml -i OPERATOR --seed cut.age -o x",
    "build sealift.yaml -i OPERATOR --seed flipped.age -o x",
    "build sealift.yaml -i OPERATOR --seed short.age -o x",
    "build sealift.yaml -i OPERATOR --seed swapped.age -o x",
    "build sealift.yaml -i OPERATOR --seed field.age -o x",
    "build sealift.yaml -i OPERATOR --seed twice.age -o x",
    "build sealift.yaml -i OPERATOR --seed other.age -o x",
    "build sealift.yaml -i OPERATOR --seed format.age -o x",
    "build sealift.yaml -i OPERATOR --seed bare.age -o x",
    "init --add-seed --dir . --seed short.age -i OPERATOR",
    "init --add-seed --dir . --seed swapped.age -i OPERATOR",
    "init --add-seed --dir . --seed KEYRING -i OPERATOR",
    "init --add-seed --dir . --seed other.age -i OPERATOR",
    "init --add-seed --dir . -i CP1",
    // a spec that holds or names what it must not
    "check inline-recipient.yaml",
    "check inline-operator.yaml",
    "check inline-key.yaml",
    "check inline-unknown.yaml",
    "check inline-block.yaml",
    "check names-key.yaml",
    "check names-manifest.yaml",
    "build names-other.yaml -i OPERATOR -o x",
    "build names-identity.yaml -i OPERATOR -o x",
    "build names-damaged.yaml -i OPERATOR -o x",
];

/// Texts that are like the keyring's, encrypted: each is refused.
fn keyrings(stage: &Stage) {
    let seed = hex::encode(SEED);
    let text = |format: &str, cluster: &str, seeds: &str| {
        format!("{{\"format\": \"{format}\", \"cluster\": \"{cluster}\", \"seeds\": {seeds}}}")
    };
    let ours = |seeds: &str| text("sealift-keyring/v1", CLUSTER, seeds);
    let other = CLUSTER.replace('7', "8");
    for (name, text) in [
        ("short", ours(&format!("{{\"1\": \"{}\"}}", &seed[..63]))),
        ("swapped", ours(&format!("{{\"{seed}\": \"1\"}}"))),
        ("field", ours(&format!("{{\"1\": \"{seed}\"}}, \"{seed}\": 1"))),
        ("twice", ours(&format!("{{\"1\": \"{seed}\"}}, \"seeds\": \"{seed}\""))),
        ("other", text("sealift-keyring/v1", &other, &format!("{{\"1\": \"{seed}\"}}"))),
        ("format", text("sealift-keyring/v9", CLUSTER, &format!("{{\"1\": \"{seed}\"}}"))),
        ("bare", seed.clone()),
        ("identity", fs::read_to_string(stage.secret("cp1.key")).unwrap()),
    ] {
        stage.sealed(&format!("{name}.age"), text.as_bytes());
    }
    let whole = fs::read(stage.at("seed.age")).unwrap();
    fs::write(stage.at("cut.age"), &whole[..whole.len() - 10]).unwrap();
    let mut flipped = whole;
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(stage.at("flipped.age"), flipped).unwrap();
}

/// Files that hold secrets, in a directory that is no part of what is looked at later.
fn secrets(stage: &Stage, place: &Path) {
    let directory = place.join("secrets");
    fs::create_dir(&directory).unwrap();
    for name in ["SHA256SUMS", "SHA256SUMS.sig", "index.json", "trust", "x.json", "operator.yaml"] {
        fs::copy(stage.secret("operator.key"), directory.join(name)).unwrap();
    }
    let template = "etc/kubernetes/manifests/etcd.yaml.j2";
    fs::create_dir_all(directory.join(template).parent().unwrap()).unwrap();
    let text = fs::read_to_string(stage.secret("operator.key")).unwrap();
    fs::write(directory.join(template), format!("{{{{ {text} }}}}\n")).unwrap();
    // one letter wrong, and one line too few
    let wrong = |letter: char| if letter == 'Q' { 'P' } else { 'Q' };
    let last = text.trim().chars().last().unwrap();
    fs::write(
        place.join("damaged.key"),
        format!("{}{}\n", &text.trim()[..text.trim().len() - 1], wrong(last)),
    )
    .unwrap();
    fs::write(place.join("two.key"), text.replace('\n', "") + text.trim()).unwrap();
    let text = fs::read_to_string(stage.secret("w1.key")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let fewer = [&lines[..lines.len() - 3], &lines[lines.len() - 2..]].concat();
    fs::write(place.join("damaged.ssh"), fewer.join("\n")).unwrap();
}

/// Specs with a secret in them, or that name a file with one.
fn specs(stage: &Stage, place: &Path) {
    let identity = fs::read_to_string(stage.secret("cp1.key")).unwrap().trim().to_owned();
    let pem = fs::read_to_string(stage.secret("etcd-ca.key")).unwrap();
    let block = pem.trim().replace('\n', "\n          ");
    let spec = stage.spec();
    let key = "key: etcd-ca.key.age";
    let recipients = format!("recipients: [{}]", crate::support::opened::machine(0).to_public());
    for (name, from, to) in [
        ("inline-recipient", recipients.as_str(), format!("recipients: [{identity}]")),
        ("inline-operator", &operator(), identity.clone()),
        ("inline-key", key, format!("key: {pem:?}")),
        ("inline-unknown", "  revision: 1", format!("  revision: 1\n  secret: {identity}")),
        ("inline-block", "  revision: 1", format!("  revision: 1\n  secret: |\n          {block}\n  - ")),
        ("names-key", "certificate: etcd-ca.crt", "certificate: authority.key".to_owned()),
        ("names-manifest", "etcd: {run", "manifests: [secret.yaml]\netcd: {run".to_owned()),
        ("names-other", key, "key: seed.age".to_owned()),
        ("names-identity", key, "key: identity.age".to_owned()),
        ("names-damaged", key, "key: damaged.pem".to_owned()),
    ] {
        assert!(spec.contains(from), "{from}");
        fs::write(place.join(format!("{name}.yaml")), spec.replacen(from, &to, 1)).unwrap();
    }
    fs::write(place.join("authority.key"), &pem).unwrap();
    fs::write(place.join("damaged.pem"), pem.replacen("MDE", "MEE", 1)).unwrap();
    let secret =
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData:\n  a: {identity}\n");
    fs::write(place.join("secret.yaml"), secret).unwrap();
}

#[test]
fn mistakes_show_no_secret() {
    let Some(stage) = stage() else { return };
    // these files hold secrets, so the disk that they lie on is not searched
    let directory = crate::support::temporary();
    keyrings(stage);
    stage.copy_to(directory.path());
    secrets(stage, directory.path());
    specs(stage, directory.path());
    let before = crate::support::tree(directory.path());
    for format in ["text", "json", "sarif"] {
        for line in MISTAKES {
            let ran = stage.ran(directory.path(), &words(&format!("--format {format} {line}")));
            assert!((1..=7).contains(&ran.code), "{line}: {ran:?}");
        }
    }
    assert_eq!(crate::support::tree(directory.path()), before, "a mistake writes nothing");
}

/// A secret on the command line is in the shell's history already; no output repeats it.
#[test]
fn secrets_as_arguments_are_not_repeated() {
    let Some(stage) = stage() else { return };
    let identity = fs::read_to_string(stage.secret("cp1.key")).unwrap().trim().to_owned();
    let mut repeated = Vec::new();
    for line in [
        "init x --operator IDENTITY",
        "init IDENTITY",
        "build sealift.yaml -i IDENTITY",
        "build sealift.yaml -i OPERATOR --seed IDENTITY",
        "build IDENTITY",
        "verify IDENTITY --trust trust",
        "verify out --trust IDENTITY",
        "install out/cp1.tar.gz -i IDENTITY --root root --trust trust",
        "certs out --trust trust -i IDENTITY",
        "build sealift.yaml IDENTITY",
        "IDENTITY",
    ] {
        for format in ["text", "json"] {
            let line = format!("--format {format} {line}");
            let given: Vec<_> = words(&line).iter().map(|word| word.replace("IDENTITY", &identity)).collect();
            let ran = crate::support::run(&mut stage.command(stage.public.path(), &[], &given));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line}: {ran:?}");
            assert!(ran.stderr.starts_with("error: an argument is a private key, "), "{line}: {ran:?}");
            if !stage.needles.within((ran.stdout + &ran.stderr).as_bytes()).is_empty() {
                repeated.push(line);
            }
        }
    }
    assert_eq!(repeated, [""; 0]);
}

/// The same mistakes where every block is looked at: those whose files are no secrets themselves.
#[test]
fn mistakes_write_no_secret_to_disk() {
    let Some(stage) = stage() else { return };
    let Some(disk) = Disk::new(48) else { return };
    let place = disk.path("");
    keyrings(stage);
    stage.copy_to(&place);
    let ours = ["damaged", "secrets", "inline", "names", "two.key"];
    for line in MISTAKES.iter().filter(|line| !ours.iter().any(|name| line.contains(name))) {
        let ran = stage.ran(&place, &words(line));
        assert!((1..=7).contains(&ran.code), "{line}: {ran:?}");
    }
    assert_eq!(stage.needles.within_file(&disk.out()), BTreeMap::new());
}
