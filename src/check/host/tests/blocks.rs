//! Blocks in files that are not ours: drift inside is found, and nothing else.

use super::{PLAIN, found, verify};
use crate::bundle::sums::sha256_hex;
use crate::check::obstacles::REINSTALL;
use crate::finding::{Finding, Id};
use crate::host::testkit::{Draft, Host, block, is_root, options};
use std::fs;
use std::os::unix::fs::{chown, symlink};

const HOSTS: &str = "/etc/hosts";
const LINES: &str = "10.0.0.6 cp1\n";
const DAMAGED: &str = "leave one `# BEGIN sealift` and one `# END sealift` after it, or none of both, then run `sealift install` again with this host's bundle";

fn draft() -> Draft {
    let mut draft = Draft::new();
    draft.block(HOSTS, LINES);
    draft
}

/// What is found when the file holds this.
fn with(text: &[u8]) -> Vec<String> {
    let (host, _) = Host::with(&draft());
    host.write(HOSTS, text);
    found(&host)
}

#[test]
fn what_stands_around_a_block_is_nobodys() {
    let (host, _) = Host::with(&draft());
    assert_eq!(found(&host), [""; 0]);
    host.chmod(HOSTS, 0o600);
    if is_root() {
        chown(host.path(HOSTS), Some(12), Some(34)).unwrap();
    }
    assert_eq!(found(&host), [""; 0]);
    let own = block(LINES);
    for text in [
        format!("127.0.0.1 localhost\n{own}"),
        format!("127.0.0.1 localhost\r\n{own}::1 localhost\r\n"),
        format!("\0\u{1}\n{own}no line feed"),
        format!("{own}\n\n# BEGIN sealift.\n#END sealift\n"),
    ] {
        assert_eq!(with(text.as_bytes()), [""; 0], "{text:?}");
    }
    fs::hard_link(host.path(HOSTS), host.path("/etc/hosts.copy")).unwrap();
    assert_eq!(found(&host), [""; 0]);
}

#[test]
fn drift_inside_a_block() {
    let own = block(LINES);
    for text in [
        own.replace("10.0.0.6", "10.0.0.66"),
        own.replace("10.0.0.6", " 10.0.0.6"),
        own.replace('\n', "\r\n"),
        own.replace("# BEGIN", "\t# BEGIN"),
        own.trim_end().to_owned(),
        own.replace(LINES, ""),
        own.replace(LINES, &format!("{LINES}{LINES}")),
    ] {
        assert_eq!(with(text.as_bytes()), ["block-differs /etc/hosts"], "{text:?}");
    }
    for text in ["", "127.0.0.1 localhost\n", "# BEGIN sealift2\n# END sealift2\n"] {
        assert_eq!(with(text.as_bytes()), ["block-missing /etc/hosts"], "{text:?}");
    }
    let (begin, end) = ("# BEGIN sealift\n", "# END sealift\n");
    for text in [
        begin.to_owned(),
        end.to_owned(),
        format!("{end}{begin}"),
        format!("{own}{own}"),
        format!("{begin}{own}{end}"),
        format!("{own}{end}"),
        format!("{begin}{own}"),
    ] {
        assert_eq!(with(text.as_bytes()), ["block-damaged /etc/hosts"], "{text:?}");
    }
}

#[test]
fn findings_say_what_to_do() {
    let draft = draft();
    let (host, _) = Host::with(&draft);
    let (own, other) = (block(LINES), block("10.0.0.7 cp1\n"));
    let sha256 = |text: &str| format!("sha256:{}", sha256_hex(text.as_bytes()));
    host.write(HOSTS, format!("127.0.0.1 localhost\n{other}").as_bytes());
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [Finding::new(Id::BlockDiffers, HOSTS, REINSTALL).expected(sha256(&own)).found(sha256(&other))]
    );
    let damaged = |found: &str| {
        Finding::new(Id::BlockDamaged, HOSTS, DAMAGED)
            .expected("one block from `# BEGIN sealift` to `# END sealift` in at most 16 MiB")
            .found(found)
    };
    host.write(HOSTS, format!("{own}{own}").as_bytes());
    assert_eq!(
        verify(&host, &PLAIN).findings,
        [damaged("`# BEGIN sealift` in lines 1, 4, `# END sealift` in lines 3, 6")]
    );
    fs::File::options().write(true).open(host.path(HOSTS)).unwrap().set_len((16 << 20) + 1).unwrap();
    assert_eq!(verify(&host, &PLAIN).findings, [damaged("more bytes")]);
}

#[test]
fn something_else_in_the_place_of_the_file() {
    let draft = draft();
    let (host, bundle) = Host::with(&draft);
    fs::remove_file(host.path(HOSTS)).unwrap();
    assert_eq!(found(&host), ["file-missing /etc/hosts"]);
    symlink("hosts.real", host.path(HOSTS)).unwrap();
    host.write("/etc/hosts.real", block(LINES).as_bytes());
    assert_eq!(found(&host), ["type-mismatch /etc/hosts"]);
    fs::remove_file(host.path(HOSTS)).unwrap();
    fs::create_dir(host.path(HOSTS)).unwrap();
    assert_eq!(found(&host), ["type-mismatch /etc/hosts"]);
    fs::remove_dir(host.path(HOSTS)).unwrap();
    host.install(&draft, &bundle, &options()).unwrap();
    assert_eq!(found(&host), [""; 0]);
}
