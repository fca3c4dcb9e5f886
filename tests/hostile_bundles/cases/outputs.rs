//! Output directories.

use super::super::base::{Output, one_of, output};
use super::super::forge::{self, BUNDLE, CLUSTER, INDEX, STRANGER, Signature};
use super::{Case, Made, row};
use serde_json::{Value, json};

type Bundles = [(Value, Vec<u8>); 2];

fn bundles() -> Bundles {
    ["cp1", "cp2"].map(|host| one_of(host, |_| {}))
}

/// The same cluster's next build.
fn next(host: &str) -> (Value, Vec<u8>) {
    one_of(host, |manifest| manifest["revision"]["cluster"] = json!(2))
}

fn same(text: String) -> String {
    text
}

pub(super) fn good() -> Made {
    Made::Output(output(&bundles(), |_| {}, same, &INDEX))
}

/// A directory whose files are changed after signing.
fn changed(change: impl FnOnce(&mut Output)) -> Made {
    let mut files = output(&bundles(), |_| {}, same, &INDEX);
    change(&mut files);
    Made::Output(files)
}

/// A directory with another index, signed.
fn indexed(change: impl FnOnce(&mut Value)) -> Made {
    Made::Output(output(&bundles(), change, same, &INDEX))
}

/// This build's directory with some files of the next build's.
fn with_next(names: &[&str]) -> Made {
    let newer = output(&["cp1", "cp2"].map(next), |_| {}, same, &INDEX);
    changed(|files| {
        for name in names {
            files.insert((*name).to_owned(), newer[*name].clone());
        }
    })
}

fn listed(change: impl FnOnce(String) -> String) -> Made {
    Made::Output(output(&bundles(), |_| {}, change, &INDEX))
}

fn signed(signature: &Signature) -> Made {
    Made::Output(output(&bundles(), |_| {}, same, signature))
}

pub(super) fn cases() -> Vec<Case> {
    const MISMATCH: &[&str] = &["index-mismatch"];
    vec![
        row("index-mixed", MISMATCH, 1, "a bundle of the next build beside this build's index", || {
            changed(|files| drop(files.insert("cp2.tar.gz".into(), next("cp2").1)))
        }),
        row("index-stale", MISMATCH, 1, "the index of the next build beside bundles of this one", || {
            let newer = ["cp1", "cp2"].map(next);
            let mut files = output(&newer, |_| {}, same, &INDEX);
            files.insert("cp1.tar.gz".into(), bundles()[0].1.clone());
            Made::Output(files)
        }),
        row(
            "index-exchanged",
            &["index-mismatch", "index-mismatch"],
            1,
            "two bundles under each other's name",
            || {
                changed(|files| {
                    let [one, two] = ["cp1.tar.gz", "cp2.tar.gz"].map(|name| files[name].clone());
                    files.insert("cp1.tar.gz".into(), two);
                    files.insert("cp2.tar.gz".into(), one);
                })
            },
        ),
        row(
            "index-other-build",
            &["index-mismatch", "index-mismatch"],
            1,
            "every file but the bundles is the next build's",
            || with_next(&["index.json", "SHA256SUMS", "SHA256SUMS.sig"]),
        ),
        row(
            "index-other-bundles",
            &["index-mismatch", "index-mismatch"],
            1,
            "every bundle is the next build's",
            || with_next(&["cp1.tar.gz", "cp2.tar.gz"]),
        ),
        row("index-other-index", MISMATCH, 1, "index.json is the next build's", || {
            with_next(&["index.json"])
        }),
        row("index-other-sums", &["signature-wrong"], 3, "SHA256SUMS is the next build's", || {
            with_next(&["SHA256SUMS"])
        }),
        row("index-other-signature", &["signature-wrong"], 3, "SHA256SUMS.sig is the next build's", || {
            with_next(&["SHA256SUMS.sig"])
        }),
        row("index-other-signed", MISMATCH, 1, "SHA256SUMS and its signature are the next build's", || {
            with_next(&["SHA256SUMS", "SHA256SUMS.sig"])
        }),
        row("index-no-sums", &["entry-missing"], 1, "no SHA256SUMS", || {
            changed(|files| drop(files.remove("SHA256SUMS")))
        }),
        row("index-twice", &["sums-malformed"], 1, "one bundle twice; signed", || {
            indexed(|index| {
                let one = index["bundles"][0].clone();
                index["bundles"].as_array_mut().unwrap().push(one);
            })
        }),
        row("index-sums-twice", &["sums-malformed"], 1, "SHA256SUMS with one line twice; signed", || {
            listed(|text| text.clone() + text.lines().last().unwrap() + "\n")
        }),
        row("index-missing-bundle", MISMATCH, 1, "a bundle is missing", || {
            changed(|files| drop(files.remove("cp2.tar.gz")))
        }),
        row("index-extra-bundle", MISMATCH, 1, "a bundle that the index does not list", || {
            changed(|files| drop(files.insert("cp3.tar.gz".into(), one_of("cp3", |_| {}).1)))
        }),
        row("index-digest", MISMATCH, 1, "index.json changed after SHA256SUMS was written", || {
            changed(|files| {
                let text = String::from_utf8(files["index.json"].clone()).unwrap();
                files.insert("index.json".into(), text.replace("hostile", "hustile").into_bytes());
            })
        }),
        row("index-revision", MISMATCH, 1, "another revision than a bundle has; signed", || {
            indexed(|index| index["bundles"][1]["revision"]["cluster"] = json!(2))
        }),
        row("index-host", MISMATCH, 1, "a file name that is not its host's; signed", || {
            indexed(|index| index["bundles"][1]["host"] = json!("cp9"))
        }),
        row(
            "index-path",
            &["sums-malformed"],
            1,
            "a bundle in another directory, in SHA256SUMS too; signed",
            || indexed(|index| index["bundles"][1]["file"] = json!("../cp2.tar.gz")),
        ),
        row("index-unknown", MISMATCH, 1, "an unknown member; signed", || {
            indexed(|index| index["zeal"] = json!(1))
        }),
        row("index-version", MISMATCH, 1, "format 2; signed", || indexed(|index| index["format"] = json!(2))),
        row("index-cluster", &["not-trusted"], 3, "another cluster's id; signed", || {
            indexed(|index| index["cluster"]["id"] = json!(CLUSTER.replace('9', "8")))
        }),
        row(
            "index-cluster-name",
            &["index-mismatch", "index-mismatch"],
            1,
            "another cluster's name; signed",
            || indexed(|index| index["cluster"]["name"] = json!("other")),
        ),
        row("index-no-line", MISMATCH, 1, "SHA256SUMS without a line for a bundle; signed", || {
            listed(|text| {
                text.lines()
                    .filter(|line| !line.ends_with("cp2.tar.gz"))
                    .map(|line| format!("{line}\n"))
                    .collect()
            })
        }),
        row("index-more-lines", MISMATCH, 1, "SHA256SUMS with a line for another file; signed", || {
            listed(|text| text + &format!("{}  z.tar.gz\n", forge::sha256(b"")))
        }),
        row("index-sums-crlf", &["sums-malformed"], 1, "SHA256SUMS with lines as on Windows; signed", || {
            listed(|text| text.replace('\n', "\r\n"))
        }),
        row("index-no-signature", &["signature-missing"], 3, "no SHA256SUMS.sig", || {
            changed(|files| drop(files.remove("SHA256SUMS.sig")))
        }),
        row("index-no-index", &["entry-missing"], 1, "no index.json", || {
            changed(|files| drop(files.remove("index.json")))
        }),
        row("index-namespace", &["signature-malformed"], 3, "signed as a bundle", || signed(&BUNDLE)),
        row("index-by-stranger", &["not-trusted"], 3, "signed by a key that the trust file has not", || {
            signed(&Signature { seed: STRANGER, ..INDEX })
        }),
    ]
}
