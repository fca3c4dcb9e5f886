//! YAML's traps.

use std::fmt::Write as _;

use super::{GOOD, brief, rendered, with};

#[test]
fn one_document() {
    assert_eq!(
        rendered(&format!("{GOOD}---\na: b\n")),
        "error: a second YAML document begins here\n  --> sealift.yaml:33:1\n   |\n33 | ---\n   | ^^^\n\
         hint: a spec is one document; give each cluster its own file\n"
    );
    assert_eq!(brief(""), "error  | the spec is empty\n");
    assert_eq!(brief("# nothing\n"), "error  | the spec is empty\n");
    assert_eq!(brief("- a\n"), "error  | the spec: expected a mapping, found a list\n");
}

#[test]
fn syntax_errors_have_a_place() {
    assert_eq!(
        rendered("apiVersion: sealift/v1\ncluster: [a\nhosts: b\n"),
        "error: not YAML: illegal placement of ':' indicator\n --> sealift.yaml:3:6\n  |\n\
         3 | hosts: b\n  |      ^\n\
         hint: look here and above for a quote, bracket or indentation that is off\n"
    );
}

#[test]
fn duplicate_keys_name_both_places() {
    let spec = with("  infra1:", "  infra0:");
    assert_eq!(
        rendered(&spec),
        "error: duplicate key `infra0` in hosts\n  --> sealift.yaml:24:3\n   |\n24 |   infra0:\n   |   ^^^^^^\n\
         hint: it is first at line 20, column 3; remove one of the two\n"
    );
    // the same key by other quotes
    let spec = with("  infra1:", "  \"infra\\x30\":");
    assert!(brief(&spec).contains("duplicate key `infra0`"));
}

#[test]
fn keys_are_strings() {
    let refused = |key: &str| brief(&with("infra1:", &format!("{key}:")));
    let number = "error hosts | a key in hosts must be a string, but YAML reads `7` as a number\n";
    assert_eq!(refused("7"), number);
    assert!(refused("true").contains("as a boolean"));
    assert!(refused("~").contains("as nothing"));
    assert_eq!(refused("? [a]\n  "), "error hosts | a key in hosts is not a string\n");
    assert_eq!(refused("<<"), "error hosts | merge keys (`<<`) are not supported in hosts\n");
    assert_eq!(
        refused("'<<'"),
        "error hosts.\"<<\" | hosts.\"<<\": `<<` is not a host name: `<` is not allowed\n"
    );
    // strings in YAML 1.2, whatever 1.1 made of them
    assert_eq!(refused("yes"), "");
}

#[test]
fn strings_that_yaml_reads_as_something_else() {
    let version = |text: &str| rendered(&with("1.36.2", text));
    assert!(version("1.36").contains("expected a string, found a number, 1.36\n"));
    assert!(version("1.36").contains("hint: write it like 1.36.2\n"));
    let name = |text: &str| rendered(&with("name: example", &format!("name: {text}")));
    assert!(name("1234").contains("hint: put it in quotes: \"1234\"\n"));
    assert!(name("true").contains("found a boolean, true\n"));
    assert!(name("~").contains("found nothing\n"));
    assert_eq!(name("no"), "");
    assert_eq!(name("\"1234\""), "");
    let id = with("\"5f1c0e6a94d2b7830f1e2d3c4b5a6978\"", "12345678901234567890123456789e12");
    assert!(rendered(&id).contains("hint: put it in quotes: \"12345678901234567890123456789e12\"\n"));
}

#[test]
fn integers_are_plain_decimal() {
    let revision = |text: &str| brief(&with("revision: 1", &format!("revision: {text}")));
    assert_eq!(revision("4294967295"), "");
    for bad in ["0", "-1", "+1", "01", "4294967296", "99999999999999999999"] {
        let message = revision(bad);
        let start = format!("error cluster.revision | cluster.revision: `{bad}` is not a generation: ");
        assert!(message.starts_with(&start), "{message}");
    }
    for (bad, found) in [("1.0", "a number, 1.0"), ("0x10", "a number, 0x10"), ("'1'", "a string, \"1\"")] {
        assert_eq!(
            revision(bad),
            format!("error cluster.revision | cluster.revision: expected a whole number, found {found}\n")
        );
    }
    assert!(revision("[1]").contains("found a list"));
}

#[test]
fn anchors_and_aliases_are_values() {
    let spec = with("roles: [etcd]", "roles: &r [etcd]").replace("    roles: [etcd]", "    roles: *r");
    assert_eq!(rendered(&spec), "");
    let circle = with("roles: [etcd]", "roles: &r [etcd, *r]");
    assert_eq!(
        brief(&circle),
        "error hosts.infra0.roles[1] | hosts.infra0.roles[1]: this alias stands inside of what it names\n"
    );
}

#[test]
fn bombs_are_refused() {
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let previous = format!("*a{}, ", n - 1).repeat(10);
        writeln!(laughs, "a{n}: &a{n} [{previous}]").unwrap();
    }
    assert!(brief(&laughs).contains("more than 200000 values, counting what aliases repeat"));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a, ".repeat(50_000));
    assert!(brief(&long).contains("counting what aliases repeat"));
    for deep in ["- ".repeat(100_000), "{a: ".repeat(100), "? ".repeat(100_000)] {
        assert_eq!(brief(&deep), "error  | nested more than 64 levels deep\n");
    }
    // the parser's own limit, because it looks ahead for a key
    assert_eq!(brief(&"[".repeat(100_000)), "error  | not YAML: recursion limit exceeded\n");
    let mut stairs = String::from("a0: &a0 [x]\n");
    for n in 1..70 {
        writeln!(stairs, "a{n}: &a{n} [*a{}]", n - 1).unwrap();
    }
    assert_eq!(brief(&stairs), "error  | nested more than 64 levels deep\n");
    let large = "#".repeat((1 << 20) + 1);
    assert_eq!(brief(&large), "error  | the spec has 1048577 bytes, more than 1 MiB\n");
}
