//! What a kubeconfig says that is public: its clusters and their CAs, its users and their
//! certificates (`k8s.io/client-go/tools/clientcmd/api/v1`). YAML, and with it JSON.
//!
//! Tokens, passwords and private keys are read over and wiped.

mod yaml;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use yaml::Yaml;

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
    /// In the kubeconfig: PEM, decoded from base64.
    Data(Vec<u8>),
    /// In a file; a path that is not absolute counts from the kubeconfig's directory.
    File(String),
}

/// Why a text is no kubeconfig that can be read. Never says what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    /// Not UTF-8, or longer than 1 MiB.
    #[error("not UTF-8 text of at most 1 MiB")]
    NotText,
    /// Not one YAML document, or one that is too deep or too large.
    #[error("not one YAML document (line {line})")]
    NotYaml {
        /// From 1.
        line: usize,
    },
    /// An anchor or an alias, which no kubeconfig needs.
    #[error("a YAML anchor or alias (line {line})")]
    Alias {
        /// From 1.
        line: usize,
    },
    /// One key twice in a mapping.
    #[error("a key that stands twice (line {line})")]
    Repeated {
        /// Of the second one, from 1.
        line: usize,
    },
    /// Not the shape of a kubeconfig.
    #[error("{at} is not {expected}")]
    Shape {
        /// The path in the file, such as `users[0].user`.
        at: String,
        /// What belongs there.
        expected: &'static str,
    },
}

/// Whether a text may be a kubeconfig and is worth reading.
pub fn looks_like(text: &[u8]) -> bool {
    let words: [&[u8]; 3] = [b"certificate-authority", b"client-certificate", b"clusters"];
    words.iter().any(|word| text.windows(word.len()).any(|window| window == *word))
}

/// Reads a kubeconfig; `None` when the text is YAML of another kind.
pub fn read(text: &[u8]) -> Result<Option<Kubeconfig>, KubeconfigError> {
    let root = yaml::read(text)?;
    let kind = root.get("kind").and_then(Yaml::text);
    let lists = ["clusters", "users", "contexts"].iter().any(|list| root.get(list).is_some());
    if !(kind == Some("Config") || kind.is_none() && lists) {
        return Ok(None);
    }
    let mut found = Kubeconfig::default();
    for entry in entries(&root, "clusters", "cluster")? {
        found.clusters.push(Cluster {
            server: entry.text("server")?,
            authority: entry.reference("certificate-authority-data", "certificate-authority")?,
            name: entry.name,
        });
    }
    for entry in entries(&root, "users", "user")? {
        found.users.push(User {
            certificate: entry.reference("client-certificate-data", "client-certificate")?,
            name: entry.name,
        });
    }
    Ok(Some(found))
}

/// One named entry of a list.
struct Entry<'a> {
    at: String,
    name: String,
    body: &'a Yaml,
}

fn shape(at: impl Into<String>, expected: &'static str) -> KubeconfigError {
    KubeconfigError::Shape { at: at.into(), expected }
}

fn entries<'a>(root: &'a Yaml, list: &str, inner: &str) -> Result<Vec<Entry<'a>>, KubeconfigError> {
    let items = match root.get(list) {
        None => return Ok(Vec::new()),
        Some(value) if value.is_null() => return Ok(Vec::new()),
        Some(value) => value.items().ok_or_else(|| shape(list, "a list"))?,
    };
    let entry = |(index, item): (usize, &'a Yaml)| {
        let at = format!("{list}[{index}]");
        let name = item.get("name").and_then(Yaml::text).ok_or_else(|| shape(&at, "an entry with a name"))?;
        let at = format!("{at}.{inner}");
        let body = item.get(inner).unwrap_or(&Yaml::NULL);
        if body.is_null() || body.is_mapping() {
            Ok(Entry { at, name: name.to_owned(), body })
        } else {
            Err(shape(at, "a mapping"))
        }
    };
    items.iter().enumerate().map(entry).collect()
}

impl Entry<'_> {
    fn text(&self, key: &str) -> Result<Option<String>, KubeconfigError> {
        match self.body.get(key) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => {
                let text = value.text().ok_or_else(|| shape(format!("{}.{key}", self.at), "a text"))?;
                Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
            }
        }
    }

    fn reference(&self, data: &str, file: &str) -> Result<Option<Reference>, KubeconfigError> {
        let Some(text) = self.text(data)? else {
            return Ok(self.text(file)?.map(Reference::File));
        };
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(text).map_err(|_| shape(format!("{}.{data}", self.at), "base64"))?;
        Ok(Some(Reference::Data(bytes)))
    }
}

#[cfg(test)]
mod tests;
