//! The fields of a kubeconfig: whom it talks to, whom it believes, and who it is.
//!
//! Read as client-go's clientcmd does: `current-context` names a cluster and a user; embedded data
//! wins over a file that is named beside it.

use super::yaml::Node;
use super::{Named, Value};
use crate::bundle::sums::sha256_hex;
use crate::check::certificates;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The field names.
pub(super) const NAMES: [&str; 3] = ["certificateAuthority", "server", "subject"];

/// What the first line of every PEM private key has.
const SECRET: &[u8] = b"PRIVATE KEY";

/// What may stand in a cluster and in a user beside what the fields are read from. Whatever else is
/// there would make them worthless: `insecure-skip-tls-verify`, `proxy-url`, `token`, `exec`.
const CLUSTER: &[&str] =
    &["certificate-authority", "certificate-authority-data", "disable-compression", "extensions", "server"];
const USER: &[&str] =
    &["client-certificate", "client-certificate-data", "client-key", "client-key-data", "extensions"];

/// The part of a kubeconfig that counts.
pub(super) struct Kubeconfig<'a> {
    cluster: &'a Node,
    user: &'a Node,
}

impl<'a> Kubeconfig<'a> {
    /// Finds cluster and user of the current context, or says what is wrong.
    pub(super) fn new(document: &'a Node) -> Result<Self, String> {
        let kind = (Node::text(document.get("apiVersion")), Node::text(document.get("kind")));
        if kind != (Some("v1"), Some("Config")) {
            return Err("another kind of file".to_owned());
        }
        let current = Node::text(document.get("current-context")).filter(|name| !name.is_empty());
        let current = current.ok_or("no current-context")?;
        let context = entry(document, "contexts", current, "context")?;
        let name = |member| Node::text(context.get(member)).unwrap_or_default();
        Ok(Self {
            cluster: entry(document, "clusters", name("cluster"), "cluster")?,
            user: entry(document, "users", name("user"), "user")?,
        })
    }

    /// Members that undo what the fields promise.
    pub(super) fn excess(&self) -> Vec<&'a str> {
        let of = |node: &'a Node, known: &'static [&str]| {
            let Node::Map(entries) = node else { return Vec::new() };
            let said = entries.iter().filter(|(name, value)| {
                !known.contains(&name.as_str()) && !matches!(Node::text(Some(value)), Some("" | "false"))
            });
            said.map(|(name, _)| name.as_str()).collect()
        };
        [of(self.cluster, CLUSTER), of(self.user, USER)].concat()
    }

    /// The value of a field.
    pub(super) fn value(&self, name: &str, named: Named<'_>) -> Value {
        match name {
            "server" => Node::text(self.cluster.get("server"))
                .map(|server| Some(server.to_owned()))
                .ok_or_else(|| "a value that is no text".to_owned()),
            "certificateAuthority" => {
                let pem = material(self.cluster, "certificate-authority", false, named)?;
                pem.map(|pem| digest(&pem)).transpose()
            }
            "subject" => match material(self.user, "client-certificate", true, named)? {
                None => Ok(None),
                Some(pem) if pem.is_empty() => Ok(Some(String::new())),
                Some(pem) => certificates::subject(&pem)
                    .map(Some)
                    .ok_or_else(|| "no certificate with a plain subject".to_owned()),
            },
            _ => Err("no such field".to_owned()),
        }
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

/// The one entry of that name in a list of named things.
fn entry<'a>(document: &'a Node, list: &str, name: &str, member: &str) -> Result<&'a Node, String> {
    let items = Node::items(document.get(list)).iter();
    let mut of_name = items.filter(|item| Node::text(item.get("name")) == Some(name));
    match (of_name.next().and_then(|item| item.get(member)), of_name.next()) {
        (Some(node @ Node::Map(_)), None) => Ok(node),
        (_, Some(_)) => Err(format!("two of the same name in {list}")),
        _ => Err(format!("a current-context without an entry in {list}")),
    }
}

/// The PEM text that `MEMBER-data` embeds, else that of the file that `MEMBER` names; empty when
/// there is neither, none when the file cannot be known here.
fn material(
    node: &Node,
    member: &str,
    link: bool,
    named: Named<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
    let text = |name: &str| Node::text(node.get(name)).ok_or_else(|| format!("{name} that is no text"));
    let data = text(&format!("{member}-data"))?;
    if !data.is_empty() {
        // Go's decoder passes over line ends, and nothing else
        let data: Zeroizing<String> = Zeroizing::new(data.replace(['\n', '\r'], ""));
        let pem =
            STANDARD.decode(data.as_bytes()).map_err(|_| format!("{member}-data that is not base64"))?;
        return Ok(Some(Zeroizing::new(pem)));
    }
    match text(member)? {
        "" => Ok(Some(Zeroizing::new(Vec::new()))),
        path => named(path, link),
    }
}
