//! What a member is told, whatever it runs under: one list of flags, which each form writes in its own
//! way (arguments of a pod, variables of a unit, etcd's configuration file).
//!
//! Sources: etcd's `server/embed/config.go` (flags, and the names of the configuration file) and
//! `server/etcdmain/config.go` of 3.4, 3.5 and 3.6; `pkg/flags` (variables: `ETCD_` and the flag's name).

use super::flags::{self, Kind, Place};
use super::{EtcdPlan, MetricsPlan};
use crate::spec::scalars::EtcdVersion;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Flags without dashes, with their values; several values stand joined by commas in one flag.
pub type EtcdFlags = BTreeMap<String, Vec<String>>;

/// One flag that a member is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The flag without its dashes.
    pub name: String,
    /// What its value is.
    kind: Kind,
    /// Its values; more than one of a list only.
    pub values: Vec<String>,
}

impl Setting {
    fn new(name: impl Into<String>, values: Vec<String>) -> Self {
        let name = name.into();
        let kind = flags::find(&name).map_or(Kind::Text, |flag| flag.kind);
        Self { name, kind, values }
    }

    fn one(name: &str, value: impl Into<String>) -> Self {
        Self::new(name, vec![value.into()])
    }

    /// The value as a flag or a variable has it: a list joined by commas.
    pub fn value(&self) -> String {
        self.values.join(",")
    }

    /// `--name=value`.
    pub fn argument(&self) -> String {
        format!("--{}={}", self.name, self.value())
    }

    /// The variable that says the same (`flags.FlagToEnv`): `ETCD_QUOTA_BACKEND_BYTES`.
    pub fn variable(&self) -> String {
        format!("ETCD_{}", self.name.to_uppercase().replace('-', "_"))
    }

    /// Where it stands in etcd's configuration file: the section, if it stands in one, and the key; none
    /// for a flag that the file has no word for.
    pub fn file_key(&self) -> Option<(Option<&'static str>, &str)> {
        match flags::find(&self.name).map_or(Place::Same, |flag| flag.place) {
            Place::Same => Some((None, &self.name)),
            Place::Client(key) => Some((Some("client-transport-security"), key)),
            Place::Peer(key) => Some((Some("peer-transport-security"), key)),
            Place::Socket(key) => Some((Some("socket-options"), key)),
            Place::Nowhere => None,
        }
    }

    /// The value as the configuration file has it. A duration is a whole number of nanoseconds there
    /// (Go's `time.Duration` in JSON).
    pub fn json(&self) -> Value {
        let text = self.value();
        let typed = match self.kind {
            Kind::Bool => flags::parse_bool(&text).map(Value::from),
            Kind::Integer { .. } => text.parse::<i64>().ok().map(Value::from),
            Kind::Duration => flags::nanoseconds(&text).map(Value::from),
            Kind::List => Some(self.values.iter().flat_map(|value| value.split(',')).collect()),
            Kind::Text | Kind::Words(_) | Kind::Urls | Kind::Gates => None,
        };
        typed.unwrap_or_else(|| text.into())
    }
}

/// Settings as etcd's configuration file (`--config-file`) has them. What the file has no word for is
/// left out: `problems` of the plan says so.
pub fn settings_document(settings: &[Setting]) -> Map<String, Value> {
    let mut document = Map::new();
    for setting in settings {
        match setting.file_key() {
            Some((Some(section), key)) => {
                let section = document.entry(section).or_insert_with(|| Value::Object(Map::new()));
                if let Some(section) = section.as_object_mut() {
                    section.insert(key.to_owned(), setting.json());
                }
            }
            Some((None, key)) => {
                document.insert(key.to_owned(), setting.json());
            }
            None => {}
        }
    }
    document
}

/// Where a certificate and its key lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The certificate.
    pub(super) certificate: &'static str,
    /// The key.
    pub(super) key: &'static str,
}

const SERVER: Pair =
    Pair { certificate: "/etc/kubernetes/pki/etcd/server.crt", key: "/etc/kubernetes/pki/etcd/server.key" };
const PEER: Pair =
    Pair { certificate: "/etc/kubernetes/pki/etcd/peer.crt", key: "/etc/kubernetes/pki/etcd/peer.key" };
const SHARED: Pair =
    Pair { certificate: "/etc/kubernetes/pki/etcd/etcd.crt", key: "/etc/kubernetes/pki/etcd/etcd.key" };

/// What the settings of a member come from, besides its addresses.
#[derive(Debug)]
pub(super) struct SettingsBasis<'p> {
    /// The data directory.
    pub(super) data_dir: &'p str,
    /// The directory of the write-ahead log, when it has one of its own.
    pub(super) wal_dir: Option<&'p str>,
    /// What it serves clients with.
    pub(super) server: Pair,
    /// What it shows to other members.
    pub(super) peer: Pair,
    /// etcd's release: what it does not know is left out.
    pub(super) version: Option<EtcdVersion>,
    /// Whether to use `--feature-gates` and `--watch-progress-notify-interval`.
    pub(super) feature_gates: bool,
    /// Where it says over plain http how it is.
    pub(super) metrics_urls: String,
    /// What the spec says: fields of `tuning`, and `extraArgs` over them.
    pub(super) flags: &'p EtcdFlags,
}

impl SettingsBasis<'_> {
    /// kubeadm's flags that say nothing of members and their addresses.
    fn defaults(&self) -> Vec<(&'static str, &str)> {
        let mut flags = vec![
            ("cert-file", self.server.certificate),
            ("client-cert-auth", "true"),
            ("data-dir", self.data_dir),
            ("key-file", self.server.key),
            ("listen-metrics-urls", &self.metrics_urls),
            ("peer-cert-file", self.peer.certificate),
            ("peer-client-cert-auth", "true"),
            ("peer-key-file", self.peer.key),
            ("peer-trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
            ("snapshot-count", "10000"),
            ("trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt"),
        ];
        flags.extend_from_slice(if self.feature_gates {
            &[("feature-gates", "InitialCorruptCheck=true"), ("watch-progress-notify-interval", "5s")]
        } else {
            &[
                ("experimental-initial-corrupt-check", "true"),
                ("experimental-watch-progress-notify-interval", "5s"),
            ]
        });
        flags.extend(self.wal_dir.map(|path| ("wal-dir", path)));
        flags
    }

    fn knows(&self, name: &str) -> bool {
        let flag = flags::find(name);
        self.version.is_none_or(|version| flag.is_none_or(|flag| flag.is_of(version)))
    }

    /// All settings but those of [`EtcdPlan::membership`], in byte order of their names.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let mut flags: EtcdFlags = self
            .defaults()
            .into_iter()
            .filter(|(name, _)| self.knows(name))
            .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
            .collect();
        flags.extend(self.flags.clone());
        if let Some(gates) = flags.get_mut("feature-gates").and_then(|values| values.first_mut()) {
            // the spec's gates come beside kubeadm's, not in its place
            if !gates.contains("InitialCorruptCheck=") {
                gates.insert_str(0, "InitialCorruptCheck=true,");
            }
        }
        flags.into_iter().map(|(name, values)| Setting::new(name, values)).collect()
    }
}

impl EtcdPlan {
    /// All that a member is told whatever it runs under, in byte order of the flags: kubeadm's defaults,
    /// `tuning`, `extraArgs`. What differs by form and member is [`Self::membership`].
    pub fn settings(&self) -> Vec<Setting> {
        let [server, peer] = if self.shared_certificate { [SHARED; 2] } else { [SERVER, PEER] };
        let log = self.log();
        let basis = SettingsBasis {
            data_dir: &self.data_dir,
            wal_dir: log.as_deref(),
            server,
            peer,
            version: self.version.parse().ok(),
            feature_gates: self.feature_gates,
            metrics_urls: self.metrics_urls(),
            flags: &self.flags,
        };
        basis.settings()
    }

    /// Those of [`Self::settings`] that kubeadm's defaults do not say.
    pub fn beyond_defaults(&self) -> Vec<Setting> {
        let basis = SettingsBasis {
            data_dir: &self.data_dir,
            wal_dir: None,
            server: SERVER,
            peer: PEER,
            version: self.version.parse().ok(),
            feature_gates: self.feature_gates,
            metrics_urls: MetricsPlan::default().urls(self.address),
            flags: &EtcdFlags::new(),
        };
        let defaults = basis.settings();
        self.settings().into_iter().filter(|setting| !defaults.contains(setting)).collect()
    }

    /// Its name, its addresses and the members that it lists, in the order of kubeadm's documentation.
    /// Each form says where it listens for clients.
    pub fn membership(&self, client_listeners: &[String]) -> Vec<Setting> {
        let mut settings = vec![
            Setting::one("initial-cluster", &*self.listed.initial_cluster),
            Setting::one("initial-cluster-state", self.state.name()),
            Setting::one("name", self.name.as_str()),
            Setting::one("listen-peer-urls", self.peer_listener()),
            Setting::new("listen-client-urls", client_listeners.to_vec()),
            Setting::one("advertise-client-urls", self.client_url.as_str()),
            Setting::one("initial-advertise-peer-urls", self.peer_url.as_str()),
        ];
        settings.extend(self.token_setting());
        settings
    }

    /// What keeps it apart from other clusters' members, when the spec says it.
    pub fn token_setting(&self) -> Option<Setting> {
        self.token.as_ref().map(|token| Setting::one("initial-cluster-token", token.as_str()))
    }
}
