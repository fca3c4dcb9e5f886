//! What stays checked of a file that a component may rewrite, or that another program writes: the fields
//! that its manifest names.

mod flags;
#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;

use crate::bundle::manifest::{Fields, File, Policy};
use crate::bundle::open::{REBUILD, Verified};
use crate::bundle::paths::is_host_path;
use crate::bundle::sums::sha256_hex;
use crate::check::certificates;
use crate::check::kubeconfig::{Current, KubeconfigError, Reference};
use crate::check::yaml::{self, Node};
use crate::finding::{Finding, Id, is_plain};
use crate::rootfs::{Kind, Root, WalkError, split};
use zeroize::Zeroizing;

/// The longest value that is shown, in characters.
const SHOWN: usize = 200;

/// The fields of a kubeconfig: whom it believes, whom it talks to, and who it is.
const KUBECONFIG: [&str; 3] = ["certificateAuthority", "server", "subject"];

/// What the first line of every PEM private key has.
const SECRET: &[u8] = b"PRIVATE KEY";

/// How fields are read out of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `server`, `certificateAuthority` and `subject` of a kubeconfig's current context.
    Kubeconfig,
    /// Members of a `KubeletConfiguration`, by their path: names joined by dots.
    KubeletConfiguration,
    /// Flags in a file of variables of the kubelet's unit, by their names without dashes.
    KubeletFlags,
}

/// A field's value; empty when the field is absent or empty, none when it cannot be known here; or
/// what stands in its place.
type Value = Result<Option<String>, String>;

/// Reads a file that the checked file names: its path, and whether one link beside it may be
/// followed. None when it cannot be known; or what stands in its place.
pub type Named<'a> = &'a dyn Fn(&str, bool) -> Result<Option<Zeroizing<Vec<u8>>>, String>;

/// One field that is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field and its value as the manifest has it.
    pub expected: String,
    /// The field and what the file has, safe to print.
    pub found: String,
}

/// Why this sealift cannot check fields: another one wrote the manifest.
pub fn unknown(fields: &Fields) -> Option<String> {
    let Some(format) = format(fields) else { return Some(shown(&format!("format {}", fields.format))) };
    let unknown = fields.values.keys().find(|name| !is_field(format, name));
    unknown.map(|name| shown(&format!("field {name} of format {}", fields.format)))
}

fn format(fields: &Fields) -> Option<Format> {
    match fields.format.as_str() {
        "kubeconfig" => Some(Format::Kubeconfig),
        "kubelet-configuration" => Some(Format::KubeletConfiguration),
        "kubelet-flags" => Some(Format::KubeletFlags),
        _ => None,
    }
}

fn is_field(format: Format, name: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match format {
        Format::Kubeconfig => KUBECONFIG.contains(&name),
        Format::KubeletConfiguration => name.split('.').all(is_name),
        Format::KubeletFlags => name.split('-').all(is_name),
    }
}

/// Every field of a file that does not hold; none when all do.
pub fn differences(fields: &Fields, contents: &[u8], named: Named<'_>) -> Vec<Difference> {
    let whole = |expected: &str, found: String| vec![Difference { expected: expected.to_owned(), found }];
    let Some(format) = format(fields) else {
        return whole("a format that this sealift reads", fields.format.clone());
    };
    let what = match format {
        Format::Kubeconfig => "a kubeconfig",
        Format::KubeletConfiguration => "a KubeletConfiguration",
        Format::KubeletFlags => return of_flags(fields, contents),
    };
    let document = match yaml::read(contents) {
        Ok(Some(document)) => document,
        Ok(None) => return whole(what, "nothing".to_owned()),
        Err(error) => return whole(what, error.to_string()),
    };
    match format {
        Format::Kubeconfig => match Current::of(&document) {
            Err(error) => whole(what, error.to_string()),
            Ok(current) => {
                let mut found = compare(fields, &|name| of_kubeconfig(&current, name, named));
                found.extend(current.excess().into_iter().map(excess));
                found
            }
        },
        Format::KubeletConfiguration => {
            if Node::text(document.get("kind")) != Some("KubeletConfiguration") {
                return whole(what, "another kind of file".to_owned());
            }
            compare(fields, &|name| member(&document, name))
        }
        // read above: it is no YAML
        Format::KubeletFlags => Vec::new(),
    }
}

fn of_flags(fields: &Fields, contents: &[u8]) -> Vec<Difference> {
    let (flags, others) = flags::of_environment(contents);
    let mut found = compare(fields, &|name| flags.get(name));
    found.extend(others.iter().map(|name| excess(name)));
    found
}

/// What is there beside the fields, and undoes them.
fn excess(name: &str) -> Difference {
    Difference { expected: format!("no {}", shown(name)), found: shown(name) }
}

/// A file of more bytes than are read into memory.
pub fn too_large() -> Vec<Difference> {
    vec![Difference { expected: "at most 16 MiB".to_owned(), found: "more".to_owned() }]
}

fn compare(fields: &Fields, value: &dyn Fn(&str) -> Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, expected) in &fields.values {
        let is = match value(name) {
            Ok(None) => continue,
            Ok(Some(value)) if value == *expected => continue,
            Ok(Some(value)) => say(&value),
            Err(problem) => shown(&problem),
        };
        found.push(Difference {
            expected: format!("{name}: {}", say(expected)),
            found: format!("{name}: {is}"),
        });
    }
    found
}

fn say(value: &str) -> String {
    if value.is_empty() { "absent".to_owned() } else { shown(value) }
}

/// A text that anybody may have written, safe for a terminal.
fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().take(SHOWN).map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// A field of a kubeconfig.
fn of_kubeconfig(current: &Current<'_>, name: &str, named: Named<'_>) -> Value {
    let said = |error: KubeconfigError| error.to_string();
    match name {
        "server" => current.server().map(|server| Some(server.to_owned())).map_err(said),
        "certificateAuthority" => {
            let pem = material(current.authority().map_err(said)?, false, named)?;
            pem.map(|pem| digest(&pem)).transpose()
        }
        "subject" => match material(current.certificate().map_err(said)?, true, named)? {
            None => Ok(None),
            Some(pem) if pem.is_empty() => Ok(Some(String::new())),
            Some(pem) => certificates::subject(&pem)
                .map(Some)
                .ok_or_else(|| "no certificate with a plain subject".to_owned()),
        },
        _ => Err("no such field".to_owned()),
    }
}

/// A PEM text; empty when there is none, none when the file cannot be known here.
fn material(
    reference: Option<Reference>,
    link: bool,
    named: Named<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    match reference {
        None => Ok(Some(Zeroizing::new(Vec::new()))),
        Some(Reference::Data(pem)) => Ok(Some(pem)),
        Some(Reference::File(path)) => named(&path, link),
    }
}

/// Of certificates only: whoever writes the file may name a secret in their place, whose digest
/// must not be printed.
fn digest(pem: &[u8]) -> Result<String, String> {
    if pem.is_empty() {
        return Ok(String::new());
    }
    let secret = pem.windows(SECRET.len()).any(|window| window == SECRET);
    if secret || !certificates::carries_certificates(pem) {
        return Err("something else than certificates".to_owned());
    }
    Ok(format!("sha256:{}", sha256_hex(pem)))
}

/// A scalar by its path of member names.
fn member(document: &Node, path: &str) -> Value {
    let mut node = document;
    for name in path.split('.') {
        match node {
            Node::Mapping(_) => {}
            _ => return Err("a value that is no mapping on the way".to_owned()),
        }
        match node.get(name) {
            None | Some(Node::Null) => return Ok(Some(String::new())),
            Some(inner) => node = inner,
        }
    }
    let text = Node::text(Some(node)).ok_or_else(|| "a list or mapping".to_owned());
    text.map(|text| Some(text.to_owned()))
}

/// A named file of a host. Links are not followed but one: the kubelet gives the certificate that it
/// uses a fixed name, a link to a file in the same directory, by its plain name or its absolute path.
pub fn on_host(root: &Root, path: &str, link: bool) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    if !is_host_path(path) {
        return Err("a file whose path is not plain and absolute".to_owned());
    }
    let read = |path: &str| root.file(path).and_then(crate::rootfs::OpenFile::contents);
    let contents = match read(path) {
        Err(WalkError::NotAFile { kind: Kind::Symlink, .. }) if link => {
            beside(root, path).and_then(|target| read(&target))
        }
        other => other,
    };
    contents.map(Some).map_err(|error| error.to_string())
}

/// The file that a link names, if it lies in the link's own directory.
fn beside(root: &Root, path: &str) -> Result<String, WalkError> {
    let (above, name) = split(path)?;
    let directory = root.directory(above)?;
    let target = directory.link_target(name)?;
    let name = target.strip_prefix(above).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&target);
    if !is_host_path(&format!("/{name}")) || name.contains('/') {
        return Err(WalkError::Symlink { at: path.to_owned() });
    }
    Ok(directory.at(name))
}

/// A bundle's file whose fields this sealift cannot check.
pub fn unknown_in_bundle(bundle: &Verified, file: &File) -> Option<Finding> {
    let unknown = unknown(file.fields.as_ref()?)?;
    let mend = "use the sealift that built this bundle, or a newer one";
    let finding = Finding::new(Id::ManifestMalformed, bundle.place(&file.path), mend);
    Some(finding.expected("fields that this sealift checks").found(unknown))
}

/// A file as its bundle holds it, against the manifest's own fields.
///
/// What it names outside of the bundle cannot be known, nor what is sealed.
pub fn in_bundle(bundle: &Verified, file: &File, plaintext: &[u8]) -> Vec<Finding> {
    let Some(fields) = file.fields.as_ref().filter(|_| file.policy == Policy::Initial) else {
        return Vec::new();
    };
    if let Some(finding) = unknown_in_bundle(bundle, file) {
        return vec![finding];
    }
    let path = bundle.place(&file.path);
    let named = |path: &str, _| {
        let public = bundle.file(path).filter(|file| !file.sealed).and_then(|_| bundle.contents(path));
        Ok(public.map(|bytes| Zeroizing::new(bytes.to_vec())))
    };
    let finding = |it: Difference| {
        Finding::new(Id::ManifestInconsistent, path.as_str(), REBUILD).expected(it.expected).found(it.found)
    };
    differences(fields, plaintext, &named).into_iter().map(finding).collect()
}

/// Every initial file of a bundle that is not sealed against its own fields, and that this sealift
/// knows the fields of all, of foreign ones too.
pub fn of_bundle(bundle: &Verified) -> Vec<Finding> {
    let files = bundle.manifest().files.iter();
    let check = |file: &File| {
        if file.sealed || file.policy == Policy::Foreign {
            return unknown_in_bundle(bundle, file).into_iter().collect();
        }
        in_bundle(bundle, file, bundle.contents(&file.path).unwrap_or_default())
    };
    files.filter(|file| file.fields.is_some()).flat_map(check).collect()
}

/// The fields of a host's file that do not hold, as findings: of one that a component rewrites, or of one
/// that is another program's.
pub fn findings(id: Id, path: &str, differences: Vec<Difference>, mend: &str) -> Vec<Finding> {
    let finding = |it: Difference| Finding::new(id, path, mend).expected(it.expected).found(it.found);
    differences.into_iter().map(finding).collect()
}
