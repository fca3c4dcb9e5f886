//! The rules: tables, and functions from a source to complaints.

use crate::source::{PathUse, Source, Token, paths};

/// Which modules a module may name. A path such as `derive::public` admits only what lies below it.
/// Data flows one way: spec → plan → derive → render → bundle, and bundle → check and host.
const ARROWS: &[(&str, &[&str])] = &[
    ("finding", &[]),
    ("unseal", &["finding"]),
    ("verify_key", &[]),
    ("private_key", &[]),
    ("rootfs", &["finding"]),
    ("spec", &["finding"]),
    ("plan", &["spec"]),
    // between spec and plan: what was made elsewhere, as facts and as material
    ("imports", &["finding", "spec", "plan", "private_key"]),
    ("derive", &["spec", "plan", "imports", "verify_key", "private_key"]),
    ("render", &["spec::yaml", "plan", "derive::public"]),
    ("bundle", &["finding"]),
    ("check", &["bundle", "finding", "unseal", "verify_key", "private_key", "rootfs"]),
    (
        "host",
        &[
            "bundle",
            "finding",
            "unseal",
            "verify_key",
            "rootfs",
            "check::aftermath",
            "check::certificates",
            "check::contents",
            "check::diff",
            "check::fields",
            "check::journal",
            "check::obstacles",
            "check::record",
            "check::sealed",
        ],
    ),
    // where the stages meet
    ("build", &["plan", "derive", "render", "bundle"]),
    ("cli", EVERYTHING),
    ("lib", EVERYTHING),
    ("main", &["cli", "lib"]),
];

const EVERYTHING: &[&str] = &[
    "finding",
    "unseal",
    "rootfs",
    "spec",
    "plan",
    "imports",
    "derive",
    "render",
    "bundle",
    "build",
    "check",
    "host",
    "cli",
    "lib",
    "verify_key",
    "private_key",
];

/// What modules may not name of the world outside this crate, with everything below it.
const FOREIGN: &[(&[&str], &[&str], &str)] = &[
    (
        &[
            "finding",
            "unseal",
            "verify_key",
            "private_key",
            "rootfs",
            "spec",
            "plan",
            "imports",
            "derive",
            "render",
            "bundle",
            "build",
            "check",
            "host",
            "lib",
        ],
        &[
            "std::env",
            "std::process",
            "std::time::SystemTime",
            "std::time::Instant",
            "std::io::stdin",
            "std::io::stdout",
            "std::io::stderr",
            "anstream",
            "clap",
            "indicatif",
        ],
        "only cli prints, exits, reads the environment, the clock or the terminal",
    ),
    (
        &[
            "finding",
            "unseal",
            "verify_key",
            "private_key",
            "spec",
            "plan",
            "imports",
            "derive",
            "render",
            "bundle",
            "build",
            "check",
            "lib",
        ],
        &[
            "std::fs",
            "std::os::unix::fs",
            "std::thread",
            "getrandom",
            "rand",
            "rand_core",
            "rustix",
            "tempfile",
        ],
        "a stage is a pure function: no file system, randomness or threads of its own",
    ),
    (
        &["plan", "render"],
        &[
            "age",
            "chacha20poly1305",
            "curve25519_dalek",
            "ed25519_dalek",
            "hkdf",
            "hmac",
            "p256",
            "primeorder",
            "rcgen",
            "sha2",
            "ssh_key",
            "x25519_dalek",
        ],
        "plan and render know no cryptography",
    ),
    (&["plan"], &["minijinja", "std::time"], "plan knows no template and no clock"),
    (
        &["spec", "imports", "derive", "bundle", "check", "host"],
        &["minijinja"],
        "only render knows templates",
    ),
    (&["spec", "imports", "bundle", "check", "host"], &["rcgen"], "only derive makes certificates"),
];

/// Modules that may call what clippy.toml refuses; `cli` alone may print.
const MAY_CALL: &[&str] = &["cli", "host", "rootfs"];

/// Non-test calls of `unwrap` and `expect` that are right, as `path: line of code`.
const UNWRAPS: &[&str] = &[];

/// Words of Kubernetes that `bundle` does not know, in code, comments or strings.
const KUBERNETES: [&str; 4] = ["apiserver", "etcd", "kube", "pod"];

/// The longest a source file may be.
const LINES: usize = 500;

/// Everything that is wrong with one file under `src/`.
pub(crate) fn complaints(source: &Source) -> Vec<String> {
    let module = source.module();
    let top = match (source.path.as_str(), module.first()) {
        ("lib.rs", _) | (_, None) => "lib",
        (_, Some(first)) => first.as_str(),
    };
    let named = paths(&source.tokens, &module);
    let mut out = Vec::new();
    out.extend(arrows(top, &named));
    out.extend(foreign(top, &named));
    out.extend(allows(top, &named));
    out.extend(prints(top, &source.tokens));
    out.extend(unwraps(&source.path, &source.tokens));
    if top == "bundle" {
        out.extend(kubernetes(&source.text));
    }
    out.extend(style(&source.path, source.lines, &source.all_tokens));
    out.into_iter().map(|complaint| format!("src/{}{complaint}", source.path)).collect()
}

/// What holds for tests and benches too: names, globs, length.
pub(crate) fn style(path: &str, lines: usize, tokens: &[Token]) -> Vec<String> {
    let mut out: Vec<String> = paths(tokens, &[])
        .into_iter()
        .filter(|path| path.segments.last().is_some_and(|last| last == "*"))
        .map(|path| format!(":{}: glob import {}", path.line, path.segments.join("::")))
        .collect();
    let vague = |name: &str| ["util", "utils", "common", "helper", "helpers", "misc"].contains(&name);
    if path.trim_end_matches(".rs").split('/').any(vague) {
        out.push(": a module named after nothing".to_owned());
    }
    for window in tokens.windows(2) {
        if let [keyword, name] = window
            && keyword.text == "mod"
            && vague(&name.text)
        {
            out.push(format!(":{}: a module named after nothing: {}", name.line, name.text));
        }
    }
    if lines > LINES {
        out.push(format!(": {lines} lines, more than {LINES}"));
    }
    out
}

fn arrows(top: &str, named: &[PathUse]) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(module, _)| *module == top) else {
        return vec![format!(": module `{top}` is not in the table of arrows")];
    };
    named
        .iter()
        .filter_map(|path| Some((path, arrow(top, &path.segments)?)))
        .filter(|(_, target)| !allowed.iter().any(|allowed| is_below(target, allowed)))
        .map(|(path, target)| format!(":{}: `{top}` may not name `{target}`", path.line))
        .collect()
}

/// The path below this crate that a path of another module names; none for its own and foreign ones.
fn arrow(top: &str, segments: &[String]) -> Option<String> {
    let ours =
        segments.first().is_some_and(|first| first == "crate" || (top == "main" && first == "sealift"));
    let target = ours.then(|| segments.get(1)).flatten()?;
    if target == top || target == "*" {
        return None;
    }
    let known = ARROWS.iter().any(|(module, _)| module == target);
    Some(if known { segments.get(1..)?.join("::") } else { format!("lib::{target}") })
        .filter(|target| top != "lib" || !target.starts_with("lib::"))
}

fn is_below(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn foreign(top: &str, named: &[PathUse]) -> Vec<String> {
    let rows = FOREIGN.iter().filter(|(modules, ..)| modules.contains(&top));
    rows.flat_map(|(_, barred, why)| {
        named.iter().filter_map(move |path| {
            let written = path.segments.join("::");
            let hit = barred.iter().any(|barred| is_below(&written, barred));
            hit.then(|| format!(":{}: `{top}` may not name `{written}`: {why}", path.line))
        })
    })
    .collect()
}

fn allows(top: &str, named: &[PathUse]) -> Vec<String> {
    named
        .iter()
        .filter(|path| path.segments.first().is_some_and(|first| first == "clippy"))
        .filter_map(|path| {
            let lint = path.segments.get(1)?;
            let right = match lint.as_str() {
                "disallowed_methods" | "disallowed_types" => MAY_CALL.contains(&top),
                "print_stdout" | "print_stderr" => top == "cli",
                "unwrap_used" | "expect_used" | "panic" | "indexing_slicing" | "wildcard_imports" => false,
                _ => true,
            };
            (!right).then(|| format!(":{}: `{top}` may not allow clippy::{lint} outside tests", path.line))
        })
        .collect()
}

fn prints(top: &str, tokens: &[Token]) -> Vec<String> {
    let macros = ["print", "println", "eprint", "eprintln", "dbg"];
    tokens
        .windows(2)
        .filter_map(|window| match window {
            [name, bang] if bang.text == "!" && macros.contains(&name.text.as_str()) => Some(name),
            _ => None,
        })
        .filter(|_| top != "cli")
        .map(|name| format!(":{}: {}! outside cli", name.line, name.text))
        .collect()
}

fn unwraps(path: &str, tokens: &[Token]) -> Vec<String> {
    tokens
        .windows(3)
        .filter_map(|window| match window {
            [dot, name, open] if dot.text == "." && open.text == "(" => Some(name),
            _ => None,
        })
        .filter(|name| ["unwrap", "expect", "unwrap_err", "expect_err"].contains(&name.text.as_str()))
        .filter(|name| {
            let code: Vec<&str> = tokens
                .iter()
                .filter(|token| token.line == name.line)
                .map(|token| token.text.as_str())
                .collect();
            !UNWRAPS.contains(&format!("{path}: {}", code.concat()).as_str())
        })
        .map(|name| format!(":{}: .{}() outside tests", name.line, name.text))
        .collect()
}

fn kubernetes(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // The sentence that states the rule may name what it is about.
        let line = line.to_lowercase().replace("nothing of kubernetes", "");
        for word in KUBERNETES.iter().filter(|word| line.contains(**word)) {
            out.push(format!(":{}: `bundle` knows a Kubernetes word: {word}", number + 1));
        }
    }
    out
}
