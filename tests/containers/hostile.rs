//! Whatever a person writes into what a container's unit shows: it is refused, or is one word of one line
//! and nothing else changes.

use crate::known;
use crate::quadlet::{command, sections};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use sealift::plan::{Facts, plan};
use sealift::render::Renderer;
use sealift::render::templates::Templates;
use sealift::spec;
use std::collections::BTreeMap;

const SPEC: &str = include_str!("../../bundles/etcd-static-pods/sealift.yaml");

/// The files of the first host; none where the spec is refused.
fn files(
    engine: &str,
    image: &str,
    data: &str,
    wal: &str,
    program: &str,
) -> Option<BTreeMap<String, Vec<u8>>> {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let program = if engine == "podman" { String::new() } else { format!(", program: {}", quoted(program)) };
    let own = format!(
        "  run: container\n  version: 3.6.8\n  image: {}\n  dataDir: {}\n  walDir: {}\n  container: {{engine: {engine}{program}}}\n",
        quoted(image),
        quoted(data),
        quoted(wal)
    );
    let loaded = spec::load(&SPEC.replacen("  run: static-pod\n", &own, 1));
    if loaded.has_errors() {
        return None;
    }
    let (plan, problems) = plan(&loaded.spec, &Facts::default());
    if problems.iter().any(spec::Problem::is_error) {
        return None;
    }
    let templates = Templates::embedded();
    let renderer = Renderer::new(&templates).unwrap();
    Some(renderer.templates(plan.hosts.values().next().unwrap()).unwrap())
}

/// What systemd makes of `ExecStart=`: words, by blanks alone, for nothing in them is quoted.
fn exec_start(unit: &str) -> Vec<String> {
    let joined = unit.replace("\\\n", " ");
    let mut found = joined.lines().filter_map(|line| line.strip_prefix("ExecStart="));
    let line = found.next().unwrap();
    assert_eq!(found.next(), None);
    assert!(!line.contains(['"', '\'', '\\', '%', '$', ';', '`']), "{line}");
    line.split_whitespace().map(str::to_owned).collect()
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\\t\\n]{0,20}",
        "/[a-z0-9._/@:+%$\"' -]{0,20}",
        "(/srv/a|a.example/b:1|/x)[ \\n\\t\"'\\\\%$;:,#={}\\[\\]a-z]{0,12}",
        Just("/srv/a\nExecStart=/bin/sh".to_owned()),
        Just("/srv/a /etc".to_owned()),
        Just("/srv/a:/etc".to_owned()),
        Just("a.example/b:1 --privileged".to_owned()),
        Just("--privileged".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_value_breaks_out(field in 0..4usize, value in hostile(), engine in 0..3usize) {
        let engine = ["podman", "docker", "nerdctl"][engine];
        let plain = ["a.example/etcd:1", "/srv/plain-data", "/srv/plain-wal", "/opt/plain-program"];
        let mut with = plain.map(str::to_owned);
        with[field].clone_from(&value);
        let of = |texts: &[String; 4]| files(engine, &texts[0], &texts[1], &texts[2], &texts[3]);
        let Some(changed) = of(&with) else { return Ok(()) };
        let base = of(&plain.map(str::to_owned)).unwrap();
        let words = |files: &BTreeMap<String, Vec<u8>>| {
            let text = |path: &str| String::from_utf8(files[path].clone()).unwrap();
            if engine == "podman" {
                let file = text(crate::QUADLET);
                let _ = sections(&file);
                (command(&file, &known("quadlet-container.txt")), file)
            } else {
                let unit = text(crate::SERVICE);
                (exec_start(&unit), unit)
            }
        };
        let ((before, plain_text), (after, text)) = (words(&base), words(&changed));
        // the plain word stands where the value does, and nowhere does anything else change
        let expected: Vec<_> = before.iter().map(|word| word.replace(plain[field], &value)).collect();
        assert_eq!(after, expected);
        assert_eq!(text, plain_text.replace(plain[field], &value));
    }
}
