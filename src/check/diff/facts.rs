//! What manifests and indexes say, as names and values, and which of them differ.
//!
//! Every structure is taken apart by name, so that a new member cannot be forgotten here.

use crate::bundle::index::Index;
use crate::bundle::items::{ItemId, ItemState, Step};
use crate::bundle::manifest::{ClusterRef, Directory, File, HostRef, Manifest, Origin, Policy};
use crate::bundle::open::Verified;
use crate::bundle::trust::public_key;
use serde::Serialize;

/// One value that differs, by its name in the manifest or index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Such as `revision`, `host.addresses` or `mode`.
    pub name: String,
    /// The old value; `None` when there was none.
    pub old: Option<Value>,
    /// The new value; `None` when there is none.
    pub new: Option<Value>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// Everything but lists.
    Text(String),
    /// In the manifest's order.
    List(Vec<String>),
}

/// Values by name, in the order in which to tell them.
pub(super) type Facts = Vec<(String, Value)>;

/// Collects facts; what is empty or absent is left out.
#[derive(Default)]
struct Collected(Facts);

impl Collected {
    fn text(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((name.to_owned(), Value::Text(value)));
        }
    }

    fn list(&mut self, name: &str, values: &[String]) {
        if !values.is_empty() {
            self.0.push((name.to_owned(), Value::List(values.to_vec())));
        }
    }
}

/// Which facts differ: in the old order, then those that only the new side has.
pub(super) fn between(old: Facts, mut new: Facts) -> Vec<Fact> {
    let mut out = Vec::new();
    for (name, old) in old {
        let at = new.iter().position(|(other, _)| *other == name);
        let new = at.map(|at| new.remove(at).1);
        if new.as_ref() != Some(&old) {
            out.push(Fact { name, old: Some(old), new });
        }
    }
    out.extend(new.into_iter().map(|(name, new)| Fact { name, old: None, new: Some(new) }));
    out
}

/// What a manifest says of the whole bundle, and who signed. Host name and cluster id are equal.
pub(super) fn of_bundle(bundle: &Verified) -> Facts {
    let Manifest {
        format,
        cluster: ClusterRef { id: _, name: cluster },
        host: HostRef { name: _, addresses, machine_id, generation, recipients },
        keep_previous,
        revision,
        sealift,
        inputs,
        epoch,
        valid_until,
        trust,
        directories: _,
        files: _,
    } = bundle.manifest();
    let mut facts = Collected::default();
    facts.text("format", format.to_string());
    facts.text("cluster.name", cluster);
    facts.text("revision", revision.to_string());
    facts.list("host.addresses", addresses);
    facts.list("host.machineId", machine_id.as_slice());
    facts.list("keepPrevious", keep_previous.then(|| "true".to_owned()).as_slice());
    facts.text("host.generation", generation.to_string());
    facts.list("host.recipients", recipients);
    facts.text("epoch", epoch);
    facts.text("validUntil", valid_until);
    facts.text("sealift", sealift);
    facts.text("signer", public_key(bundle.key()));
    facts.list("trust", trust);
    facts.text("inputs", inputs);
    facts.0
}

/// What an index says of the whole build, and who signed it.
pub(super) fn of_index(index: &Index, key: &[u8; 32]) -> Facts {
    let Index {
        format,
        cluster: ClusterRef { id: _, name },
        seeds,
        cluster_digest,
        sealift,
        items,
        bundles: _,
    } = index;
    let mut facts = Collected::default();
    facts.text("format", format.to_string());
    facts.text("cluster.name", name);
    for (number, id) in seeds {
        facts.text(&format!("seeds.{number}"), id);
    }
    for (name, state) in items {
        facts.text(&format!("items.{name}"), item(state));
    }
    facts.text("sealift", sealift);
    facts.text("signer", public_key(key));
    facts.text("inputs", cluster_digest);
    facts.0
}

fn item(state: &ItemState) -> String {
    let ItemState { active, beside, step, refuse_plaintext } = state;
    let mut parts = vec![version(active)];
    parts.extend(beside.as_ref().map(|beside| format!("beside {}", version(beside))));
    parts.extend(step.map(|step| {
        let step = match step {
            Step::Stage => "stage",
            Step::Promote => "promote",
            Step::Retire => "retire",
        };
        format!("step {step}")
    }));
    parts.extend(refuse_plaintext.then(|| "plaintext refused".to_owned()));
    parts.join(", ")
}

fn version(id: &ItemId) -> String {
    match id {
        ItemId::Derived(id) => format!("{} of seed {} generation {}", id.algorithm, id.seed, id.generation),
        ItemId::Brought(id) => format!("sha256:{}", id.sha256),
    }
}

pub(super) fn of_directory(directory: &Directory) -> Facts {
    let Directory { path: _, mode, uid, gid, owned, allow } = directory;
    let mut facts = Collected::default();
    facts.text("mode", mode);
    facts.text("owner", format!("{uid}:{gid}"));
    facts.text("owned", owned.to_string());
    facts.list("allow", allow);
    facts.0
}

/// What a manifest says of a file beside its contents.
pub(super) fn of_file(file: &File) -> Facts {
    let File {
        path: _,
        mode,
        uid,
        gid,
        policy,
        fields,
        size: _,
        sha256: _,
        sealed,
        hmac: _,
        certificate,
        origin,
        inputs,
        restart,
        run,
    } = file;
    let mut facts = Collected::default();
    facts.text("mode", mode);
    facts.text("owner", format!("{uid}:{gid}"));
    facts.text(
        "policy",
        match policy {
            Policy::Managed => "managed",
            Policy::Initial => "initial",
            Policy::Bootstrap => "bootstrap",
            Policy::Foreign => "foreign",
            Policy::Block => "block",
        },
    );
    if *policy != Policy::Foreign {
        facts.text("sealed", sealed.to_string());
    }
    if let Some(fields) = fields {
        facts.text("fields.format", &fields.format);
        for (name, value) in &fields.values {
            // an empty one is a fact too: the field must be absent
            facts.0.push((format!("fields.{name}"), Value::Text(value.clone())));
        }
    }
    facts.text("certificate", certificate.as_deref().unwrap_or_default());
    if let Some(Origin { seed, generation }) = origin {
        facts.text("origin", format!("seed {seed} generation {generation}"));
    }
    facts.list("restart", restart);
    facts.list("run", run);
    facts.text("inputs", inputs.as_deref().unwrap_or_default());
    facts.0
}
