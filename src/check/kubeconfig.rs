//! What a kubeconfig says that is public: its clusters and their CAs, its users and their
//! certificates (`k8s.io/client-go/tools/clientcmd/api/v1`). YAML, and with it JSON.
//!
//! All of its entries for those who look for certificates ([`read`]); those in use for those who ask
//! whom it makes a client of (`current`). Tokens, passwords and private keys are read over and wiped.

mod current;

use super::yaml::{self, Node, YamlError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub(super) use current::Current;

/// The public parts of a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubeconfig {
    /// `clusters`, in order.
    pub clusters: Vec<Cluster>,
    /// `users`, in order.
    pub users: Vec<User>,
}

/// An entry of `clusters`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name in this file.
    pub name: String,
    /// The API server's URL.
    pub server: Option<String>,
    /// The CA that the server's certificate must come from.
    pub authority: Option<Reference>,
}

/// An entry of `users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name in this file.
    pub name: String,
    /// The client certificate with what stands after it.
    pub certificate: Option<Reference>,
}

/// Where certificates are. Data wins over a file, as it does for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// In the kubeconfig: PEM, decoded from base64. Who wrote it may have put a key in it.
    Data(Zeroizing<Vec<u8>>),
    /// In a file; a path that is not absolute counts from the kubeconfig's directory.
    File(String),
}

/// Why a text is no kubeconfig that can be read. Never says what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// Not one plain YAML document.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// Not the shape of a kubeconfig.
    #[error("{at} is not {expected}")]
    Shape {
        /// The path in the file, such as `users[0].user`.
        at: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// No `apiVersion: v1` and `kind: Config`.
    #[error("another kind of file")]
    OtherKind,
    /// Nothing says which entries are in use.
    #[error("no current-context")]
    NoContext,
    /// What is in use is not there.
    #[error("a current-context without an entry in {list}")]
    NoEntry {
        /// `contexts`, `clusters` or `users`.
        list: &'static str,
    },
    /// Clients do not say which of them they use.
    #[error("two of the same name in {list}")]
    Twice {
        /// `contexts`, `clusters` or `users`.
        list: &'static str,
    },
}

/// Whether a text may be a kubeconfig and is worth reading.
pub fn looks_like(text: &[u8]) -> bool {
    let words: [&[u8]; 3] = [b"certificate-authority", b"client-certificate", b"clusters"];
    words.iter().any(|word| text.windows(word.len()).any(|window| window == *word))
}

/// Reads a kubeconfig; `None` when the text is YAML of another kind.
pub fn read(text: &[u8]) -> Result<Option<Kubeconfig>, KubeconfigError> {
    let Some(root) = yaml::read(text)? else { return Ok(None) };
    // clientcmd takes a text that does not say its kind for a kubeconfig
    let lists = ["clusters", "users", "contexts"].iter().any(|list| root.get(list).is_some());
    match Node::text(root.get("kind")) {
        Some("Config") => {}
        Some("") if lists => {}
        _ => return Ok(None),
    }
    let mut found = Kubeconfig::default();
    for entry in entries(&root, "clusters", "cluster")? {
        found.clusters.push(Cluster {
            name: entry.name.to_owned(),
            server: Some(entry.server()?.to_owned()).filter(|server| !server.is_empty()),
            authority: entry.authority()?,
        });
    }
    for entry in entries(&root, "users", "user")? {
        found.users.push(User { name: entry.name.to_owned(), certificate: entry.certificate()? });
    }
    Ok(Some(found))
}

/// One named entry of a list.
struct Entry<'a> {
    at: String,
    name: &'a str,
    body: Option<&'a Node>,
}

fn shape(at: impl Into<String>, expected: &'static str) -> KubeconfigError {
    KubeconfigError::Shape { at: at.into(), expected }
}

fn entries<'a>(root: &'a Node, list: &str, inner: &str) -> Result<Vec<Entry<'a>>, KubeconfigError> {
    let items = Node::items(root.get(list)).ok_or_else(|| shape(list, "a list"))?;
    let entry = |(index, item): (usize, &'a Node)| {
        let at = format!("{list}[{index}]");
        let name = item.get("name").filter(|name| **name != Node::Null);
        let name = name.and_then(|name| Node::text(Some(name)));
        let name = name.ok_or_else(|| shape(&at, "an entry with a name"))?;
        let at = format!("{at}.{inner}");
        match item.get(inner) {
            None | Some(Node::Null) => Ok(Entry { at, name, body: None }),
            body @ Some(Node::Mapping(_)) => Ok(Entry { at, name, body }),
            Some(_) => Err(shape(at, "a mapping")),
        }
    };
    items.iter().enumerate().map(entry).collect()
}

impl<'a> Entry<'a> {
    /// A member's text; empty when there is none.
    fn text(&self, key: &str) -> Result<&'a str, KubeconfigError> {
        let node = self.body.and_then(|body| body.get(key));
        Node::text(node).ok_or_else(|| shape(format!("{}.{key}", self.at), "a text"))
    }

    fn server(&self) -> Result<&'a str, KubeconfigError> {
        self.text("server")
    }

    fn authority(&self) -> Result<Option<Reference>, KubeconfigError> {
        self.reference("certificate-authority-data", "certificate-authority")
    }

    fn certificate(&self) -> Result<Option<Reference>, KubeconfigError> {
        self.reference("client-certificate-data", "client-certificate")
    }

    fn reference(&self, data: &str, file: &str) -> Result<Option<Reference>, KubeconfigError> {
        let text = self.text(data)?;
        if text.is_empty() {
            let path = self.text(file)?;
            return Ok((!path.is_empty()).then(|| Reference::File(path.to_owned())));
        }
        // Go's decoder passes over line ends, and nothing else
        let text = Zeroizing::new(text.replace(['\n', '\r'], ""));
        let bytes =
            STANDARD.decode(text.as_bytes()).map_err(|_| shape(format!("{}.{data}", self.at), "base64"))?;
        Ok(Some(Reference::Data(Zeroizing::new(bytes))))
    }
}

#[cfg(test)]
mod tests;
