//! What a holder of the key signed and should not have: certificates, keys, secrets, texts.

use super::super::base::{
    ADMIN, APISERVER, CA, CLIENT, GATE, HOST, KEY, KUBELET, OTHER_AUTHORITY, PATCH, POD, SERVER_KEY,
    apiserver, authority, certified, client, filed, full, kubeconfig, kubelet, moved_pods, resealed, sealed,
    small, with, with_text,
};
use super::super::der::{Certificate, private};
use super::super::forge::{self, BUNDLE, File, canonical};
use super::{Case, Made, OPENED, made, row};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde_json::json;

fn server(change: impl FnOnce(&mut Certificate)) -> Made {
    let mut certificate = apiserver();
    change(&mut certificate);
    made(certified(APISERVER, &certificate))
}

fn opened(case: Case) -> Case {
    Case { arguments: OPENED, ..case }
}

/// Another plaintext in a sealed file, whose digests fit.
fn secret(path: &'static str, plaintext: &str) -> Made {
    let mut file = sealed(path, plaintext);
    if path == KEY {
        file.more = json!({"certificate": APISERVER});
    }
    made(with(file))
}

/// A file that is sealed with a passphrase: the header of one, with a wrong MAC that nobody gets to see.
fn scrypt() -> Vec<u8> {
    let text = |length| BASE64_STANDARD_NO_PAD.encode(vec![7; length]);
    let header =
        format!("age-encryption.org/v1\n-> scrypt {} 10\n{}\n--- {}\n", text(16), text(32), text(32));
    [header.as_bytes(), &[0; 32]].concat()
}

/// The end of the header, before the MAC.
fn mac(held: &[u8]) -> usize {
    held.windows(5).position(|window| window == b"\n--- ").unwrap() + 5
}

fn other_authority() -> Certificate {
    Certificate::authority(OTHER_AUTHORITY, "kubernetes")
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = certificates();
    all.extend(secrets());
    all.extend(texts());
    all
}

fn certificates() -> Vec<Case> {
    const PURPOSE: &[&str] = &["certificate-purpose"];
    const NAMES: &[&str] = &["certificate-names"];
    const CHAIN: &[&str] = &["certificate-chain"];
    vec![
        row("certificate-expired", &["certificate-expired"], 6, "a certificate that ended yesterday", || {
            server(|it| it.not_after = "261130000000Z")
        }),
        row(
            "certificate-not-yet-valid",
            &["certificate-not-yet-valid"],
            6,
            "a certificate of tomorrow",
            || server(|it| it.not_before = "261202000000Z"),
        ),
        row(
            "certificate-damaged",
            &["certificate-malformed"],
            1,
            "a certificate with a byte too few",
            || made(with_text(APISERVER, apiserver().pem().replacen("MII", "MI", 1))),
        ),
        row("certificate-chain", CHAIN, 1, "a certificate of another authority of the same name", || {
            server(|it| it.signer = OTHER_AUTHORITY)
        }),
        row("certificate-issuer", CHAIN, 1, "a certificate that names another issuer", || {
            server(|it| it.issuer = "somebody")
        }),
        row("certificate-self-signed", CHAIN, 1, "a certificate that signed itself", || {
            server(|it| (it.signer, it.issuer) = (it.key, it.subject))
        }),
        row("certificate-of-a-leaf", CHAIN, 1, "a certificate that another leaf issued", || {
            let mut leaf = apiserver();
            (leaf.signer, leaf.issuer) = (31, client().subject);
            made(with_text(APISERVER, leaf.pem() + &client().pem()))
        }),
        row("certificate-host-name", NAMES, 1, "a certificate without the host's name", || {
            server(|it| it.dns = vec!["cp2", "kubernetes"])
        }),
        row("certificate-announced", NAMES, 1, "a certificate without the address that is announced", || {
            server(|it| it.addresses = vec!["10.96.0.1", "10.0.0.12"])
        }),
        row(
            "certificate-address",
            NAMES,
            1,
            "a kubelet's certificate without the host's second address",
            || {
                let mut leaf = kubelet();
                leaf.addresses.pop();
                made(certified(KUBELET, &leaf))
            },
        ),
        row("certificate-no-names", NAMES, 1, "a name in the subject only", || {
            let mut leaf = kubelet();
            leaf.subject = HOST;
            (leaf.dns, leaf.addresses) = (Vec::new(), Vec::new());
            made(certified(KUBELET, &leaf))
        }),
        row("certificate-client-serves", PURPOSE, 1, "a server's certificate that is for clients", || {
            server(|it| (it.server, it.client) = (false, true))
        }),
        row("certificate-server-asks", PURPOSE, 1, "a client's certificate that is for servers", || {
            made(certified(CLIENT, &Certificate { server: true, client: false, ..client() }))
        }),
        row("certificate-no-purpose", PURPOSE, 1, "a certificate without extended key usage", || {
            server(|it| it.server = false)
        }),
        row("certificate-authority-serves", PURPOSE, 1, "an authority where a server's belongs", || {
            server(|it| it.authority = true)
        }),
        row("certificate-ca-is-none", PURPOSE, 1, "a leaf beside the authority in ca.crt", || {
            made(with_text(
                CA,
                authority().pem() + &Certificate { authority: false, ..other_authority() }.pem(),
            ))
        }),
        row("bundle-expired", &["bundle-expired"], 6, "a validity that ended yesterday", || {
            let files = small();
            let mut manifest = forge::manifest(HOST, &files);
            manifest["validUntil"] = json!("2026-11-30T00:00:00Z");
            made(forge::bundle(&canonical(&manifest), &files, &BUNDLE))
        }),
    ]
}

fn secrets() -> Vec<Case> {
    const BROKEN: &[&str] = &["seal-broken"];
    vec![
        opened(row(
            "key-of-another",
            &["key-cert-mismatch"],
            1,
            "the key of another certificate, sealed",
            || secret(KEY, &private(SERVER_KEY + 1)),
        )),
        opened(row("key-damaged", &["key-malformed"], 1, "no private key, sealed", || {
            secret(KEY, "no key\n")
        })),
        opened(row("sealed-other-digest", &["digest-mismatch"], 1, "a keyed digest of another text", || {
            let other = sealed(ADMIN, "other").hmac;
            made(with(File { hmac: other, ..sealed(ADMIN, &kubeconfig(&authority())) }))
        })),
        opened(row("sealed-elsewhere", &["digest-mismatch"], 1, "a keyed digest for another path", || {
            let text = kubeconfig(&authority());
            let other = sealed("/etc/kubernetes/other.conf", &text).hmac;
            made(with(File { hmac: other, ..sealed(ADMIN, &text) }))
        })),
        opened(row(
            "sealed-to-another",
            &["not-sealed-to-identity"],
            4,
            "a file for another recipient",
            || {
                made(resealed(ADMIN, |held| {
                    // another tag would be another recipient too: X25519 stanzas have none, so another share
                    let at = held.windows(10).position(|window| window == b"-> X25519 ").unwrap() + 12;
                    held[at] = if held[at] == b'A' { b'B' } else { b'A' };
                }))
            },
        )),
        opened(row(
            "sealed-scrypt",
            &["not-sealed-to-identity"],
            4,
            "a file sealed with a passphrase",
            || made(resealed(ADMIN, |held| *held = scrypt())),
        )),
        opened(row("sealed-truncated", BROKEN, 1, "a sealed file without its last byte", || {
            made(resealed(ADMIN, |held| held.truncate(held.len() - 1)))
        })),
        opened(row("sealed-trailing", BROKEN, 1, "a byte behind a sealed file", || {
            made(resealed(ADMIN, |held| held.push(0)))
        })),
        opened(row("sealed-mac", BROKEN, 1, "a sealed file with another MAC", || {
            made(resealed(ADMIN, |held| {
                let at = mac(held);
                held[at] = if held[at] == b'A' { b'B' } else { b'A' };
            }))
        })),
        opened(row("sealed-payload", BROKEN, 1, "a flipped bit in a sealed file's payload", || {
            made(resealed(ADMIN, |held| {
                let at = held.len() - 20;
                held[at] ^= 1;
            }))
        })),
        opened(row("sealed-not-age", BROKEN, 1, "a sealed file that is none", || {
            made(resealed(ADMIN, |held| *held = b"secret\n".into()))
        })),
        opened(row(
            "sealed-no-verify-key",
            &["manifest-inconsistent"],
            1,
            "no verify key for sealed files",
            || {
                let files: Vec<File> =
                    full().into_iter().filter(|file| !file.path.contains("verify")).collect();
                made(filed(&files))
            },
        )),
        opened(row(
            "kubeconfig-authority",
            &["kubeconfig-authority"],
            1,
            "a kubeconfig of another authority",
            || secret(ADMIN, &kubeconfig(&other_authority())),
        )),
        opened(row(
            "kubeconfig-damaged",
            &["kubeconfig-malformed"],
            1,
            "a kubeconfig with a list for a name",
            || secret(ADMIN, &kubeconfig(&authority()).replace("- name: hostile\n", "- name: [hostile]\n")),
        )),
        row(
            "kubeconfig-fields",
            &["kubeconfig-authority"],
            1,
            "a kubelet's kubeconfig, sealed, of another authority",
            || {
                let mut file = sealed("/etc/kubernetes/kubelet.conf", "kind: Config\n");
                let digest = format!("sha256:{}", forge::sha256(other_authority().pem().as_bytes()));
                let fields = json!({"format": "kubeconfig", "values": {"certificateAuthority": digest}});
                file.more = json!({"policy": "initial", "fields": fields});
                let mut files = full();
                files.push(file);
                files.sort_by_key(|file| file.path);
                made(filed(&files))
            },
        ),
    ]
}

fn texts() -> Vec<Case> {
    const YAML: &[&str] = &["yaml-malformed"];
    const UNIT: &[&str] = &["unit-malformed"];
    vec![
        row(
            "fields-differ",
            &["manifest-inconsistent"],
            1,
            "a kubelet's configuration with static pods elsewhere",
            || made(with(moved_pods())),
        ),
        row("fields-unknown", &["manifest-malformed"], 1, "a format of fields that nobody knows", || {
            let mut file = moved_pods();
            file.more["fields"]["format"] = json!("toml");
            made(with(file))
        }),
        row("yaml-open", YAML, 1, "a static pod with a bracket that is not closed", || {
            made(with_text(POD, "kind: [Pod\n"))
        }),
        row("yaml-duplicate", YAML, 1, "a static pod with a key twice", || {
            made(with_text(POD, "kind: Pod\nspec: {}\nspec: {hostNetwork: true}\n"))
        }),
        row("yaml-tag", YAML, 1, "a static pod with a tag", || made(with_text(POD, "kind: !!binary UG9k\n"))),
        row("yaml-not-utf-8", YAML, 1, "a static pod in another encoding", || {
            made(with_text(POD, b"kind: P\xf6d\n"))
        }),
        row("json-open", YAML, 1, "a patch with a brace that is not closed", || made(with_text(PATCH, "{"))),
        row("unit-no-section", UNIT, 1, "a drop-in without a section", || {
            made(with_text(GATE, "ExecStartPre=/bin/true\n"))
        }),
        row("unit-no-value", UNIT, 1, "a drop-in with a line that systemd passes over", || {
            made(with_text(GATE, "[Service]\nExecStartPre: /bin/true\n"))
        }),
        row("unit-control", UNIT, 1, "a drop-in with an escape sequence", || {
            made(with_text(GATE, "[Service]\nExecStartPre=/bin/true \u{1b}[2J\n"))
        }),
        row("unit-open-line", UNIT, 1, "a drop-in that ends within a line", || {
            made(with_text(GATE, "[Service]\nExecStartPre=/bin/true \\"))
        }),
    ]
}
