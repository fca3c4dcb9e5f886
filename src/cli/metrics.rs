//! What `verify --root` found, for node-exporter's textfile collector: the text format of Prometheus.

use super::failure::{Failure, MACHINE};
use super::world;
use crate::check::host::Summary;
use crate::check::inventory::{Held, Place};
use crate::finding::Finding;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// One run of `verify --root`.
pub(super) struct Snapshot<'a> {
    /// The clock at its end, seconds since 1970, whatever `--at` says.
    pub(super) now: i64,
    pub(super) took: Duration,
    pub(super) exit: u8,
    pub(super) findings: &'a [Finding],
    /// What is installed; none when nothing that can be believed is.
    pub(super) installed: Option<&'a Summary>,
    pub(super) certificates: &'a [Held],
}

/// Labels and the value.
type Sample = (String, String);

impl Snapshot<'_> {
    /// The text of all metrics.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, help: &str, samples: Vec<Sample>| {
            if samples.is_empty() {
                return;
            }
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in samples {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let one = |value: String| vec![(String::new(), value)];
        let version = labels(&[("version", env!("CARGO_PKG_VERSION"))]);
        family("sealift_build_info", "The sealift that verified.", vec![(version, "1".to_owned())]);
        family(
            "sealift_verify_last_run_timestamp_seconds",
            "When the host was last verified, by its own clock.",
            one(self.now.to_string()),
        );
        let took = format!("{:.6}", self.took.as_secs_f64());
        family("sealift_verify_duration_seconds", "How long that took.", one(took));
        family("sealift_verify_exit_code", "The exit code of that run.", one(self.exit.to_string()));
        let all = self.findings.len().to_string();
        family("sealift_verify_findings", "How many findings it had, tolerated ones included.", one(all));
        family(
            "sealift_verify_findings_by_id",
            "How many findings of each id that was found; exit is the id's exit code.",
            self.by_id(),
        );
        family("sealift_installed_info", "What is installed.", self.installed().into_iter().collect());
        family("sealift_installed_revision", "The installed revision, by its two parts.", self.revision());
        family(
            "sealift_bundle_valid_until_timestamp_seconds",
            "Until when the installed bundle is valid.",
            self.installed
                .iter()
                .filter_map(|it| it.valid_until)
                .map(|at| (String::new(), at.to_string()))
                .collect(),
        );
        family(
            "sealift_certificate_not_after_timestamp_seconds",
            "When the validity of a certificate ends, by every place that has it.",
            self.certificates(),
        );
        text
    }

    fn by_id(&self) -> Vec<Sample> {
        let mut counts: BTreeMap<&str, (u8, usize)> = BTreeMap::new();
        for finding in self.findings {
            let entry = counts.entry(finding.id.name()).or_insert((finding.id.class().exit(), 0));
            entry.1 += 1;
        }
        let sample = |(id, (exit, count)): (&str, (u8, usize))| {
            (labels(&[("id", id), ("exit", &exit.to_string())]), count.to_string())
        };
        counts.into_iter().map(sample).collect()
    }

    fn installed(&self) -> Option<Sample> {
        let Summary { host, cluster, cluster_id, revision, .. } = self.installed?;
        let revision = revision.to_string();
        let pairs =
            [("cluster", cluster), ("cluster_id", cluster_id), ("host", host), ("revision", &revision)];
        Some((labels(&pairs.map(|(name, value)| (name, value.as_str()))), "1".to_owned()))
    }

    fn revision(&self) -> Vec<Sample> {
        let Some(installed) = self.installed else { return Vec::new() };
        let parts = [("cluster", installed.revision.cluster), ("host", installed.revision.host)];
        parts.map(|(part, number)| (labels(&[("part", part)]), number.to_string())).to_vec()
    }

    fn certificates(&self) -> Vec<Sample> {
        let mut samples = BTreeMap::new();
        for Held { certificate, places, .. } in self.certificates {
            for Place { path, entry, .. } in places {
                let pairs = [
                    ("path", Some(path)),
                    ("entry", entry.as_ref()),
                    ("subject", Some(&certificate.subject)),
                    // of two in one file, while an authority is replaced
                    ("serial", certificate.serial.as_ref()),
                ];
                let known: Vec<_> = pairs
                    .iter()
                    .filter_map(|(name, value)| Some((*name, value.as_ref()?.as_str())))
                    .collect();
                // node-exporter refuses a file that has the same labels twice: the earlier end counts
                let end = samples.entry(labels(&known)).or_insert(certificate.not_after);
                *end = certificate.not_after.min(*end);
            }
        }
        samples.into_iter().map(|(labels, end)| (labels, end.to_string())).collect()
    }
}

/// Labels as the format has them: backslash, quote and line feed escaped.
fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let all: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

/// Writes a file whole or not at all: node-exporter may read it at any time, as another user.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    replace(file, text.as_bytes()).map_err(|error| {
        Failure::new(
            MACHINE,
            format!("cannot write the metrics {}: {}", file.display(), world::reason(&error)),
        )
        .hint(
            "name a file in a directory that is there and that sealift may write; what was found is not affected",
        )
    })
}

fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    // a rename would put a file in the place of a device or a link
    match fs::symlink_metadata(file) {
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is there and is no regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let name = file.file_name().ok_or_else(|| io::Error::other("it names no file"))?.to_string_lossy();
    let staged = file.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    // of a killed run whose number came back
    let _ = fs::remove_file(&staged);
    let options = OpenOptions::new().write(true).create_new(true).mode(0o600).clone();
    let done = options.open(&staged).and_then(|opened| {
        fill(opened, bytes)?;
        fs::rename(&staged, file)
    });
    if done.is_err() {
        let _ = fs::remove_file(&staged);
    }
    done
}

fn fill(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::{Duration, Finding, Held, Place, Snapshot, Summary, labels, write};
    use crate::bundle::manifest::Revision;
    use crate::check::inventory::{Certificate, Issuer};
    use crate::finding::Id;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const CLEAN: Snapshot<'_> = Snapshot {
        now: 1_800_000_000,
        took: Duration::from_micros(12_345),
        exit: 0,
        findings: &[],
        installed: None,
        certificates: &[],
    };

    const HEAD: &str = "\
# HELP sealift_build_info The sealift that verified.
# TYPE sealift_build_info gauge
sealift_build_info{version=\"VERSION\"} 1
# HELP sealift_verify_last_run_timestamp_seconds When the host was last verified, by its own clock.
# TYPE sealift_verify_last_run_timestamp_seconds gauge
sealift_verify_last_run_timestamp_seconds 1800000000
# HELP sealift_verify_duration_seconds How long that took.
# TYPE sealift_verify_duration_seconds gauge
sealift_verify_duration_seconds 0.012345
# HELP sealift_verify_exit_code The exit code of that run.
# TYPE sealift_verify_exit_code gauge
";

    fn head() -> String {
        HEAD.replace("VERSION", env!("CARGO_PKG_VERSION"))
    }

    #[test]
    fn a_run_without_findings() {
        let rest = "sealift_verify_exit_code 0
# HELP sealift_verify_findings How many findings it had, tolerated ones included.
# TYPE sealift_verify_findings gauge
sealift_verify_findings 0
";
        assert_eq!(CLEAN.text(), head() + rest);
    }

    #[test]
    fn everything_there_is_to_say() {
        let findings =
            [Id::ModeMismatch, Id::BundleExpired, Id::ModeMismatch].map(|id| Finding::new(id, "/", ""));
        let installed = Summary {
            host: "a".into(),
            cluster: "a \"b\" \\ c".into(),
            cluster_id: "00".into(),
            revision: Revision { cluster: 3, host: 1 },
            manifest: "11".into(),
            valid_until: Some(1_900_000_000),
        };
        let certificate = Certificate {
            subject: "CN=a\nb".into(),
            issuer: String::new(),
            dns: Vec::new(),
            ips: Vec::new(),
            other_names: Vec::new(),
            key: String::new(),
            ca: false,
            usages: Vec::new(),
            not_before: 0,
            not_after: 1_850_000_000,
            serial: Some("0a".into()),
            sha256: None,
        };
        let kubeconfig = Place { entry: Some("users/a".into()), ..Place::file("/a.conf") };
        let held = |not_after, places| Held {
            certificate: Certificate { not_after, ..certificate.clone() },
            places,
            issuer: Issuer::NotFound,
        };
        let certificates = [
            held(1_850_000_000, vec![Place::file("/b.crt"), kubeconfig]),
            held(1_840_000_000, vec![Place::file("/b.crt")]),
        ];
        let all = Snapshot {
            exit: 1,
            findings: &findings,
            installed: Some(&installed),
            certificates: &certificates,
            ..CLEAN
        };
        let rest = r#"sealift_verify_exit_code 1
# HELP sealift_verify_findings How many findings it had, tolerated ones included.
# TYPE sealift_verify_findings gauge
sealift_verify_findings 3
# HELP sealift_verify_findings_by_id How many findings of each id that was found; exit is the id's exit code.
# TYPE sealift_verify_findings_by_id gauge
sealift_verify_findings_by_id{id="bundle-expired",exit="6"} 1
sealift_verify_findings_by_id{id="mode-mismatch",exit="1"} 2
# HELP sealift_installed_info What is installed.
# TYPE sealift_installed_info gauge
sealift_installed_info{cluster="a \"b\" \\ c",cluster_id="00",host="a",revision="3.1"} 1
# HELP sealift_installed_revision The installed revision, by its two parts.
# TYPE sealift_installed_revision gauge
sealift_installed_revision{part="cluster"} 3
sealift_installed_revision{part="host"} 1
# HELP sealift_bundle_valid_until_timestamp_seconds Until when the installed bundle is valid.
# TYPE sealift_bundle_valid_until_timestamp_seconds gauge
sealift_bundle_valid_until_timestamp_seconds 1900000000
# HELP sealift_certificate_not_after_timestamp_seconds When the validity of a certificate ends, by every place that has it.
# TYPE sealift_certificate_not_after_timestamp_seconds gauge
sealift_certificate_not_after_timestamp_seconds{path="/a.conf",entry="users/a",subject="CN=a\nb",serial="0a"} 1850000000
sealift_certificate_not_after_timestamp_seconds{path="/b.crt",subject="CN=a\nb",serial="0a"} 1840000000
"#;
        assert_eq!(all.text(), head() + rest);
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[]), "");
        assert_eq!(labels(&[("a", "\"\\\n")]), r#"{a="\"\\\n"}"#);
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sealift.prom");
        for text in ["one", "two\n"] {
            write(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o644);
        }
        let link = directory.path().join("link.prom");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for (path, reason) in [
            (link, "it is there and is no regular file"),
            (directory.path().to_path_buf(), "it is there and is no regular file"),
            (directory.path().join("missing/a.prom"), "no such file or directory"),
        ] {
            let failure = write(&path, "three").unwrap_err();
            assert_eq!(failure.exit, 7);
            assert_eq!(failure.message, format!("cannot write the metrics {}: {reason}", path.display()));
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "two\n");
        let mut names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["link.prom", "sealift.prom"]);
    }
}
