//! `sealift demo`: the whole journey on an embedded spec, told as it happens.

use super::args::{Cli, Demo, Format};
use super::failure::{Failure, MACHINE, USAGE};
use super::output::Output;
use super::world;
use age::secrecy::ExposeSecret;
use anstyle::{AnsiColor, Style};
use clap::Parser;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::{LineEnding, PrivateKey};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const HOSTS: [&str; 3] = ["infra0", "infra1", "infra2"];
const MACHINE_ENTRY: &str =
    "  @HOST@:\n    addresses: [10.0.0.@LAST@]\n    roles: [etcd]\n    recipients: [@RECIPIENTS@]\n";
/// How many of the files that an install creates are shown.
const SHOWN_FILES: usize = 2;
const COMMAND: Style = Style::new().bold();
const CHAPTER: Style = AnsiColor::Magenta.on_default().bold();

pub(super) fn run(arguments: &Demo, output: &mut Output<'_>) -> Result<u8, Failure> {
    let directory = directory(arguments)?;
    let mut story = Story { directory, output, surprises: Vec::new() };
    story.tell()?;
    let directory = story.directory.display().to_string();
    if let Some(surprise) = story.surprises.first() {
        return Err(Failure::new(MACHINE, format!("the demo went otherwise than told: {surprise}"))
            .hint(format!("look into {directory}, and please report it")));
    }
    output.json(&serde_json::json!({"command": "demo", "exit": 0, "directory": directory}));
    output.note(format_args!("everything is in {directory}; remove it when you have seen enough"));
    Ok(0)
}

fn directory(arguments: &Demo) -> Result<PathBuf, Failure> {
    let Some(directory) = &arguments.dir else {
        let made = tempfile::Builder::new().prefix("sealift-demo-").tempdir();
        let made = made.map_err(|error| world::unwritable(&std::env::temp_dir(), &error))?;
        return Ok(made.keep());
    };
    fs::create_dir_all(directory).map_err(|error| world::unwritable(directory, &error))?;
    let mut entries = fs::read_dir(directory).map_err(|error| world::unreadable(directory, &error))?;
    if entries.next().is_some() {
        return Err(Failure::new(USAGE, format!("{} is not empty", directory.display()))
            .hint("name a new directory with --dir"));
    }
    Ok(directory.clone())
}

/// A demo under way.
struct Story<'o, 'w> {
    directory: PathBuf,
    output: &'o mut Output<'w>,
    surprises: Vec<String>,
}

impl Story<'_, '_> {
    fn tell(&mut self) -> Result<(), Failure> {
        self.chapter("A new cluster: a spec, and a keyring that only the operator opens");
        self.sealift(0, &["init", "demo", "--dir", "demo"]);
        self.machines()?;
        self.chapter("Three machines got their keys; the spec names them. Is it right?");
        self.sealift(0, &["check", "demo/sealift.yaml"]);
        self.chapter("One signed bundle per machine, its keys sealed to that machine alone");
        self.sealift(0, &["build", "demo/sealift.yaml", "-i", "demo/operator.key", "-o", "out"]);
        self.sealift(0, &["verify", "out", "--trust", "out/trust"]);
        self.chapter("Any transport carries them. On each host: check everything, decrypt, place, remember");
        for (host, key) in HOSTS.into_iter().zip(["age.key", "ssh_host_ed25519_key", "age.key"]) {
            self.install(0, host, host, key);
        }
        for host in HOSTS {
            self.sealift(0, &["verify", "--root", &format!("hosts/{host}/root")]);
        }
        self.chapter("Somebody edits a manifest and leaves a file: the kubelet's gate would stop here");
        self.edit("hosts/infra0/root/etc/kubernetes/manifests/etcd.yaml", b"# just a quick fix\n")?;
        self.edit("hosts/infra0/root/etc/kubernetes/manifests/.etcd.yaml.swp", b"")?;
        self.sealift(1, &["verify", "--root", "hosts/infra0/root"]);
        self.chapter("Installing again repairs what is ours and touches nothing else");
        self.install(0, "infra0", "infra0", "age.key");
        self.remove("hosts/infra0/root/etc/kubernetes/manifests/.etcd.yaml.swp")?;
        self.sealift(0, &["verify", "--root", "hosts/infra0/root"]);
        self.chapter("A bundle with one flipped bit, and another host's bundle, install nothing");
        self.flip("out/infra1.tar.gz", "damaged.tar.gz")?;
        self.sealift(1, &["verify", "damaged.tar.gz", "--trust", "out/trust"]);
        self.install(4, "infra2", "infra1", "ssh_host_ed25519_key");
        self.chapter("Build again, anywhere, any time: the same bytes");
        let again = ["build", "demo/sealift.yaml", "-i", "demo/operator.key", "-o", "again", "-j1"];
        self.sealift(0, &again);
        self.compare("out/SHA256SUMS", "again/SHA256SUMS")
    }

    fn chapter(&mut self, text: &str) {
        self.output.line(format_args!("\n{CHAPTER}{text}{CHAPTER:#}"));
    }

    /// Runs one command in the demo's directory and shows it with what it says. Paths are shown as
    /// a person in that directory would type them.
    fn sealift(&mut self, expected: u8, arguments: &[&str]) {
        let shown = arguments.join(" ");
        self.output.line(format_args!("{COMMAND}$ sealift {shown}{COMMAND:#}"));
        let located = arguments.iter().enumerate().map(|(index, word)| self.located(index, word));
        let (mut data, mut messages) = (Vec::new(), Vec::new());
        let mut inner = Output {
            format: Format::Text,
            data: &mut data,
            messages: &mut messages,
            progress: false,
            silent: false,
            broken: None,
        };
        let words = std::iter::once("sealift".to_owned()).chain(located);
        let exit = match Cli::try_parse_from(words) {
            Ok(cli) => super::execute(&cli, &mut inner),
            Err(error) => {
                inner.note(error);
                USAGE
            }
        };
        data.extend_from_slice(&messages);
        let prefix = format!("{}/", self.directory.display());
        let text = String::from_utf8_lossy(&data).replace(&prefix, "");
        let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
        self.excerpt(&lines);
        if exit != 0 {
            self.output.line(format_args!("  (exit code {exit})"));
        }
        if exit != expected {
            self.surprises.push(format!("`sealift {shown}` exits with {exit}, not {expected}"));
        }
    }

    /// What a command said; of a first install, which names every file, only the beginning and the end.
    fn excerpt(&mut self, lines: &[&str]) {
        let is_created = |line: &&&str| line.trim_start().starts_with("created ");
        let hidden = lines.iter().filter(is_created).count().saturating_sub(SHOWN_FILES);
        let mut created = 0;
        for line in lines {
            created += usize::from(is_created(&line));
            if !is_created(&line) || created <= SHOWN_FILES {
                self.output.line(format_args!("  {line}"));
            } else if created == SHOWN_FILES + 1 {
                self.output.line(format_args!("    … and {hidden} more"));
            }
        }
    }

    /// Words that are paths, made absolute: a process has one working directory, and it stays.
    fn located(&self, index: usize, word: &str) -> String {
        let path =
            index > 0 && (word.contains('/') || ["out", "again", "demo", "damaged.tar.gz"].contains(&word));
        let name = index == 1 && word == "demo";
        if path && !name { self.directory.join(word).display().to_string() } else { word.to_owned() }
    }

    fn install(&mut self, expected: u8, bundle: &str, host: &str, key: &str) {
        let (bundle, identity) = (format!("out/{bundle}.tar.gz"), format!("hosts/{host}/{key}"));
        let root = format!("hosts/{host}/root");
        let words = ["install", &bundle, "-i", &identity, "--root", &root, "--trust", "out/trust"];
        self.sealift(expected, &words);
    }

    /// Gives the machines identities and root directories, and writes them into the spec.
    fn machines(&mut self) -> Result<(), Failure> {
        let mut hosts = String::from("hosts:\n");
        for (number, host) in HOSTS.into_iter().enumerate() {
            let directory = self.directory.join("hosts").join(host);
            let root = directory.join("root/etc");
            fs::create_dir_all(&root).map_err(|error| world::unwritable(&root, &error))?;
            write(&root.join("hostname"), format!("{host}\n").as_bytes())?;
            let mut recipients = Vec::new();
            if number != 1 {
                recipients.push(Self::age_key(&directory)?);
            }
            if number != 0 {
                recipients.push(Self::ssh_key(&directory, host)?);
            }
            let quoted: Vec<_> = recipients.iter().map(|recipient| format!("\"{recipient}\"")).collect();
            let (number, list) = (6 + number, quoted.join(", "));
            hosts.push_str(
                &MACHINE_ENTRY
                    .replace("@HOST@", host)
                    .replace("@LAST@", &number.to_string())
                    .replace("@RECIPIENTS@", &list),
            );
        }
        let path = self.directory.join("demo/sealift.yaml");
        let spec = String::from_utf8_lossy(&world::read(&path)?).replace("hosts: {}\n", &hosts);
        write(&path, spec.as_bytes())
    }

    fn age_key(directory: &Path) -> Result<String, Failure> {
        let identity = age::x25519::Identity::generate();
        let text = Zeroizing::new(format!("{}\n", identity.to_string().expose_secret()));
        create(&directory.join("age.key"), text.as_bytes())?;
        Ok(identity.to_public().to_string())
    }

    /// What `ssh-keygen -t ed25519` makes when a machine is set up.
    fn ssh_key(directory: &Path, host: &str) -> Result<String, Failure> {
        let failed = |error: ssh_key::Error| Failure::from_error(MACHINE, &error);
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut())
            .map_err(|error| Failure::new(MACHINE, format!("no randomness from the system: {error}")))?;
        let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let pair = Ed25519Keypair {
            public: ssh_key::public::Ed25519PublicKey(public),
            private: Ed25519PrivateKey::from_bytes(&seed),
        };
        let key = PrivateKey::new(KeypairData::Ed25519(pair), host).map_err(failed)?;
        let text = key.to_openssh(LineEnding::LF).map_err(failed)?;
        create(&directory.join("ssh_host_ed25519_key"), text.as_bytes())?;
        let public = key.public_key().to_openssh().map_err(failed)?;
        Ok(public.split(' ').take(2).collect::<Vec<_>>().join(" "))
    }

    fn edit(&mut self, file: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.directory.join(file);
        let what = if bytes.is_empty() { "touch" } else { "echo '# just a quick fix' >>" };
        self.output.line(format_args!("{COMMAND}$ {what} {file}{COMMAND:#}"));
        let append = || {
            let mut file = fs::OpenOptions::new().append(true).create(true).open(&path)?;
            file.write_all(bytes)
        };
        append().map_err(|error| world::unwritable(&path, &error))
    }

    fn remove(&mut self, file: &str) -> Result<(), Failure> {
        self.output.line(format_args!("{COMMAND}$ rm {file}{COMMAND:#}"));
        let path = self.directory.join(file);
        fs::remove_file(&path).map_err(|error| world::unwritable(&path, &error))
    }

    fn flip(&mut self, from: &str, to: &str) -> Result<(), Failure> {
        let mut bytes = world::read(&self.directory.join(from))?;
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        self.output.line(format_args!("# {to} is {from} with bit {} flipped", middle * 8));
        write(&self.directory.join(to), &bytes)
    }

    fn compare(&mut self, one: &str, other: &str) -> Result<(), Failure> {
        self.output.line(format_args!("{COMMAND}$ cmp {one} {other}{COMMAND:#}"));
        if world::read(&self.directory.join(one))? != world::read(&self.directory.join(other))? {
            self.surprises.push(format!("{one} and {other} differ"));
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| world::unwritable(path, &error))
}

fn create(path: &Path, key: &[u8]) -> Result<(), Failure> {
    super::init::create(path, 0o600, key).map_err(|error| world::unwritable(path, &error))
}
