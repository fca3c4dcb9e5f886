//! `sealift init`: a spec skeleton, and a keyring from the operating system's random source.

use super::add_seed;
use super::args::Init;
use super::failure::{Failure, USAGE};
use super::keyring::{self, encrypt, random};
use super::output::Output;
use super::world;
use crate::derive::keyring::Keyring;
use crate::spec::scalars::{ClusterName, Recipient};
use age::secrecy::ExposeSecret;
use rustix::fs::{Mode, OFlags};
use serde::Serialize;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use zeroize::Zeroizing;

const SKELETON: &str = include_str!("skeleton.yaml");

#[derive(Serialize)]
struct Made<'a> {
    command: &'static str,
    exit: u8,
    spec: String,
    keyring: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_key: Option<String>,
    cluster: &'a str,
}

pub(super) fn run(arguments: &Init, output: &mut Output<'_>) -> Result<u8, Failure> {
    if arguments.add_seed {
        return add_seed::run(arguments, output);
    }
    let name = arguments.name.as_deref().unwrap_or_default();
    let name: ClusterName = name.parse().map_err(|error| {
        Failure::new(USAGE, format!("{name}: {error}")).hint("a name such as prod or dc1-etcd")
    })?;
    let directory = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    let spec = directory.join("sealift.yaml");
    let keyring = directory.join(keyring::FILE);
    let key = directory.join("operator.key");
    refuse_existing(&[&spec, &keyring, &key])?;
    let mut recipients = recipients(&arguments.operators)?;
    let cluster = hex::encode(*random::<16>()?);
    let seed = random::<32>()?;
    fs::create_dir_all(&directory).map_err(|error| world::unwritable(&directory, &error))?;
    let own = recipients.is_empty().then(age::x25519::Identity::generate);
    if let Some(identity) = &own {
        recipients.push(identity.to_public().to_string());
    }
    let sealed = encrypt(&Keyring::write(&cluster, &seed), &recipients)?;
    let mut made = Vec::new();
    let result = write_all(&directory, &name, &cluster, &recipients, own.as_ref(), &sealed, &mut made);
    if let Err(failure) = result {
        // nothing half-made stays behind
        for path in &made {
            drop(fs::remove_file(path));
        }
        return Err(failure);
    }
    output.json(&Made {
        command: "init",
        exit: 0,
        spec: spec.display().to_string(),
        keyring: keyring.display().to_string(),
        operator_key: own.is_some().then(|| key.display().to_string()),
        cluster: &cluster,
    });
    output.good("wrote", format_args!("{}: describe your hosts there", spec.display()));
    output.good(
        "wrote",
        format_args!(
            "{}: the keyring; keep copies, every key of the cluster comes from it",
            keyring.display()
        ),
    );
    if own.is_some() {
        output.good("wrote", format_args!("{}: opens the keyring", key.display()));
        output.warning(
            format_args!("{} can make every key of this cluster and is not encrypted", key.display()),
            "move it to a safe place, or start again with --operator and a recipient whose key is in one",
        );
    }
    output.note(format_args!("next: sealift check {}", spec.display()));
    Ok(0)
}

fn refuse_existing(paths: &[&Path]) -> Result<(), Failure> {
    let existing = paths.iter().find(|path| path.symlink_metadata().is_ok());
    existing.map_or(Ok(()), |path| {
        Err(Failure::new(USAGE, format!("{} exists already", path.display()))
            .hint("a new seed makes a new cluster: name another directory with --dir"))
    })
}

fn recipients(given: &[String]) -> Result<Vec<String>, Failure> {
    let parse = |text: &String| {
        let recipient: Recipient = text.parse().map_err(|error: crate::spec::scalars::ScalarError| {
            Failure::new(USAGE, format!("--operator: {}", error.message)).hint(error.hint.unwrap_or_default())
        })?;
        Ok(recipient.to_string())
    };
    given.iter().map(parse).collect()
}

fn write_all(
    directory: &Path,
    name: &ClusterName,
    cluster: &str,
    recipients: &[String],
    own: Option<&age::x25519::Identity>,
    sealed: &[u8],
    made: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    let mut write = |file: &str, mode: u32, bytes: &[u8]| {
        let path = directory.join(file);
        create(&path, mode, bytes).map_err(|error| world::unwritable(&path, &error))?;
        made.push(path);
        Ok::<(), Failure>(())
    };
    if let Some(identity) = own {
        let text =
            format!("# public key: {}\n{}\n", identity.to_public(), identity.to_string().expose_secret());
        write("operator.key", 0o600, Zeroizing::new(text).as_bytes())?;
        if directory.join(".gitignore").symlink_metadata().is_err() {
            write(".gitignore", 0o666, b"/operator.key\n")?;
        }
    }
    write(keyring::FILE, 0o666, sealed)?;
    write("sealift.yaml", 0o666, skeleton(name, cluster, recipients).as_bytes())
}

/// The skeleton with this cluster's values. The epoch is midnight of today, UTC: round, and past.
fn skeleton(name: &ClusterName, cluster: &str, recipients: &[String]) -> String {
    let today =
        OffsetDateTime::from_unix_timestamp(world::now()).unwrap_or(OffsetDateTime::UNIX_EPOCH).date();
    let operators: Vec<_> = recipients.iter().map(|recipient| format!("    - {recipient}")).collect();
    SKELETON
        .replace("@NAME@", name.as_str())
        .replace("@ID@", cluster)
        .replace("@EPOCH@", &format!("{today}T00:00:00Z"))
        .replace("@OPERATORS@", &operators.join("\n"))
}

/// Creates a file that must not exist, with its mode from the first moment.
pub(super) fn create(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = fs::File::from(rustix::fs::open(path, flags, Mode::from_raw_mode(mode))?);
    file.write_all(bytes)?;
    file.sync_all()
}
