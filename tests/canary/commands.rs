//! Every command that succeeds, on a disk of which afterwards every block is read.

use crate::disk::Disk;
use crate::needles::Needles;
use crate::stage::{Stage, operator, words};
use crate::support::opened::machine_file;
use crate::{drawn, stage};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// All that is no install: no secret belongs on this disk.
const COMMANDS: &[(&str, i32)] = &[
    ("check sealift.yaml", 0),
    ("check next.yaml --previous out", 0),
    ("build sealift.yaml -i OPERATOR -o made", 0),
    ("build sealift.yaml -i OPERATOR -o made --rebuild -j 1", 0),
    ("build next.yaml -i OPERATOR -o made --host w1", 0),
    ("build next.yaml -i OPERATOR -o made", 0),
    ("verify made --trust trust -i OPERATOR", 0),
    ("verify made/cp1.tar.gz --trust trust -i CP1", 0),
    ("verify made/w1.tar.gz --trust trust -i W1", 0),
    ("certs sealift.yaml", 0),
    ("certs made --trust trust -i OPERATOR", 0),
    ("certs made/cp1.tar.gz --trust trust -i CP1 --within 400d", 6),
    ("diff out next --text", 1),
    ("diff out/cp1.tar.gz made/cp1.tar.gz --text --trust trust", 1),
    ("images sealift.yaml", 0),
    ("schema", 0),
    ("schema --of findings", 0),
    ("completions bash", 0),
    ("man", 0),
    ("install out/cp1.tar.gz -i CP1 --root root --trust trust --dry-run", 0),
    ("--version", 0),
    ("build --help", 0),
];

/// Somebody's.
const RECIPIENT: &str = "age1ccl4fap4sn570398ey640unurgs94r70awermwklmuqqp95e35fsshyp05";

#[test]
fn commands_write_no_secret_to_disk() {
    let Some(stage) = stage() else { return };
    let Some(disk) = Disk::new(48) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    for format in ["text", "json", "sarif"] {
        for (line, code) in COMMANDS {
            let line = format!("--format {format} {line}");
            let ran = stage.ran(&place, &words(&line));
            // only findings can be had as SARIF
            assert!(ran.code == *code || format == "sarif" && ran.code == 2, "{line}: {ran:?}");
        }
    }
    let identity = fs::read(stage.secret("operator.key")).unwrap();
    let ran = stage.ran_with(&place, &words("build sealift.yaml -i - -o stdin"), &identity);
    let _ = ran.expect_code(0);
    let drawn = init(stage, &place);
    csr(stage, &place);
    let image = disk.out();
    assert_eq!(stage.needles.within_file(&image), BTreeMap::new());
    for needles in &drawn {
        assert_eq!(needles.within_file(&image), BTreeMap::new());
    }
}

/// `init` and `init --add-seed` with the operator's recipient: their seeds.
fn init(stage: &Stage, place: &Path) -> Vec<Needles> {
    let mut all = Vec::new();
    for format in ["text", "json"] {
        let line = format!("--format {format} init made --dir {format} --operator {}", operator());
        let mut said = stage.ran(place, &words(&line)).expect_code(0).stderr;
        // a seed is added to a spec that is right
        let spec = fs::read_to_string(place.join(format).join("sealift.yaml")).unwrap();
        let host =
            format!("hosts: {{m1: {{addresses: [10.0.0.1], roles: [etcd], recipients: [{RECIPIENT}]}}}}\n");
        fs::write(place.join(format).join("sealift.yaml"), spec.replace("hosts: {}\n", &host)).unwrap();
        for _ in 0..2 {
            let line = format!("--format {format} init --add-seed --dir {format} -i OPERATOR");
            let ran = stage.ran(place, &words(&line)).expect_code(0);
            said += &(ran.stdout + &ran.stderr);
        }
        let keyring = fs::read(place.join(format).join("seed.age")).unwrap();
        let needles = drawn(&keyring, &machine_file(9));
        assert!(needles.secrets() > 10);
        needles.nowhere_in("init", said.as_bytes());
        all.push(needles);
    }
    all
}

/// `csr` for an authority that is elsewhere; its keys are those of the build with the imported one.
fn csr(stage: &Stage, place: &Path) {
    let external =
        stage.spec().replace("import: {certificate: etcd-ca.crt, key: etcd-ca.key.age}", "EXTERNAL");
    let external = external.replace("EXTERNAL", "external: {certificate: etcd-ca.crt, issued: issued}");
    let external =
        external.replace("caKeysOnHosts: [kubernetes, etcd, front-proxy]", "caKeysOnHosts: [kubernetes]");
    fs::write(place.join("external.yaml"), external).unwrap();
    let ran = stage.ran(place, &words("csr external.yaml -i OPERATOR -o requests")).expect_code(0);
    assert!(place.join("requests/cp1/etcd-server.csr").is_file(), "{ran:?}");
}

/// Without a recipient `init` writes an identity: into its one file. `demo` writes all there is.
#[test]
fn secrets_are_in_their_own_files_only() {
    let Some(stage) = stage() else { return };
    let Some(disk) = Disk::new(48) else { return };
    let place = disk.path("");
    stage.copy_to(&place);
    let ran = stage.ran(&place, &words("init own")).expect_code(0);
    let key = fs::read_to_string(place.join("own/operator.key")).unwrap();
    let key = key.lines().last().unwrap().to_owned();
    let mut needles = drawn(&fs::read(place.join("own/seed.age")).unwrap(), &key);
    needles.nowhere_in("init", (ran.stdout + &ran.stderr).as_bytes());
    let seeds = needles.secrets();
    needles.secret("operator.key", key.as_bytes());
    assert_eq!(needles.secrets(), seeds + 1);
    let there = BTreeMap::from([("operator.key, raw", 1)]);
    assert_eq!(needles.below(&place), there);

    let ran = stage.ran(&place, &words("demo --dir demo")).expect_code(0);
    let keys = fs::read_to_string(place.join("demo/demo/operator.key")).unwrap();
    let identity = keys.lines().last().unwrap();
    let mut of_demo = drawn(&fs::read(place.join("demo/demo/seed.age")).unwrap(), identity);
    of_demo.secret("operator.key", identity.as_bytes());
    for host in ["infra0", "infra1", "infra2"] {
        let host = place.join("demo/hosts").join(host);
        for name in ["server", "peer", "healthcheck-client"] {
            let key = fs::read(host.join(format!("root/etc/kubernetes/pki/etcd/{name}.key"))).unwrap();
            of_demo.pem(&format!("{} {name}", host.display()), &key);
        }
    }
    of_demo.nowhere_in("demo", (ran.stdout + &ran.stderr).as_bytes());
    // nine keys of hosts, whose lines are also the base64 of what is in them, and the identity
    let live = of_demo.below(&place);
    assert_eq!(live.len(), 2 * 9 + 1, "{live:#?}");
    let private = |name: &str| name.contains("EC PRIVATE KEY") || name == "operator.key, raw";
    assert!(live.iter().all(|(name, times)| *times == 1 && private(name)), "{live:#?}");
    let image = disk.out();
    assert_eq!(needles.within_file(&image), there, "no copy in a block that is free again");
    assert_eq!(of_demo.within_file(&image), live, "no copy in a block that is free again");
}
