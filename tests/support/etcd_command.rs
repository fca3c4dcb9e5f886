//! How an installed host runs etcd: the program's words and variables, as whatever runs it there would
//! give them to it, inside a container or not. Host and container have the same paths.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// etcd's command line and variables, with paths of the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Installed {
    /// The arguments.
    pub(crate) flags: Vec<String>,
    /// The variables.
    pub(crate) variables: BTreeMap<String, String>,
}

const POD: &str = "etc/kubernetes/manifests/etcd.yaml";
const UNIT: &str = "etc/systemd/system/etcd.service";
const QUADLET: &str = "etc/containers/systemd/etcd.container";

/// What is installed below a root directory; there must be one form of it.
pub(crate) fn installed(root: &Path) -> Installed {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    match (read(POD), read(UNIT), read(QUADLET)) {
        (Some(pod), None, None) => of_pod(&pod),
        (None, Some(unit), None) => of_unit(root, &unit, "ExecStart"),
        (None, None, Some(quadlet)) => of_unit(root, &quadlet, "Exec"),
        other => panic!("not one form of etcd in {}: {other:?}", root.display()),
    }
}

fn of_pod(manifest: &str) -> Installed {
    let pod = sealift::spec::yaml::document(manifest).unwrap();
    let container = &pod["spec"]["containers"][0];
    let command = container["command"].as_array().unwrap();
    assert_eq!(command[0], "etcd");
    assert!(container.get("env").is_none());
    let flags = command[1..].iter().map(|flag| flag.as_str().unwrap().to_owned()).collect();
    Installed { flags, variables: BTreeMap::new() }
}

/// A service, by itself or around an engine's `run`, or a Quadlet.
fn of_unit(root: &Path, unit: &str, key: &str) -> Installed {
    let unit = unit.replace("\\\n", " ");
    let values = |key: &str| -> Vec<&str> {
        unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
    };
    let mut words: Vec<String> = values(key).into_iter().flat_map(self::words).collect();
    let mut files: Vec<String> = values("EnvironmentFile").iter().map(ToString::to_string).collect();
    let engine: Vec<String> = values("PodmanArgs").into_iter().flat_map(self::words).collect();
    files.extend(options(if key == "Exec" { &engine } else { &words }, "--env-file"));
    // the program, or the image whose entry point it is
    let etcd = |word: &String| {
        word == "etcd" || word.ends_with("/etcd") || word.contains("/etcd:v") || word.contains("/etcd:3")
    };
    if let Some(at) = words.iter().rposition(etcd) {
        words.drain(..=at);
    }
    let lines: Vec<_> = files
        .iter()
        .map(|file| fs::read_to_string(root.join(file.trim_start_matches('/'))).unwrap())
        .collect();
    let lines = lines.iter().flat_map(|text| text.lines());
    let pairs = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let variables = pairs.map(|line| line.split_once('=').unwrap());
    Installed {
        flags: words,
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

/// Words of a command line of systemd; quotes are taken off, `$$` and `%%` are one of them.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_with(String::new);
            }
            (_, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_with(String::new).push(c),
        }
    }
    words.extend(word);
    words.iter().map(|word| word.replace("$$", "$").replace("%%", "%")).collect()
}

/// The values of an option that may come several times, in one word or in two.
fn options(words: &[String], name: &str) -> Vec<String> {
    let one = |word: &String| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned());
    let two = words.windows(2).filter(|pair| pair[0] == name).map(|pair| pair[1].clone());
    words.iter().filter_map(one).chain(two).collect()
}
