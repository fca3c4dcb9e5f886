//! Flags that another program writes for the kubelet, in a file of variables of its unit.
//!
//! A word of the unit's command that is a variable alone is split at blanks, with quotes and backslashes
//! taken out (systemd's `replace_env_argv`). The kubelet takes `_` in a flag's name for `-`.

use super::Value;
use crate::check::units::environment;
use std::collections::BTreeMap;

/// The variables of kubeadm's unit that hold flags beside its own, which no other may be set.
const OPEN: [&str; 2] = ["KUBELET_KUBEADM_ARGS", "KUBELET_EXTRA_ARGS"];

/// Values by the flag's name without dashes, in order; of one without a value, none.
pub(super) struct Flags(BTreeMap<String, Vec<Option<String>>>);

/// The flags of all variables of a file, and variables of the unit that are not for flags beside its own:
/// `KUBELET_CONFIG_ARGS` names the kubelet's configuration.
pub(super) fn of_environment(contents: &[u8]) -> (Flags, Vec<String>) {
    let (mut words, mut others) = (Vec::new(), Vec::new());
    // of each variable, whichever holds: an earlier one of the same name is as suspicious
    for variable in environment::variables(contents) {
        if variable.name.starts_with("KUBELET_") && !OPEN.contains(&variable.name.as_str()) {
            others.push(variable.name);
        }
        words.extend(split(&String::from_utf8_lossy(&variable.value)));
    }
    (Flags::of(&words), others)
}

impl Flags {
    fn of(words: &[String]) -> Self {
        let mut flags: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for (at, word) in words.iter().enumerate() {
            let Some(flag) = word.strip_prefix("--") else { continue };
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, words.get(at + 1).filter(|next| !next.starts_with("--")).cloned()),
            };
            flags.entry(name.replace('_', "-")).or_default().push(value);
        }
        Self(flags)
    }

    /// The values of a flag joined by commas, empty when it is absent; one that is there and empty takes
    /// something back.
    pub(super) fn get(&self, name: &str) -> Value {
        let Some(values) = self.0.get(name) else { return Ok(Some(String::new())) };
        let values: Vec<_> = values.iter().map(|value| value.as_deref().unwrap_or("true")).collect();
        let joined = values.join(",");
        if joined.is_empty() { Err("there, and empty".to_owned()) } else { Ok(Some(joined)) }
    }
}

fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', _) => word.get_or_insert_default().extend(chars.next()),
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (char, Some(open)) if char == open => quote = None,
            (' ' | '\t' | '\n' | '\r', None) => words.extend(word.take()),
            (char, _) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}
