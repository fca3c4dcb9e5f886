//! A `.container` file, read as podman's Quadlet reads it (`pkg/systemd/quadlet`, `ConvertContainer` of
//! podman 4.4): what it refuses, and the command that it makes.

use std::collections::BTreeSet;

/// Sections, each with its keys and values in order.
pub(crate) type Sections = Vec<(String, Vec<(String, String)>)>;

/// Reads a file of systemd's syntax; whatever that syntax leaves to chance is refused.
pub(crate) fn sections(text: &str) -> Sections {
    let mut sections = Sections::new();
    assert!(text.ends_with('\n') && !text.contains('\r'), "{text}");
    for line in text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            assert!(sections.iter().all(|(other, _)| other != name), "{name} twice");
            sections.push((name.to_owned(), Vec::new()));
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("no assignment: {line}"));
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{line}");
        // one word each, nothing that is quoted, escaped or expanded
        let means = |c: char| c.is_whitespace() || c.is_control() || "\"'\\%$;`".contains(c);
        assert!(key == "After" || !value.contains(means), "{line}");
        sections.last_mut().expect("a section").1.push((key.to_owned(), value.to_owned()));
    }
    sections
}

/// The value of a key that stands once.
pub(crate) fn value<'a>(sections: &'a Sections, section: &str, key: &str) -> Option<&'a str> {
    let (_, all) = sections.iter().find(|(name, _)| name == section)?;
    let mut found = all.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let value = found.next();
    assert_eq!(found.next(), None, "{key} twice");
    value
}

fn all<'a>(sections: &'a Sections, key: &'a str) -> impl Iterator<Item = &'a str> {
    let (_, all) = sections.iter().find(|(name, _)| name == "Container").expect("[Container]");
    all.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
}

fn is_true(value: Option<&str>) -> bool {
    match value {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => panic!("neither true nor false: {other}"),
    }
}

/// The words of `ExecStart=`; panics where the generator refuses the file.
pub(crate) fn command(text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let read = sections(text);
    let names: Vec<_> = read.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Unit", "Container", "Service", "Install"]);
    let (_, keys) = &read[1];
    for (key, _) in keys {
        assert!(known.contains(key), "unsupported key '{key}' in group 'Container'");
    }
    // the generator sets these itself, and refuses another type
    for key in ["Type", "KillMode", "NotifyAccess", "ExecStart", "ExecStop", "Delegate"] {
        assert_eq!(value(&read, "Service", key), None);
    }
    let one = |key| value(&read, "Container", key);
    let mut words: Vec<String> = [
        "podman",
        "run",
        "--name",
        one("ContainerName").expect("a name"),
        "--cidfile=%t/%N.cid",
        "--replace",
        "--rm",
    ]
    .map(str::to_owned)
    .to_vec();
    words.extend(["--cgroups=split".to_owned(), "--network".to_owned(), one("Network").unwrap().to_owned()]);
    words.push(format!("--sdnotify={}", if is_true(one("Notify")) { "container" } else { "conmon" }));
    words.push("-d".to_owned());
    if is_true(one("NoNewPrivileges")) {
        words.push("--security-opt=no-new-privileges".to_owned());
    }
    words.extend(all(&read, "DropCapability").map(|name| format!("--cap-drop={}", name.to_lowercase())));
    words.push(format!("--read-only={}", is_true(one("ReadOnly"))));
    match (one("User"), one("Group")) {
        (None, None) => {}
        (Some(user), Some(group)) => {
            // numbers alone are read here
            let number = |text: &str| text.parse::<u32>().unwrap();
            words.extend(["--user".to_owned(), format!("{}:{}", number(user), number(group))]);
        }
        other => panic!("{other:?}"),
    }
    for volume in all(&read, "Volume") {
        let parts: Vec<_> = volume.splitn(3, ':').collect();
        assert!(parts.len() >= 2 && parts[..2].iter().all(|path| path.starts_with('/')), "{volume}");
        assert!(matches!(parts.get(2), None | Some(&"ro")), "{volume}");
        words.extend(["-v".to_owned(), volume.to_owned()]);
    }
    words.extend(all(&read, "PodmanArgs").map(str::to_owned));
    words.push(one("Image").expect("no Image key specified").to_owned());
    words.extend(one("Exec").map(str::to_owned));
    words
}
