//! Findings in the Static Analysis Results Interchange Format (SARIF 2.1.0, an OASIS standard), which
//! code scanning services and dashboards read. Each id is a rule, each finding a result.

use super::failure::Failure;
use crate::finding::{Class, Finding, Id};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name of the host's root directory in locations.
const ROOT: &str = "ROOT";
/// The version of what fingerprints are made of.
const FINGERPRINT: &str = "sealift/v1";

/// One run of a command.
pub(super) struct Report<'a> {
    pub(super) command: &'static str,
    pub(super) exit: u8,
    pub(super) findings: &'a [Finding],
    /// Exit codes whose findings do not count.
    pub(super) tolerated: &'a [u8],
    /// What was looked at.
    pub(super) places: &'a [Place],
    /// Why the command could not go on.
    pub(super) stopped: Option<&'a Failure>,
}

impl<'a> Report<'a> {
    /// A run that came to its end and tolerated nothing.
    pub(super) fn new(command: &'static str, exit: u8, findings: &'a [Finding]) -> Self {
        Self { command, exit, findings, tolerated: &[], places: &[], stopped: None }
    }
}

/// What was looked at, as it was named: paths of findings begin with it.
pub(super) enum Place {
    /// A bundle, or a directory of them.
    Output(String),
    /// A host's root directory; paths of findings begin below it.
    Root(String),
}

impl Place {
    /// A bundle, or a directory of them.
    pub(super) fn output(path: &Path) -> Self {
        Self::Output(path.display().to_string())
    }

    /// A host's root directory.
    pub(super) fn root(path: &Path) -> Self {
        Self::Root(path.display().to_string())
    }
}

/// The log file of one run.
pub(super) fn log(report: &Report<'_>) -> Value {
    let mut invocation = json!({
        "executionSuccessful": report.stopped.is_none(),
        "exitCode": report.exit,
    });
    if let Some(failure) = report.stopped {
        let hint = failure.hint.as_deref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let text = format!("{}{hint}", failure.message);
        let told = json!([{ "level": "error", "message": { "text": text } }]);
        add(&mut invocation, "toolExecutionNotifications", told);
    }
    let mut run = json!({
        "tool": { "driver": {
            "name": "sealift",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": Id::ALL.iter().map(|id| rule(*id)).collect::<Vec<_>>(),
        } },
        "automationDetails": { "id": format!("sealift/{}/", report.command) },
        "invocations": [invocation],
        "results": report.findings.iter().map(|finding| result(finding, report)).collect::<Vec<_>>(),
    });
    let root = report.places.iter().find_map(|place| match place {
        Place::Root(path) => Some(path),
        Place::Output(_) => None,
    });
    if let Some(path) = root {
        let uri = format!("{}/", uri(path).trim_end_matches('/'));
        // a name without a place when the root is named relatively: then nobody but the caller knows
        let base = if path.starts_with('/') { json!({ "uri": uri }) } else { json!({}) };
        add(&mut run, "originalUriBaseIds", json!({ ROOT: base }));
    }
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] })
}

/// One more member of an object.
fn add(object: &mut Value, name: &str, member: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), member);
    }
}

fn rule(id: Id) -> Value {
    json!({
        "id": id.name(),
        "shortDescription": { "text": id.meaning().trim() },
        "defaultConfiguration": { "level": level(id) },
        "properties": { "exit": id.class().exit() },
    })
}

/// What is about to end is a warning; all else blocks.
fn level(id: Id) -> &'static str {
    match id {
        Id::CertificateExpiring | Id::BundleExpiring => "warning",
        _ => "error",
    }
}

fn result(finding: &Finding, report: &Report<'_>) -> Value {
    let id = finding.id;
    let (artifact, within) = located(&finding.path, report.places);
    let mut location = json!({ "physicalLocation": { "artifactLocation": artifact } });
    if let Some(within) = within {
        let within = json!([{ "fullyQualifiedName": within, "kind": "member" }]);
        add(&mut location, "logicalLocations", within);
    }
    let mut properties = json!({ "path": finding.path, "mend": finding.mend });
    for (name, value) in [("expected", &finding.expected), ("found", &finding.found)] {
        if let Some(value) = value {
            add(&mut properties, name, json!(value));
        }
    }
    let mut result = json!({
        "ruleId": id.name(),
        "ruleIndex": Id::ALL.iter().position(|other| *other == id),
        "level": level(id),
        "message": { "text": message(finding) },
        "locations": [location],
        "partialFingerprints": { FINGERPRINT: fingerprint(finding) },
        "properties": properties,
    });
    let exit = id.class().exit();
    if report.tolerated.contains(&exit) && id.class() != Class::Trust {
        let justification = format!("--tolerate {exit}");
        let suppressed = json!([{ "kind": "external", "justification": justification }]);
        add(&mut result, "suppressions", suppressed);
    }
    result
}

/// One paragraph: what is meant, what was expected and found, what to do.
fn message(finding: &Finding) -> String {
    let values = match (&finding.expected, &finding.found) {
        (Some(expected), Some(found)) => format!(" Expected {expected}, found {found}."),
        (Some(expected), None) => format!(" Expected {expected}."),
        (None, Some(found)) => format!(" Found {found}."),
        (None, None) => String::new(),
    };
    format!("{}: {}{values} Mend: {}.", finding.path, finding.id.meaning().trim(), finding.mend)
}

/// The same for the same finding of two runs: what was expected and found may change meanwhile.
fn fingerprint(finding: &Finding) -> String {
    let mut hash = Sha256::new();
    hash.update(finding.id.name());
    hash.update([0]);
    hash.update(&finding.path);
    hex::encode(hash.finalize())
}

/// The file that a finding is about, and for a bundle what in it.
fn located<'a>(path: &'a str, places: &[Place]) -> (Value, Option<&'a str>) {
    let bundles = places.iter().filter_map(|place| match place {
        Place::Output(name) => path.strip_prefix(name.as_str()).map(|rest| (name.len(), rest)),
        Place::Root(_) => None,
    });
    // of two places of which one begins as the other does, the longer
    if let Some((length, rest)) = bundles.max_by_key(|(length, _)| *length) {
        let inner = match rest.strip_prefix(':') {
            Some(inner) => Some((length, inner)),
            None => rest.split_once(".tar.gz:").map(|(file, inner)| (length + file.len() + 7, inner)),
        };
        let (end, inner) = inner.map_or((path.len(), None), |(end, inner)| (end, Some(inner)));
        return (json!({ "uri": uri(path.get(..end).unwrap_or(path)) }), inner);
    }
    let root = places.iter().any(|place| matches!(place, Place::Root(_)));
    match path.strip_prefix('/').filter(|_| root) {
        Some(below) => (json!({ "uri": uri(below), "uriBaseId": ROOT }), None),
        None => (json!({ "uri": uri(path) }), None),
    }
}

/// A path as a URI reference (RFC 3986): all but unreserved characters and slashes are escaped.
fn uri(path: &str) -> String {
    let escaped = path.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    let escaped: String = escaped.collect();
    if path.starts_with('/') { format!("file://{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::{Place, located, uri};
    use serde_json::json;

    #[test]
    fn a_finding_is_where_its_path_says() {
        let places = [Place::Output("out".into()), Place::Output("out/a.tgz".into())];
        let of = |path| located(path, &places);
        assert_eq!(of("out/cp1.tar.gz:/etc/a"), (json!({"uri": "out/cp1.tar.gz"}), Some("/etc/a")));
        assert_eq!(of("out/a.tgz:files/x.tar.gz:y"), (json!({"uri": "out/a.tgz"}), Some("files/x.tar.gz:y")));
        assert_eq!(of("out/index.json"), (json!({"uri": "out/index.json"}), None));
        assert_eq!(of("/etc/a"), (json!({"uri": "file:///etc/a"}), None));
        let root = [Place::Root("/mnt".into())];
        let below = json!({"uri": "etc/a%20b", "uriBaseId": "ROOT"});
        assert_eq!(located("/etc/a b", &root), (below, None));
    }

    #[test]
    fn a_path_is_a_uri_of_plain_characters() {
        assert_eq!(uri("/a b/ü:%"), "file:///a%20b/%C3%BC%3A%25");
        assert_eq!(uri("a\nb"), "a%0Ab");
    }
}
