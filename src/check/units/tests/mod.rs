#![allow(clippy::disallowed_methods, reason = "tests prepare the trees that they look at")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod effective;
mod foreign;
mod systemd;

use super::environment::names;
use super::name::{drop_in_directories, unit_of, unit_type};
use super::syntax::{Assignment, read};
use super::words::{split, variables};
use proptest::prelude::{any, proptest};

fn assignment(section: &str, key: &str, value: &str, line: usize) -> Assignment {
    Assignment { section: section.into(), key: key.into(), value: value.into(), line }
}

#[test]
fn assignments() {
    let text = b"A=outside\n[Unit]\n# c\n  ; c\nA = b c \n[Service]\nExecStart=/a \\\n  # inside\n  --b \\\n  --c\nB=\n=x\nno\nC=d=e\n";
    let expected = [
        assignment("Unit", "A", "b c", 5),
        assignment("Service", "ExecStart", "/a    --b    --c", 10),
        assignment("Service", "B", "", 11),
        assignment("Service", "C", "d=e", 14),
    ];
    let file = read(text);
    assert_eq!((file.assignments.as_slice(), file.broken), (expected.as_slice(), None));
    for (text, expected, broken) in [
        (&b"[A]\nB=1\n[C\nD=2\n"[..], vec![assignment("A", "B", "1", 2)], Some(3)),
        (b"[A]\nB=1\nC=\xff\nD=2\n", vec![assignment("A", "B", "1", 2)], Some(3)),
        (b"[A\"]\nB=1\n", vec![], Some(1)),
        (
            b"\xef\xbb\xbf[A]\r\nB=1\r\n\r\nC=2",
            vec![assignment("A", "B", "1", 2), assignment("A", "C", "2", 4)],
            None,
        ),
        (b"[A]\nB=1\\", vec![assignment("A", "B", "1", 3)], None),
        (b"[A]\nB=1\\\\\nC=2", vec![assignment("A", "B", "1\\\\", 2), assignment("A", "C", "2", 3)], None),
        (b"", vec![], None),
    ] {
        let file = read(text);
        assert_eq!((file.assignments, file.broken), (expected, broken), "{}", text.escape_ascii());
    }
}

#[test]
fn words_and_variables() {
    for (text, expected) in [
        ("a b", vec!["a", "b"]),
        (" A=1\t\"B=2 3\" 'C=4'\"5\" ", vec!["A=1", "B=2 3", "C=45"]),
        (r#"\x41=\101 "\s\"\n" x"#, vec!["A=A", " \"\n", "x"]),
        (r"a \q b", vec!["a"]),
        ("a \"b", vec!["a"]),
        ("", vec![]),
    ] {
        assert_eq!(split(text), expected, "{text}");
    }
    assert_eq!(variables("/a $B ${C_1}x $$D $$$E $-F"), ["B", "C_1", "E"]);
}

#[test]
fn files_of_variables() {
    let text = "# A=1\n; B=1\nC=1\nD = \"x\nE=1\"\n  F='a' b\\\nG=1\nno\nH=\n# \\\nI=1\nJ";
    assert_eq!(names(text.as_bytes()).into_iter().collect::<Vec<_>>(), ["C", "D", "F", "H", "I"]);
}

#[test]
fn names_of_units() {
    for (path, unit) in [
        ("/etc/systemd/system/kubelet.service", Some("kubelet.service")),
        ("/etc/systemd/system/kubelet.service.d/1.conf", Some("kubelet.service")),
        ("/run/systemd/system/a@b.timer.d/1.conf", Some("a@b.timer")),
        ("/etc/systemd/system/kubelet.service.d/1.conf.bak", None),
        ("/etc/systemd/system/kubelet.service.d/a/1.conf", None),
        ("/etc/systemd/system.conf", None),
        ("/etc/systemd/system/service.d/1.conf", None),
        ("/etc/systemd/journald.conf.d/1.conf", None),
    ] {
        assert_eq!(unit_of(path), unit, "{path}");
    }
    assert_eq!(unit_type("a.b.socket"), Some("socket"));
    assert_eq!([unit_type(".service"), unit_type("a b.service"), unit_type("a.conf")], [None; 3]);
    assert_eq!(
        drop_in_directories("a-b--c.service"),
        ["a-b--c.service.d", "a-b--.service.d", "a-b-.service.d", "a-.service.d"]
    );
    assert_eq!(drop_in_directories("a-b@c.service"), ["a-b@c.service.d", "a-b@.service.d", "a-.service.d"]);
    assert_eq!(drop_in_directories("-a.service"), ["-a.service.d"]);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let file = read(&bytes);
        for assignment in &file.assignments {
            assert!(!assignment.value.contains(['\n', '\r', '\0']) && assignment.value.trim_matches([' ', '\t']) == assignment.value);
        }
        let _ = names(&bytes);
    }

    #[test]
    fn any_text_has_words(text in "[ \\\\\"'$%{}a-fxuU0-9=\\n\u{e9}]{0,60}") {
        for name in variables(&text) {
            assert!(text.contains(&format!("${name}")) || text.contains(&format!("${{{name}")));
        }
        assert!(split(&text).iter().map(String::len).sum::<usize>() <= text.len() * 4);
    }

    #[test]
    fn a_value_survives_being_broken_into_lines(words in proptest::collection::vec("[a-z-]{1,8}", 1..8)) {
        let file = read(format!("[Service]\nExecStart={}\n", words.join(" \\\n  # c\n")).as_bytes());
        assert_eq!(file.assignments.first().map(|it| split(&it.value)), Some(words));
        assert_eq!(file.assignments.len(), 1);
    }
}
