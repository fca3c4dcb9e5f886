//! Configurations of container runtimes that nothing reads, and what TOML cannot hold.

use super::{Holes, Path, Problem, Spec};
use crate::spec::layers::{Layer, layers};
use crate::spec::types::{FreeForm, Host, HostPrep, RuntimeKind};
use serde_json::{Map, Value};

/// A part of `hostPrep`, the hosts on which something reads it, and where that is.
type Read = (&'static str, bool, fn(&Spec, &Host) -> bool, &'static str);

/// Parts that no host of their layer has a use for.
pub(super) fn pointless(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    let depends = ["hosts", "etcd", "loadBalancers", "containerRuntime"];
    if depends.iter().any(|key| holes.touch(&Path::root().key(key))) {
        return;
    }
    for layer in layers(spec) {
        let on = |enabled: Option<bool>| enabled != Some(false);
        let prep = layer.prep;
        let parts: [Read; 3] = [
            (
                "containerd",
                prep.containerd.as_ref().is_some_and(|part| on(part.enabled)),
                Spec::has_containerd,
                "neither a kubelet's containers nor nerdctl's run by containerd there",
            ),
            (
                "crio",
                prep.crio.as_ref().is_some_and(|part| on(part.enabled)),
                |spec, host| spec.pods_run_by(RuntimeKind::Crio, host),
                "no kubelet's containers run by CRI-O there",
            ),
            (
                "crictl",
                prep.crictl.as_ref().is_some_and(|part| on(part.enabled)),
                Spec::has_kubelet,
                "no kubelet runs there",
            ),
        ];
        for (part, _, reads, why) in parts.into_iter().filter(|(_, written, ..)| *written) {
            let mut hosts = of_layer(spec, &layer).peekable();
            if hosts.peek().is_some() && !hosts.any(|host| reads(spec, host)) {
                let at = layer.path.key("hostPrep").key(part);
                let message = format!("{at} means nothing: {why}");
                let hint = "remove it; the container runtime of nodes is `containerRuntime.kind`";
                problems.push(Problem::warning(at, message).hint(hint));
            }
        }
    }
}

/// The hosts that a layer is for.
fn of_layer<'s>(spec: &'s Spec, layer: &Layer<'s>) -> impl Iterator<Item = &'s Host> {
    let (role, own) = (layer.role, layer.host);
    spec.hosts.values().filter(move |host| match (role, own) {
        (Some(role), _) => host.has(role),
        (None, Some(own)) => std::ptr::eq(*host, own),
        (None, None) => true,
    })
}

/// Configurations that are written as TOML hold what TOML can.
pub(super) fn toml(spec: &Spec, _: &Holes, problems: &mut Vec<Problem>) {
    for layer in layers(spec) {
        let containerd = layer.prep.containerd.as_ref().map(|part| ("containerd", &part.config));
        let crio = layer.prep.crio.as_ref().map(|part| ("crio", &part.config));
        for (part, config) in containerd.into_iter().chain(crio) {
            let at = layer.path.key("hostPrep").key(part).key("config");
            table(config.map(), &at, false, problems);
        }
    }
}

/// Names of a table are plain: containerd 1.x misreads quotes, brackets and escapes in them.
fn table(map: &Map<String, Value>, at: &Path, in_list: bool, problems: &mut Vec<Problem>) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:*@+~%".contains(&byte);
    for (key, inner) in map {
        let at = at.key(key);
        if key.is_empty() || !key.bytes().all(plain) {
            let message = format!("{at}: container runtimes read no such name");
            let hint = "write letters, digits and any of `-_./:*@+~%`";
            problems.push(Problem::error(at, message).hint(hint));
        } else {
            holds(inner, &at, in_list, problems);
        }
    }
}

/// A null outside of lists takes a field away.
fn holds(value: &Value, at: &Path, in_list: bool, problems: &mut Vec<Problem>) {
    let mut refuse = |what: &str, hint: &str| {
        problems.push(Problem::error(at.clone(), format!("{at}: {what}")).hint(hint));
    };
    match value {
        Value::Null if in_list => refuse("the file is TOML, which has no null", "remove it"),
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => refuse(
            &format!("the file is TOML, which has no number as large as {number}"),
            "write 9223372036854775807 at most",
        ),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                holds(item, &at.index(index), true, problems);
            }
        }
        Value::Object(map) => table(map, at, in_list, problems),
        _ => {}
    }
}

const CRI: &str = "io.containerd.grpc.v1.cri";
/// What containerd 2 has no more in [`CRI`].
const MOVED: [&str; 4] = ["cni", "containerd", "registry", "sandbox_image"];
const SINCE_2: [&str; 2] = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"];

/// A configuration of containerd's is in the format that the spec names.
pub(super) fn format(spec: &Spec, holes: &Holes, problems: &mut Vec<Problem>) {
    for layer in layers(spec) {
        let Some(part) = &layer.prep.containerd else { continue };
        let at = layer.path.key("hostPrep").key("containerd").key("config");
        if part.config.map().contains_key("version") {
            let at = at.key("version");
            let message = format!("{at}: the format stands under `format` of `containerd`");
            problems
                .push(Problem::error(at, message).hint("remove it, and write `format: 2` or `format: 3`"));
        }
        let formats: Vec<u32> = of_layer(spec, &layer).map(|host| format_of(spec, host)).collect();
        if formats.is_empty() || holes.touch(&Path::root().key("hostPrep")) {
            continue;
        }
        let foreign =
            foreign(&part.config, &at, formats.contains(&2), formats.iter().any(|format| *format != 2));
        problems.extend(foreign.into_iter().map(|at| {
            let message = format!("{at} means nothing in this format of containerd's configuration");
            let hint =
                "`format: 2` is for containerd 1.x, `format: 3` for 2.x: each has its own names of plugins";
            Problem::warning(at, message).hint(hint)
        }));
    }
}

/// The format of a host: 3 where no layer says one.
fn format_of(spec: &Spec, host: &Host) -> u32 {
    let of = |prep: &HostPrep| prep.containerd.as_ref().and_then(|part| part.format);
    let mut roles = spec.roles.iter().rev().filter(|(role, _)| host.has(**role));
    let of_role = || roles.find_map(|(_, layer)| of(&layer.host_prep));
    of(&host.host_prep).or_else(of_role).or_else(|| of(&spec.host_prep)).unwrap_or(3)
}

/// The places that mean something in the other format only.
fn foreign(config: &FreeForm, at: &Path, of_1: bool, of_2: bool) -> Vec<Path> {
    let Some(Value::Object(plugins)) = config.map().get("plugins") else { return Vec::new() };
    let at = at.key("plugins");
    let newer = SINCE_2.iter().filter(|name| !of_2 && plugins.contains_key(**name)).map(|name| at.key(name));
    let cri = plugins.get(CRI).and_then(Value::as_object).filter(|_| !of_1);
    let older = cri.into_iter().flatten().map(|(name, _)| name);
    let older = older.filter(|name| MOVED.contains(&name.as_str())).map(|name| at.key(CRI).key(name));
    newer.chain(older).collect()
}
