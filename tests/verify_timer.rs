//! The timer that verifies hosts: its units to systemd, its layers, what becomes of it when it goes; and its
//! metrics to node-exporter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "tests run programs and read files")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::example::{Built, replaced, spec, spec_of_today};
use support::{Ran, need, run, sealift, stacked};

const SERVICE: &str = "etc/systemd/system/sealift-verify.service";
const TIMER: &str = "etc/systemd/system/sealift-verify.timer";

/// The example with a timer, of some revision.
fn timed(revision: u32, timer: &str) -> String {
    let text = replaced(&spec_of_today(), "  revision: 1\n", &format!("  revision: {revision}\n"));
    if timer.is_empty() {
        text
    } else {
        replaced(&text, "hosts:\n", &format!("verify: {{timer: {{{timer}}}}}\nhosts:\n"))
    }
}

fn installed(built: &Built) -> (PathBuf, Ran) {
    let root = built.root("infra0");
    let trust = built.out().join("trust");
    let ran = built.install("infra0", &root, &["--trust", trust.to_str().unwrap()]).expect_code(0);
    (root, ran)
}

const METRICS: &str = "metrics: /var/lib/prometheus/node-exporter/sealift.prom";

#[test]
fn systemd_accepts_both_units() {
    let Some(analyze) = need("systemd-analyze") else { return };
    for timer in ["within: 14d", METRICS, "onCalendar: \"Mon..Fri *-*-* 06,18:30 UTC\", randomizedDelay: 1h"]
    {
        let built = Built::of(&timed(1, timer));
        let units = installed(&built).0.join("etc/systemd/system");
        let stub = built.path("stub");
        fs::write(&stub, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let service = units.join("sealift-verify.service");
        let text = fs::read_to_string(&service).unwrap();
        let text = replaced(&text, "=/usr/local/bin/sealift ", &format!("={} ", stub.display()));
        fs::write(&service, &text).unwrap();
        let check = || {
            let words = [
                "verify",
                "--man=no",
                "--recursive-errors=no",
                "sealift-verify.timer",
                "sealift-verify.service",
            ];
            run(Command::new(&analyze).args(words).env("SYSTEMD_UNIT_PATH", format!("{}:", units.display())))
        };
        let ran = check().expect_code(0);
        assert_eq!(ran.stderr, "", "{timer}");
        let words = ["security", "--offline=true", "--no-pager", "--threshold=30"];
        let _ = run(Command::new(&analyze).args(words).arg(&service)).expect_code(0);
        // what systemd does not know is told of, so the check is one
        fs::write(&service, text.replace("ProtectSystem", "ProtectSystems")).unwrap();
        assert_ne!(check().stderr, "");
    }
}

#[test]
fn the_units_say_what_the_spec_says() {
    let built = Built::of(&timed(1, METRICS));
    let (root, ran) = installed(&built);
    let service = fs::read_to_string(root.join(SERVICE)).unwrap();
    let line = "\nExecStart=/usr/local/bin/sealift verify --root / --within 30d --metrics \"/var/lib/prometheus/node-exporter/sealift.prom\"\n";
    assert!(service.contains(line) || service.contains(&line.replace('"', "")), "{service}");
    assert!(service.contains("\nReadWritePaths=-/var/lib/prometheus/node-exporter\n"), "{service}");
    assert!(!service.contains("PrivateNetwork"), "{service}");
    let timer = fs::read_to_string(root.join(TIMER)).unwrap();
    assert!(
        timer.contains("\nOnCalendar=hourly\n") && timer.contains("\nRandomizedDelaySec=900\n"),
        "{timer}"
    );
    let told = "run: systemctl daemon-reload\nrun: systemctl enable --now sealift-verify.timer\n";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    // another time is read by a reload; nothing of it restarts
    fs::write(built.path("sealift.yaml"), timed(2, "onCalendar: daily, program: /opt/s")).unwrap();
    let _ = built.build(&[]).expect_code(0);
    let ran = built.install("infra0", &root, &[]).expect_code(0);
    assert!(
        ran.stdout.contains("run: systemctl daemon-reload\n") && !ran.stdout.contains("restart:"),
        "{}",
        ran.stdout
    );
    let service = fs::read_to_string(root.join(SERVICE)).unwrap();
    assert!(service.contains("\nExecStart=/opt/s verify --root / --within 30d\n"), "{service}");
    assert!(!service.contains("ReadWritePaths") && !service.contains("DAC_OVERRIDE"), "{service}");
    // without it, the timer stops first, and nothing asks for a unit that is gone
    fs::write(built.path("sealift.yaml"), timed(3, "")).unwrap();
    let _ = built.build(&[]).expect_code(0);
    let ran = built.install("infra0", &root, &[]).expect_code(0);
    let tail: Vec<_> =
        ran.stdout.lines().filter(|line| line.starts_with("run:") || line.starts_with("restart:")).collect();
    assert_eq!(tail, ["run: systemctl disable --now sealift-verify.timer", "run: systemctl daemon-reload"]);
    assert!(!root.join(SERVICE).exists() && !root.join(TIMER).exists());
}

/// Hosts of etcd alone, nodes, and hosts with a balancer alone have it; layers say where, and how.
#[test]
fn every_kind_of_host_and_every_layer() {
    let text = stacked::spec(
        "1.36.2",
        "kubeadm",
        "",
        "verify: {timer: {onCalendar: daily}}\nroles: {worker: {verify: {timer: {within: 9d}}}, load-balancer: {verify: {timer: {enabled: false}}}}\n",
    );
    let text = text
        .replace("loadBalancers: [{kind: external}]", "loadBalancers: [{kind: haproxy, on: load-balancer}]");
    let key = support::opened::machine(2).to_public();
    let other = support::opened::machine(3).to_public();
    let lb = |name: &str, address: u8, key: &str, more: &str| {
        format!(
            "  {name}: {{addresses: [10.0.0.{address}], roles: [load-balancer], recipients: [{key}]{more}}}\n"
        )
    };
    let text = text
        + &lb("lb1", 8, &key.to_string(), "")
        + &lb("lb2", 9, &other.to_string(), ", verify: {timer: {enabled: true, onCalendar: weekly}}");
    let built = Built::of(&text);
    let of = |host: &str| -> Option<(String, String)> {
        let files: BTreeMap<String, String> = support::archive::members(&built.bundle(host))
            .into_iter()
            .filter(|member| member.name.contains("sealift-verify"))
            .map(|member| (member.name.clone(), member.text().to_owned()))
            .collect();
        let line = |file: &str, start: &str| {
            let text = files.get(&format!("files/{file}"))?;
            Some(text.lines().find(|line| line.starts_with(start))?.to_owned())
        };
        Some((line(TIMER, "OnCalendar=")?, line(SERVICE, "ExecStart=")?))
    };
    let told = |calendar: &str, within: &str| {
        Some((
            format!("OnCalendar={calendar}"),
            format!("ExecStart=/usr/local/bin/sealift verify --root / --within {within}"),
        ))
    };
    assert_eq!(of("cp1"), told("daily", "30d"));
    assert_eq!(of("w1"), told("daily", "9d"));
    assert_eq!(of("lb1"), None);
    assert_eq!(of("lb2"), told("weekly", "30d"));
    assert_eq!(of("operator"), None);
    let alone = Built::example();
    assert!(
        !support::archive::members(&alone.bundle("infra0"))
            .iter()
            .any(|member| member.name.contains("sealift-verify"))
    );
}

#[test]
fn a_time_that_systemd_would_not_read_is_refused() {
    let built = Built::staged(&replaced(
        &spec(),
        "hosts:\n",
        "verify: {timer: {onCalendar: \"25:00\", metrics: /srv/a.txt}}\nhosts:\n",
    ));
    let ran = built.build(&[]).expect_code(2);
    assert!(ran.stderr.contains("error: verify.timer.onCalendar: `25:00` is not a calendar event: its time is not HOUR:MINUTE or HOUR:MINUTE:SECOND\n"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains(
            "error: verify.timer.metrics: node-exporter reads no file that does not end in .prom\n"
        ),
        "{}",
        ran.stderr
    );
}

/// One metric: its name, labels and value.
type Sample = (String, BTreeMap<String, String>, f64);

/// A strict reader of the text format: every sample behind its family's HELP and TYPE, no family and no sample
/// twice, names and labels of the characters that they may have.
fn parse(text: &str) -> Vec<Sample> {
    assert!(text.ends_with('\n'));
    let name = |text: &str| {
        let rest =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        assert!(rest && text.starts_with(|c: char| c.is_ascii_lowercase()), "{text:?}");
    };
    let mut families = BTreeSet::new();
    let mut samples: Vec<Sample> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (family, help) = line.strip_prefix("# HELP ").unwrap().split_once(' ').unwrap();
        name(family);
        assert!(!help.is_empty() && families.insert(family.to_owned()), "{line}");
        assert_eq!(lines.next().unwrap(), format!("# TYPE {family} gauge"));
        let before = samples.len();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let rest = line.strip_prefix(family).unwrap();
            let (labels, value) = match rest.strip_prefix('{') {
                None => (BTreeMap::new(), rest.strip_prefix(' ').unwrap()),
                Some(rest) => labels_of(rest),
            };
            for label in labels.keys() {
                name(label);
            }
            let sample = (family.to_owned(), labels, value.parse::<f64>().unwrap());
            assert!(
                samples.iter().all(|(family, labels, _)| (family, labels) != (&sample.0, &sample.1)),
                "{line}"
            );
            samples.push(sample);
        }
        assert!(samples.len() > before, "{family} has no sample");
    }
    samples
}

/// Labels up to `}`, unescaped, and the value behind them.
fn labels_of(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("\\{c}"),
                }),
                (_, c) => value.push(c),
            }
        };
        assert_eq!(labels.insert(name.to_owned(), value), None, "{text}");
        rest = &after[end + 1..];
        if let Some(value) = rest.strip_prefix("} ") {
            return (labels, value);
        }
        rest = rest.strip_prefix(',').unwrap();
    }
}

fn verify(root: &Path, metrics: &Path, more: &[&str]) -> Ran {
    let words =
        ["verify".into(), "--root".into(), root.to_path_buf(), "--metrics".into(), metrics.to_path_buf()];
    sealift(words.into_iter().chain(more.iter().map(PathBuf::from)))
}

fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let has = |found: &BTreeMap<String, String>| {
        labels.iter().all(|(name, value)| found.get(*name).map(String::as_str) == Some(*value))
    };
    let found: Vec<_> = samples.iter().filter(|(family, found, _)| family == name && has(found)).collect();
    assert!(found.len() < 2, "{found:?}");
    found.first().map(|(_, _, value)| *value)
}

#[test]
fn what_the_metrics_say() {
    let built = Built::of(&timed(1, ""));
    let (root, _) = installed(&built);
    let directory = built.path("textfile");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("sealift.prom");
    let read = || parse(&fs::read_to_string(&file).unwrap());

    let ran = verify(&root, &file, &[]).expect_code(0);
    assert!(ran.stdout.starts_with("ok "), "{}", ran.stdout);
    let clean = read();
    let of = |name: &str, labels: &[(&str, &str)]| value(&clean, name, labels);
    assert_eq!(of("sealift_verify_findings", &[]), Some(0.0));
    assert_eq!(of("sealift_verify_exit_code", &[]), Some(0.0));
    assert_eq!(clean.iter().filter(|(name, ..)| name == "sealift_verify_findings_by_id").count(), 0);
    assert_eq!(of("sealift_installed_info", &[("host", "infra0"), ("revision", "1.0")]), Some(1.0));
    assert_eq!(of("sealift_installed_revision", &[("part", "cluster")]), Some(1.0));
    let now: f64 = run(Command::new("date").arg("+%s")).expect_code(0).stdout.trim().parse().unwrap();
    assert!((now - of("sealift_verify_last_run_timestamp_seconds", &[]).unwrap()).abs() < 300.0);
    // the certificate's end, as openssl says it
    let server = root.join("etc/kubernetes/pki/etcd/server.crt");
    let end =
        run(Command::new("openssl").args(["x509", "-noout", "-enddate", "-in"]).arg(&server)).expect_code(0);
    let end = end.stdout.trim().strip_prefix("notAfter=").unwrap().to_owned();
    let end = run(Command::new("date").args(["-u", "+%s", "-d", &end])).expect_code(0).stdout;
    let name = "sealift_certificate_not_after_timestamp_seconds";
    let labels = [("path", "/etc/kubernetes/pki/etcd/server.crt"), ("subject", "CN=infra0")];
    assert_eq!(of(name, &labels), Some(end.trim().parse().unwrap()));
    let places = clean.iter().filter(|(found, ..)| found == name).count();
    let certs =
        sealift(["certs", "--root", root.to_str().unwrap(), "--format", "json"]).expect_code(0).stdout;
    assert_eq!(places, certs.matches("\"path\":").count(), "each place of `certs` has its end");
    assert!(of("sealift_bundle_valid_until_timestamp_seconds", &[]).unwrap() > now);

    // findings, tolerated or not, and the exit code that follows
    fs::write(root.join("etc/kubernetes/manifests/.x.swp"), "").unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o600)).unwrap();
    let ran = verify(&root, &file, &["--within", "2y", "--format", "json"]).expect_code(1);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let drift = read();
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for finding in said["findings"].as_array().unwrap() {
        *counts.entry(finding["id"].as_str().unwrap()).or_default() += 1.0;
    }
    assert!(counts.len() >= 3, "{counts:?}");
    for (id, count) in &counts {
        assert_eq!(value(&drift, "sealift_verify_findings_by_id", &[("id", id)]), Some(*count), "{id}");
    }
    assert_eq!(value(&drift, "sealift_verify_findings", &[]), Some(counts.values().sum()));
    assert_eq!(value(&drift, "sealift_verify_exit_code", &[]), Some(1.0));
    let exit =
        value(&drift, "sealift_verify_findings_by_id", &[("id", "certificate-expiring"), ("exit", "6")]);
    assert!(exit.is_some_and(|count| count > 0.0));

    // nothing is installed; nothing is trusted; no root: each run leaves its mark
    let empty = built.root("infra1");
    let trust = built.out().join("trust");
    let _ = verify(&empty, &file, &["--trust", trust.to_str().unwrap()]).expect_code(1);
    assert_eq!(value(&read(), "sealift_verify_findings_by_id", &[("id", "not-installed")]), Some(1.0));
    assert_eq!(value(&read(), "sealift_installed_info", &[]), None);
    for (root, code) in [(empty, 3), (built.path("no such root"), 7)] {
        let _ = verify(&root, &file, &[]).expect_code(code);
        assert_eq!(value(&read(), "sealift_verify_exit_code", &[]), Some(f64::from(code)));
    }
}

#[test]
fn metrics_that_cannot_be_written_hide_nothing() {
    let built = Built::of(&timed(1, ""));
    let (root, _) = installed(&built);
    let missing = built.path("no/such/directory/a.prom");
    let ran = verify(&root, &missing, &[]).expect_code(7);
    assert!(ran.stdout.starts_with("ok "), "{}", ran.stdout);
    assert!(
        ran.stderr.starts_with("error: cannot write the metrics ")
            && ran.stderr.contains("no such file or directory"),
        "{}",
        ran.stderr
    );
    fs::write(root.join("etc/kubernetes/manifests/x"), "").unwrap();
    let ran = verify(&root, &missing, &["--format", "json"]).expect_code(7);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&said["exit"], &said["findings"][0]["id"]), (&7.into(), &"stray-file".into()));
    // what is not trusted goes before
    let other = built.root("infra1");
    let _ = verify(&other, &missing, &[]).expect_code(3);
    // and it is of a root alone
    let words = ["verify".into(), built.bundle("infra0"), "--metrics".into(), missing];
    let _ = sealift(words).expect_code(2);
}

fn get(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map(|_| text)
}

/// node-exporter itself reads the file, and serves every line of it.
#[test]
fn node_exporter_serves_them() {
    let Some(exporter) = need("prometheus-node-exporter") else { return };
    let built = Built::of(&timed(1, ""));
    let (root, _) = installed(&built);
    let directory = built.path("textfile");
    fs::create_dir(&directory).unwrap();
    fs::write(root.join("etc/kubernetes/manifests/x"), "").unwrap();
    let file = directory.join("sealift.prom");
    let _ = verify(&root, &file, &[]).expect_code(1);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut child = Command::new(exporter)
        .arg("--collector.disable-defaults")
        .arg("--collector.textfile")
        .arg(format!("--collector.textfile.directory={}", directory.display()))
        .arg(format!("--web.listen-address={free}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut tries = 0;
    let served = loop {
        match get(&free, "/metrics") {
            Ok(text) => break text,
            Err(error) => assert!(tries < 600, "{error}"),
        }
        tries += 1;
        std::thread::sleep(Duration::from_millis(50));
    };
    // and a file that is none is told of, so what it serves is a verdict
    fs::write(directory.join("broken.prom"), "sealift_verify_findings{ 1\n").unwrap();
    let broken = get(&free, "/metrics");
    child.kill().unwrap();
    child.wait().unwrap();
    let of = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|line| line.starts_with("sealift_")).map(label_order).collect()
    };
    assert!(served.contains("\nnode_textfile_scrape_error 0\n"), "{served}");
    assert_eq!(of(&served), of(&fs::read_to_string(&file).unwrap()));
    assert!(broken.unwrap().contains("\nnode_textfile_scrape_error 1\n"));
}

/// A sample whose labels and value have one form: node-exporter sorts labels, and writes large numbers with an
/// exponent.
fn label_order(line: &str) -> String {
    let (name, labels, value) = match line.split_once('{') {
        None => {
            let (name, value) = line.split_once(' ').unwrap();
            (name, BTreeMap::new(), value)
        }
        Some((name, rest)) => {
            let (labels, value) = labels_of(rest);
            (name, labels, value)
        }
    };
    format!("{name} {labels:?} {}", value.parse::<f64>().unwrap())
}

/// The rules of docs/recipes.md ask for metrics that there are; promtool has read them by hand.
#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let page = fs::read_to_string(support::repository("docs/recipes.md")).unwrap();
    let rules = page.split_once("```yaml prometheus\n").unwrap().1.split_once("```").unwrap().0;
    let rules = sealift::spec::yaml::document(rules).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 5);
    let formats = fs::read_to_string(support::repository("docs/formats.md")).unwrap();
    let documented: BTreeSet<&str> = formats
        .lines()
        .filter_map(|line| line.strip_prefix("| `sealift_"))
        .filter_map(|line| line.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let built = Built::of(&timed(1, ""));
    let (root, _) = installed(&built);
    fs::write(root.join("etc/kubernetes/manifests/x"), "").unwrap();
    let file = built.path("sealift.prom");
    let _ = verify(&root, &file, &[]).expect_code(1);
    let samples = parse(&fs::read_to_string(&file).unwrap());
    let written: BTreeSet<&str> =
        samples.iter().map(|(name, ..)| name.strip_prefix("sealift_").unwrap()).collect();
    assert_eq!(documented, written, "docs/formats.md has every metric");
    for rule in rules {
        let expression = rule["expr"].as_str().unwrap();
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let asked: Vec<&str> = words.filter_map(|word| word.strip_prefix("sealift_")).collect();
        assert!(!asked.is_empty() && asked.iter().all(|name| written.contains(name)), "{expression}");
        assert!(rule["annotations"]["summary"].is_string(), "{expression}");
    }
}
