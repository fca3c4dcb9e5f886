//! What a client does with a kubeconfig: the cluster and the user of its current context.

use super::{Entry, KubeconfigError, Reference, entries};
use crate::check::yaml::Node;

/// What may stand in a cluster and in a user beside what it is asked for. Whatever else is there would
/// make the answers worthless: `insecure-skip-tls-verify`, `proxy-url`, `token`, `exec`.
const CLUSTER: &[&str] =
    &["certificate-authority", "certificate-authority-data", "disable-compression", "extensions", "server"];
const USER: &[&str] =
    &["client-certificate", "client-certificate-data", "client-key", "client-key-data", "extensions"];

/// The part of a kubeconfig that counts, as client-go's clientcmd finds it.
pub(in crate::check) struct Current<'a> {
    cluster: Entry<'a>,
    user: Entry<'a>,
}

impl<'a> Current<'a> {
    /// Finds cluster and user of the current context, or says what is wrong.
    pub(in crate::check) fn of(document: &'a Node) -> Result<Self, KubeconfigError> {
        let kind = (Node::text(document.get("apiVersion")), Node::text(document.get("kind")));
        if kind != (Some("v1"), Some("Config")) {
            return Err(KubeconfigError::OtherKind);
        }
        let current = Node::text(document.get("current-context")).filter(|name| !name.is_empty());
        let current = current.ok_or(KubeconfigError::NoContext)?;
        let context = entry(document, "contexts", current, "context")?;
        Ok(Self {
            cluster: entry(document, "clusters", context.text("cluster")?, "cluster")?,
            user: entry(document, "users", context.text("user")?, "user")?,
        })
    }

    /// Members that undo what the others promise.
    pub(in crate::check) fn excess(&self) -> Vec<&'a str> {
        let of = |entry: &Entry<'a>, known: &'static [&str]| {
            let Some(Node::Mapping(members)) = entry.body else { return Vec::new() };
            let said = members.iter().filter(|(name, value)| {
                !known.contains(&name.as_str()) && !matches!(Node::text(Some(value)), Some("" | "false"))
            });
            said.map(|(name, _)| name.as_str()).collect()
        };
        [of(&self.cluster, CLUSTER), of(&self.user, USER)].concat()
    }

    /// The API server's URL; empty when there is none.
    pub(in crate::check) fn server(&self) -> Result<&'a str, KubeconfigError> {
        self.cluster.server()
    }

    /// The CA that the server's certificate must come from.
    pub(in crate::check) fn authority(&self) -> Result<Option<Reference>, KubeconfigError> {
        self.cluster.authority()
    }

    /// The client's certificate.
    pub(in crate::check) fn certificate(&self) -> Result<Option<Reference>, KubeconfigError> {
        self.user.certificate()
    }
}

/// The one entry of that name in a list of named things.
fn entry<'a>(
    document: &'a Node,
    list: &'static str,
    name: &str,
    inner: &str,
) -> Result<Entry<'a>, KubeconfigError> {
    let mut of_name = entries(document, list, inner)?.into_iter().filter(|entry| entry.name == name);
    match (of_name.next(), of_name.next()) {
        (_, Some(_)) => Err(KubeconfigError::Twice { list }),
        (Some(entry), None) if entry.body.is_some() => Ok(entry),
        _ => Err(KubeconfigError::NoEntry { list }),
    }
}
