//! A trust file after a bundle that says which keys its cluster's hosts trust from now on.

use super::{BUNDLE_NAMESPACE, INDEX_NAMESPACE, Signer, Trust, public_key, read_key, token, trust_line};
use std::collections::BTreeSet;

/// A public key as [`public_key`] writes it, and in no other form.
pub fn read_public_key(text: &str) -> Option<[u8; 32]> {
    let key = read_key(text.strip_prefix("ssh-ed25519 ")?).ok()?;
    (public_key(&key) == text).then_some(key)
}

impl Trust {
    /// The keys that lines of a cluster name, in whatever they are restricted.
    pub fn keys(&self, cluster_id: &str) -> BTreeSet<[u8; 32]> {
        self.of(cluster_id).map(|line| line.key).collect()
    }

    /// Those that a line names for bundles.
    pub fn bundle_keys(&self, cluster_id: &str) -> BTreeSet<[u8; 32]> {
        self.of(cluster_id).filter(|line| line.has_namespace(BUNDLE_NAMESPACE)).map(|line| line.key).collect()
    }

    fn of(&self, cluster_id: &str) -> impl Iterator<Item = &Signer> {
        self.signers.iter().filter(move |line| line.clusters.iter().any(|id| id == cluster_id))
    }
}

/// A trust file in which these keys, and no other, are trusted for a cluster.
///
/// Comments, lines of other clusters and lines of these keys stay as they are, byte for byte, their
/// `valid-before` and other options included: who wrote them meant them. From a line of several clusters
/// this one is taken out. A key that no line names for bundles and indexes gets one at the end.
pub fn amended(text: &[u8], cluster_id: &str, keys: &[[u8; 32]]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut named = BTreeSet::new();
    for raw in text.split_inclusive(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(raw);
        let trimmed = line.trim_matches([' ', '\t', '\r', '\n']);
        let signer = Signer::parse(trimmed).ok().filter(|_| !trimmed.is_empty() && !trimmed.starts_with('#'));
        match signer.filter(|signer| signer.clusters.iter().any(|id| id == cluster_id)) {
            None => out.extend(raw),
            Some(signer) if keys.contains(&signer.key) => {
                if [BUNDLE_NAMESPACE, INDEX_NAMESPACE].iter().all(|name| signer.has_namespace(name)) {
                    named.insert(signer.key);
                }
                out.extend(raw);
            }
            Some(signer) => {
                let others: Vec<_> = signer.clusters.iter().filter(|id| *id != cluster_id).cloned().collect();
                if !others.is_empty() {
                    let rest = trimmed.get(token(trimmed).0.len()..).unwrap_or_default();
                    out.extend(format!("{}{rest}\n", others.join(",")).bytes());
                }
            }
        }
    }
    if out.last().is_some_and(|last| *last != b'\n') {
        out.push(b'\n');
    }
    for key in keys.iter().filter(|key| !named.contains(*key)) {
        out.extend(trust_line(cluster_id, key).bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Trust, amended, public_key, read_public_key, trust_line};
    use ed25519_dalek::SigningKey;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn key(seed: u8) -> [u8; 32] {
        SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()
    }

    fn after(text: &str, keys: &[u8]) -> String {
        let keys: Vec<_> = keys.iter().copied().map(key).collect();
        let out = String::from_utf8(amended(text.as_bytes(), ID, &keys)).unwrap();
        // to do it twice is to do it once
        assert_eq!(String::from_utf8(amended(out.as_bytes(), ID, &keys)).unwrap(), out);
        assert_eq!(Trust::parse(&out).unwrap().bundle_keys(ID), keys.into_iter().collect());
        out
    }

    #[test]
    fn three_steps_change_this_clusters_lines_alone() {
        let [old, new] = [1, 2].map(|seed| trust_line(ID, &key(seed)));
        let other = format!("# ours\r\n\n  elsewhere {} c\n", public_key(&key(3)));
        let first = format!("{old}{other}");
        let staged = after(&first, &[1, 2]);
        assert_eq!(staged, format!("{old}{other}{new}"));
        assert_eq!(after(&staged, &[2, 1]), staged);
        assert_eq!(after(&staged, &[2]), format!("{other}{new}"));
        assert_eq!(after("", &[1]), old);
        assert_eq!(after("# no line end", &[1]), format!("# no line end\n{old}"));
    }

    #[test]
    fn what_an_administrator_wrote_of_a_key_stays() {
        let restricted = format!("{ID} valid-before=\"20280101Z\" {} until then\r\n", public_key(&key(1)));
        assert_eq!(after(&restricted, &[1]), restricted);
        // for indexes alone is not for bundles
        let index = format!("{ID} namespaces=\"sealift-index\" {}\n", public_key(&key(1)));
        assert_eq!(after(&index, &[1]), format!("{index}{}", trust_line(ID, &key(1))));
    }

    #[test]
    fn a_line_of_several_clusters_loses_this_one() {
        let line =
            |clusters: &str| format!("{clusters} namespaces=\"sealift-bundle\" {} x\n", public_key(&key(1)));
        let both = line(&format!("elsewhere,{ID},third"));
        assert_eq!(after(&both, &[2]), format!("{}{}", line("elsewhere,third"), trust_line(ID, &key(2))));
    }

    #[test]
    fn keys_have_one_form() {
        let text = public_key(&key(1));
        assert_eq!(read_public_key(&text), Some(key(1)));
        for wrong in
            [format!("{text} "), format!(" {text}"), text.replace(' ', "  "), "ssh-ed25519 AAAA".into()]
        {
            assert_eq!(read_public_key(&wrong), None, "{wrong}");
        }
    }
}
