//! What this reader says, against systemd itself: it names each key that it does not know, with file
//! and line, in the order in which it reads.

use crate::check::units::load::LoadPath;
use crate::check::units::name::LOAD_PATH;
use crate::check::units::syntax::read;
use crate::host::testkit::skip;
use crate::rootfs::Root;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use proptest::test_runner::Config;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The `PATH:LINE KEY` of each unknown key that systemd meets in a unit of a tree.
fn told(tree: &Path, unit: &str) -> Option<Vec<String>> {
    let path: Vec<String> =
        LOAD_PATH.iter().map(|directory| format!("{}{directory}", tree.display())).collect();
    let run = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--generators=no", unit])
        .env("SYSTEMD_UNIT_PATH", path.join(":"))
        .env("LC_ALL", "C")
        .output();
    let Ok(output) = run else {
        skip("systemd-analyze is not here");
        return None;
    };
    let prefix = tree.display().to_string();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines: Vec<String> = Vec::new();
    for line in said.lines().filter_map(|line| line.strip_prefix(&prefix)) {
        let Some((at, rest)) = line.split_once(": Unknown key ") else { continue };
        let key = rest.trim_start_matches("name ").split('\'').nth(1).unwrap();
        lines.push(format!("{at} {key}"));
    }
    // it loads a unit that it did not find once more
    lines.dedup();
    Some(lines)
}

/// The same by this reader.
fn read_here(tree: &Path, unit: &str) -> Vec<String> {
    let root = Root::open(tree).unwrap();
    let unit = LoadPath::read(&root, &|_| None).unwrap().unit(unit).unwrap();
    let parts = unit.fragment.iter().chain(&unit.drop_ins);
    parts
        .flat_map(|part| {
            let assignments = part.file.iter().flat_map(|file| &file.assignments);
            assignments
                .filter(|it| it.key.contains("Zz"))
                .map(|it| format!("{}:{} {}", part.path, it.line, it.key))
        })
        .collect()
}

fn write(tree: &Path, path: &str, text: &str) {
    let path = tree.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What a file of a unit can be.
#[derive(Clone, Debug)]
enum Put {
    Settings,
    Empty,
    Null,
    Elsewhere,
}

const TEXT: &str = "[Service]\nExecStart=/bin/true\nZz=1\n";

fn put(tree: &Path, path: &str, what: &Put) {
    write(tree, path, TEXT);
    let full = tree.join(path.trim_start_matches('/'));
    let link = |target: &Path| {
        fs::remove_file(&full).unwrap();
        symlink(target, &full).unwrap();
    };
    match what {
        Put::Settings => {}
        Put::Empty => fs::write(&full, "").unwrap(),
        Put::Null => link(Path::new("/dev/null")),
        Put::Elsewhere => {
            write(tree, "/opt/linked", TEXT);
            // relative, since a link beneath this root begins at the system's for systemd
            let up = "../".repeat(path.matches('/').count() - 1);
            link(Path::new(&format!("{up}opt/linked")));
        }
    }
}

fn directories() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(
        LOAD_PATH.into_iter().filter(|path| !path.starts_with("/lib")).collect::<Vec<_>>(),
    )
}

fn puts() -> impl Strategy<Value = Put> {
    prop_oneof![6 => Just(Put::Settings), 1 => Just(Put::Empty), 1 => Just(Put::Null), 2 => Just(Put::Elsewhere)]
}

proptest! {
    #![proptest_config(Config::with_cases(48))]
    #[test]
    fn files_are_read_in_systemds_order(
        fragment in (directories(), Just(Put::Settings)),
        more in proptest::option::of((directories(), prop_oneof![Just(Put::Settings), Just(Put::Elsewhere)])),
        drop_ins in proptest::collection::vec(
            (
                directories(),
                proptest::sample::select(vec!["my-unit.service.d", "my-.service.d", "service.d", "other.service.d"]),
                proptest::sample::select(vec!["10-a.conf", "20-b.conf", "9.conf", ".5.conf", "30-c.conf~", "A.conf"]),
                puts(),
            ),
            0..8,
        ),
        alias in proptest::option::of(directories()),
    ) {
        let tree = TempDir::new().unwrap();
        let tree = tree.path();
        put(tree, &format!("{}/my-unit.service", fragment.0), &fragment.1);
        if let Some((directory, what)) = &more {
            put(tree, &format!("{directory}/my-unit.service"), what);
        }
        for (directory, below, name, what) in &drop_ins {
            let _ = fs::remove_file(tree.join(&format!("{directory}/{below}/{name}")[1..]));
            put(tree, &format!("{directory}/{below}/{name}"), what);
        }
        if let Some(directory) = alias {
            fs::create_dir_all(tree.join(&directory[1..])).unwrap();
            symlink("my-unit.service", tree.join(&format!("{directory}/other.service")[1..])).unwrap();
        }
        if let Some(told) = told(tree, "my-unit.service") {
            assert_eq!(read_here(tree, "my-unit.service"), told);
        }
    }

    #[test]
    fn lines_are_read_as_systemd_reads_them(
        lines in proptest::collection::vec(
            proptest::sample::select(vec![
                "Zz1=a\n", "Zz2=\\\n", "Zz3 = b \\\n", "# c\n", "; c \\\n", "\n", "[Unit]\n", "[Service]\n", "[X-y]\n", " Zz4=\\\\\n",
                "Zz5=d\r\n", "Zz6=e\n\r\n", "[Bad\n", "=x\n", "none\n", "  [Unit]  \n", "Zz7=\u{feff}\n", "\u{feff}Zz8=1\n", "\t\n", "[Oth er]\n",
            ]),
            0..14,
        ),
    ) {
        let text = format!("[Service]\nExecStart=/bin/true\n{}", lines.concat());
        let tree = TempDir::new().unwrap();
        write(tree.path(), "/etc/systemd/system/my-unit.service", "[Service]\nExecStart=/bin/true\n");
        write(tree.path(), "/etc/systemd/system/my-unit.service.d/1.conf", &text);
        if let Some(told) = told(tree.path(), "my-unit.service") {
            let known = |section: &str| matches!(section, "Unit" | "Service");
            let here: Vec<String> = read(text.as_bytes())
                .assignments
                .iter()
                .filter(|it| known(&it.section) && it.key.contains("Zz"))
                .map(|it| format!("/etc/systemd/system/my-unit.service.d/1.conf:{} {}", it.line, it.key))
                .collect();
            assert_eq!(here, told, "{}", text.escape_debug());
        }
    }
}
