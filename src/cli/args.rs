//! The command line, as clap types: what `--help` and the man pages say stands here.

use crate::plan::RotatingItem;
use crate::spec::scalars::ToleratedExit;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0  done; clean
  1  a difference: drift, damage, or `diff` found changes
  2  usage, or the spec is wrong
  3  not trusted: signature missing, wrong, or by an unknown key
  4  wrong host
  5  an older or reused revision
  6  expired, not yet valid, or (with --within) about to expire
  7  the machine failed: I/O, permissions, no space
Several at once: the first of 3, 7, 4, 5, 1, 6.";

/// One spec of a cluster becomes signed, sealed, reproducible bundles, one per host
#[derive(Debug, Parser)]
#[command(name = "sealift", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// How to print what there is to read
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub(super) format: Format,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs: one JSON object on stdout
    Json,
    /// For programs that collect findings: SARIF 2.1.0 on stdout (verify, install, rollback, certs and diff)
    Sarif,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a spec skeleton and the keyring that everything is derived from, or add a seed to one
    Init(Init),
    /// Show all problems of a spec, with line and column, and what a change needs
    Check(Check),
    /// Write the requests that external authorities must sign before a build
    Csr(Csr),
    /// Build the bundles of a cluster
    Build(Build),
    /// Verify bundles, an output directory, or what a host holds
    Verify(Verify),
    /// Show every certificate: what it is for, who issued it, how long it is valid
    Certs(Certs),
    /// Compare two builds: what differs on each host, and what to run and restart for it
    Diff(Diff),
    /// List every image that the hosts need, one a line
    Images(Images),
    /// Put a bundle onto a host: check everything, decrypt, place, remember
    Install(Install),
    /// Go back to the bundle that was installed before, where the spec lets the host keep it
    Rollback(Rollback),
    /// Run the whole journey on an embedded spec, in a directory of its own
    Demo(Demo),
    /// Print a JSON Schema: of the spec, or of what verify prints as JSON
    Schema(Schema),
    /// Print completions for a shell
    Completions(Completions),
    /// Print the man page
    Man,
}

impl Command {
    /// The name on the command line.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Check(_) => "check",
            Self::Csr(_) => "csr",
            Self::Build(_) => "build",
            Self::Verify(_) => "verify",
            Self::Certs(_) => "certs",
            Self::Diff(_) => "diff",
            Self::Images(_) => "images",
            Self::Install(_) => "install",
            Self::Rollback(_) => "rollback",
            Self::Demo(_) => "demo",
            Self::Schema(_) => "schema",
            Self::Completions(_) => "completions",
            Self::Man => "man",
        }
    }

    /// Whether it reports findings, which is what SARIF is for.
    pub(super) fn has_findings(&self) -> bool {
        matches!(
            self,
            Self::Verify(_) | Self::Certs(_) | Self::Diff(_) | Self::Install(_) | Self::Rollback(_)
        )
    }
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The cluster's name
    #[arg(required_unless_present = "add_seed")]
    pub(super) name: Option<String>,
    /// Where to write; a directory called NAME by default. With --add-seed: where the spec is, the
    /// current directory by default
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Who may open the keyring: age1… or "ssh-ed25519 …"; without any, an operator.key is made
    #[arg(long = "operator", value_name = "RECIPIENT")]
    pub(super) operators: Vec<String>,
    /// Add a new seed to the keyring of the spec in DIR, under the next number, and encrypt the
    /// keyring to the spec's operators. No seed that is there changes
    #[arg(long, conflicts_with_all = ["name", "operators"], requires = "identities")]
    pub(super) add_seed: bool,
    /// The keyring that gets the seed; seed.age beside the spec by default
    #[arg(long, value_name = "FILE", requires = "add_seed")]
    pub(super) seed: Option<PathBuf>,
    /// An age or OpenSSH identity file that opens the keyring ("-" is standard input)
    #[arg(short, long = "identity", value_name = "FILE", requires = "add_seed")]
    pub(super) identities: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The spec
    pub(super) spec: PathBuf,
    /// The output of the build before the change: say host by host what the change does
    #[arg(long, value_name = "OUT")]
    pub(super) previous: Option<PathBuf>,
    /// The directory that the build gets as --templates
    #[arg(long, value_name = "DIR", requires = "previous")]
    pub(super) templates: Option<PathBuf>,
    /// What `sealift verify --root / --format json` said on the hosts, a *.json each: proves that the
    /// step before of a rotation arrived everywhere
    #[arg(long, value_name = "DIR", requires = "previous")]
    pub(super) receipts: Option<PathBuf>,
    /// Let the next step of this rotation pass without proof, with a warning: kubernetes, etcd,
    /// front-proxy, service-account or encryption-at-rest. May be repeated
    #[arg(long, value_name = "ITEM", requires = "previous", value_parser = rotating)]
    pub(super) unproven: Vec<RotatingItem>,
}

/// An item's name.
fn rotating(text: &str) -> Result<RotatingItem, String> {
    let names = || RotatingItem::ALL.iter().map(|item| item.name()).collect::<Vec<_>>().join(", ");
    let found = RotatingItem::ALL.iter().copied().find(|item| item.name() == text);
    found.ok_or_else(|| format!("nothing of that name is replaced in steps; there are {}", names()))
}

#[derive(Debug, Args)]
pub(super) struct Csr {
    /// The spec
    pub(super) spec: PathBuf,
    /// The keyring; seed.age beside the spec by default
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// An age or OpenSSH identity file that opens the keyring ("-" is standard input)
    #[arg(short, long = "identity", value_name = "FILE")]
    pub(super) identities: Vec<PathBuf>,
    /// Where to write HOST/ID.csr: a new directory, or one with such requests, which are replaced
    #[arg(short, long, value_name = "DIR")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// The spec
    pub(super) spec: PathBuf,
    /// The keyring; seed.age beside the spec by default
    #[arg(long, value_name = "FILE")]
    pub(super) seed: Option<PathBuf>,
    /// An age or OpenSSH identity file that opens the keyring, and the keys of imported authorities
    /// ("-" is standard input)
    #[arg(short, long = "identity", value_name = "FILE")]
    pub(super) identities: Vec<PathBuf>,
    /// Where to write; bundles/CLUSTER beside the spec by default
    #[arg(short, long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Build this host only and keep the other bundles as they are
    #[arg(long = "host", value_name = "NAME")]
    pub(super) hosts: Vec<String>,
    /// Build every bundle anew, even where its inputs did not change
    #[arg(long)]
    pub(super) rebuild: bool,
    /// Replace single templates by files of this directory
    #[arg(long, value_name = "DIR")]
    pub(super) templates: Option<PathBuf>,
    /// How many threads; all cores by default. Never changes a byte
    #[arg(short, long, value_name = "N")]
    pub(super) jobs: Option<std::num::NonZeroUsize>,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Bundles or output directories; with --root at most one bundle that the host should hold
    #[arg(required_unless_present = "root")]
    pub(super) paths: Vec<PathBuf>,
    /// Verify what the host with this root directory holds
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    #[command(flatten)]
    pub(super) trust: Trust,
    /// The time to judge validity by, RFC 3339; now by default
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Also report what expires within this time, such as 30d
    #[arg(long, value_name = "DURATION")]
    pub(super) within: Option<String>,
    /// Also open what is sealed with this identity and check it (bundles only)
    #[arg(short, long = "identity", value_name = "FILE", conflicts_with = "root")]
    pub(super) identities: Vec<PathBuf>,
    /// Let findings of this exit code (1, 4, 5, 6 or 7) pass: they are printed and do not count. May
    /// be repeated. What is not trusted never passes
    #[arg(long, value_name = "CODE", value_parser = tolerated)]
    pub(super) tolerate: Vec<u8>,
    /// Also write what was found as metrics, for node-exporter's textfile collector; what cannot be written
    /// is exit 7, and the findings are told all the same
    #[arg(long, value_name = "FILE", requires = "root")]
    pub(super) metrics: Option<PathBuf>,
    /// Print nothing but usage errors: the exit code tells
    #[arg(short, long)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Certs {
    /// Specs (.yaml: what would be built, without a keyring), bundles or output directories
    #[arg(required_unless_present = "root", conflicts_with = "root")]
    pub(super) paths: Vec<PathBuf>,
    /// Show what the host with this root directory holds, whoever put it there: kubeadm's, the
    /// kubelet's and etcd's places, and what sealift installed. Nothing is verified but validity
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Keys to trust, in OpenSSH's `allowed_signers` form; /etc/sealift/trust by default. Bundles and
    /// output directories are shown only when one of these signed them
    #[arg(long, value_name = "FILE", conflicts_with = "root")]
    pub(super) trust: Option<PathBuf>,
    /// The time to judge validity by, RFC 3339; now by default
    #[arg(long, value_name = "TIME")]
    pub(super) at: Option<String>,
    /// Exit with 6 also when a certificate ends within this time, such as 30d
    #[arg(long, value_name = "DURATION")]
    pub(super) within: Option<String>,
    /// Also read the kubeconfigs that this identity opens (bundles only)
    #[arg(short, long = "identity", value_name = "FILE", conflicts_with = "root")]
    pub(super) identities: Vec<PathBuf>,
}

const DIFF_EXAMPLE: &str = "\
Example: what the next rollout does, with the texts that change
  cp -r out before
  sealift build prod/sealift.yaml -i operator.key -o out
  sealift diff before out --trust trust --text";

#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLE)]
pub(super) struct Diff {
    /// The build before: a bundle or an output directory
    pub(super) old: PathBuf,
    /// The build after: the same host's bundle, or the same cluster's output directory
    pub(super) new: PathBuf,
    /// Show the changes of public texts, as a unified diff
    #[arg(long)]
    pub(super) text: bool,
    /// Keys to trust, in OpenSSH's `allowed_signers` form. Without it nothing says who signed: only
    /// that both are whole, and whether one key signed both
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
}

const IMAGES: &str = "\
Example: fetch them on a machine that may, and carry them into your own registry
  sealift images sealift.yaml | while read -r image; do
    skopeo copy \"docker://$image\" \"docker://registry.example/${image#*/}\"
  done";

#[derive(Debug, Args)]
#[command(after_help = IMAGES)]
pub(super) struct Images {
    /// The spec
    pub(super) spec: PathBuf,
}

/// The codes that the spec allows for the kubelet's gate.
fn tolerated(text: &str) -> Result<u8, String> {
    text.parse::<ToleratedExit>().map(ToleratedExit::get).map_err(|error| error.message)
}

#[derive(Debug, Args)]
pub(super) struct Trust {
    /// Keys to trust, in OpenSSH's `allowed_signers` form; etc/sealift/trust of the root by default
    #[arg(long = "trust", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

// What every command that writes a host takes; no doc comment, which clap would take for the commands' own.
#[derive(Debug, Args)]
pub(super) struct OnHost {
    /// The identity that the host's bundles are sealed to, such as `/etc/ssh/ssh_host_ed25519_key`
    #[arg(short, long = "identity", value_name = "FILE", required = true)]
    pub(super) identities: Vec<PathBuf>,
    /// The root directory of the host
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(super) root: PathBuf,
    #[command(flatten)]
    pub(super) trust: Trust,
    /// Check everything and show what would change, texts as a diff and never a secret; write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Install {
    /// The host's bundle
    pub(super) bundle: PathBuf,
    #[command(flatten)]
    pub(super) host: OnHost,
    /// Install an older revision, or other contents under the same revision
    #[arg(long)]
    pub(super) allow_rollback: bool,
    /// Install a bundle whose validity has ended, or whose certificates have not begun
    #[arg(long)]
    pub(super) allow_expired: bool,
    /// Install although the machine has another name; remove files of an earlier revision that were
    /// changed since, and replace files that differ in fields that must hold
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rollback {
    #[command(flatten)]
    pub(super) host: OnHost,
    /// Go back although the earlier bundle's validity has ended
    #[arg(long)]
    pub(super) allow_expired: bool,
    /// Go back although the machine has another name; remove files that were changed since, and
    /// replace files that differ in fields that must hold
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where to work; a new temporary directory by default
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// What the schema is of
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = SchemaOf::Spec)]
    pub(super) of: SchemaOf,
}

/// What has a published JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// The spec
    Spec,
    /// What `sealift verify --format json` prints; findings of other commands are its $defs/Finding
    Findings,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}
