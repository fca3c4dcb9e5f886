//! SHA256SUMS and its signature.

use super::super::base::{form, listed, of, owned, signed_as};
use super::super::forge::{self, BUNDLE, Entry, INDEX, STRANGER, Signature, armor};
use super::{Case, Made, made, row};

fn listing(change: impl FnOnce(String) -> String) -> Made {
    made(listed(change))
}

fn by(signature: &Signature) -> Made {
    made(signed_as(|sums| signature.of(sums.as_bytes())))
}

/// The right signature in another text.
fn armored(change: impl FnOnce(String) -> String) -> Made {
    made(signed_as(|sums| change(BUNDLE.of(sums.as_bytes()))))
}

fn line(name: &str) -> String {
    format!("{}  {name}\n", forge::sha256(b""))
}

pub(super) fn cases() -> Vec<Case> {
    const SUMS: &[&str] = &["sums-malformed"];
    const MALFORMED: &[&str] = &["signature-malformed"];
    const WRONG: &[&str] = &["signature-wrong"];
    const STRANGE: &[&str] = &["not-trusted"];
    vec![
        row("sums-missing-line", &["entry-extra"], 1, "no line for a file; signed", || {
            listing(|text| text.lines().take(2).map(|line| format!("{line}\n")).collect())
        }),
        row("sums-extra-line", &["entry-missing"], 1, "a line for a file that is not there; signed", || {
            listing(|text| text + &line("files/z"))
        }),
        row("sums-order", SUMS, 1, "lines in another order; signed", || {
            listing(|text| text.split_inclusive('\n').rev().collect())
        }),
        row("sums-twice", SUMS, 1, "a line twice; signed", || {
            listing(|text| text.clone() + text.lines().last().unwrap() + "\n")
        }),
        row("sums-binary", SUMS, 1, "a star before names, as sha256sum -b writes; signed", || {
            listing(|text| text.replace("  ", " *"))
        }),
        row("sums-upper-case", SUMS, 1, "digits in upper case; signed", || {
            listing(|text| {
                text.split_inclusive('\n').map(|line| line[..64].to_uppercase() + &line[64..]).collect()
            })
        }),
        row("sums-crlf", SUMS, 1, "lines end as on Windows; signed", || {
            listing(|text| text.replace('\n', "\r\n"))
        }),
        row("sums-no-end", SUMS, 1, "the last line has no end; signed", || {
            listing(|text| text.trim_end().into())
        }),
        row("sums-empty", SUMS, 1, "nothing in it; signed", || listing(|_| String::new())),
        row("sums-self", SUMS, 1, "a line for itself; signed", || listing(|text| line("SHA256SUMS") + &text)),
        row("sums-climbs", SUMS, 1, "a line for a path with ..; signed", || {
            listing(|text| text + &line("../z"))
        }),
        row("digest-wrong", &["digest-mismatch"], 1, "a changed file", || {
            made(form(|all| of(all, "files/etc/app/motd").contents = b"hullo\n".into()))
        }),
        row("digest-manifest", &["digest-mismatch"], 1, "another manifest, as valid", || {
            made(form(|all| {
                let entry = of(all, "manifest.json");
                let text = String::from_utf8(entry.contents.clone()).unwrap();
                entry.contents = text.replace("\"name\":\"cp1\"", "\"name\":\"cp2\"").into_bytes();
            }))
        }),
        row("signature-missing", &["signature-missing"], 3, "no SHA256SUMS.sig", || {
            made(form(|all| drop(all.remove(1))))
        }),
        row("signature-of-other-bytes", WRONG, 3, "the signature of other bytes", || {
            made(signed_as(|_| BUNDLE.of(b"other")))
        }),
        row("signature-and-sums", WRONG, 3, "a changed file, and its line in SHA256SUMS", || {
            made(form(|all| {
                of(all, "files/etc/app/motd").contents = b"hullo\n".into();
                let sums = of(all, "SHA256SUMS");
                let text = String::from_utf8(sums.contents.clone()).unwrap();
                sums.contents = text.replace(&forge::sha256(b"hello\n"), &forge::sha256(b"hullo\n")).into();
            }))
        }),
        row("signature-by-stranger", STRANGE, 3, "signed by a key that the trust file has not", || {
            by(&Signature { seed: STRANGER, ..BUNDLE })
        }),
        row("signature-namespace", MALFORMED, 3, "signed as an index", || by(&INDEX)),
        row("signature-namespace-git", MALFORMED, 3, "signed as a commit of git", || {
            by(&Signature { namespace: "git", ..BUNDLE })
        }),
        row("signature-hash", MALFORMED, 3, "signed over SHA-256 in place of SHA-512", || {
            by(&Signature { hash: "sha256", ..BUNDLE })
        }),
        row("signature-reserved", MALFORMED, 3, "bytes in the reserved field", || {
            by(&Signature { reserved: b"x", ..BUNDLE })
        }),
        row("signature-version", MALFORMED, 3, "version 2 of SSHSIG", || {
            by(&Signature { version: 2, ..BUNDLE })
        }),
        row("signature-empty", MALFORMED, 3, "an empty signature file", || armored(|_| String::new())),
        row("signature-trailing-blob", MALFORMED, 3, "bytes behind the signature, in its armor", || {
            made(signed_as(|sums| armor(&[BUNDLE.blob(sums.as_bytes()), vec![0]].concat(), 70)))
        }),
        row("signature-trailing-text", MALFORMED, 3, "text behind the armor", || armored(|text| text + "\n")),
        row("signature-leading-text", MALFORMED, 3, "text before the armor", || {
            armored(|text| "\n".to_owned() + &text)
        }),
        row("signature-long-lines", MALFORMED, 3, "armor in lines of 76", || {
            by(&Signature { line: 76, ..BUNDLE })
        }),
        row("signature-crlf", MALFORMED, 3, "armor with lines as on Windows", || {
            armored(|text| text.replace('\n', "\r\n"))
        }),
        Case {
            arguments: "--trust trust.ended",
            ..row(
                "trust-ended",
                &["signing-key-expired"],
                3,
                "nothing: the key was to be trusted until yesterday",
                || made(form(|_| {})),
            )
        },
        Case {
            arguments: "--trust trust.index",
            ..row("trust-namespace", STRANGE, 3, "nothing: the key may sign indexes only", || {
                made(form(|_| {}))
            })
        },
        row("signed-unlisted", &["manifest-inconsistent"], 1, "a file outside of files/; signed", || {
            made(owned(|all| all.push(Entry::new("other", 0o644, b"x"))))
        }),
    ]
}
