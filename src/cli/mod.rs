//! The command line: the only place that prints, exits, and reads the environment and the clock.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is where the world is read")]

mod add_seed;
mod args;
mod brought;
mod build;
mod certs;
mod change;
mod check;
mod csr;
mod demo;
mod diff;
mod failure;
mod images;
mod init;
mod install;
mod keyring;
mod metrics;
mod output;
mod output_directory;
mod receipts;
mod rollback;
mod sarif;
mod steps;
mod verify;
mod world;

use args::{Cli, Command, SchemaOf};
use clap::{CommandFactory, Parser};
use failure::{Failure, USAGE};
use output::Output;
use std::io::{self, IsTerminal, Write};

/// Runs the command line of this process and returns the exit code.
pub fn run() -> u8 {
    harden();
    let mut data = anstream::AutoStream::auto(io::stdout().lock());
    let mut messages = anstream::AutoStream::auto(io::stderr().lock());
    if std::env::args_os().any(|argument| is_secret(argument.as_encoded_bytes())) {
        drop(messages.write_all(SECRET_ARGUMENT.as_bytes()));
        return USAGE;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { USAGE } else { 0 };
            drop(error.print());
            return exit;
        }
    };
    let progress = io::stderr().is_terminal();
    let format = cli.format;
    let silent = matches!(&cli.command, Command::Verify(arguments) if arguments.quiet);
    let (data, messages) = (&mut data, &mut messages);
    let mut output = Output { format, data, messages, progress, silent, broken: None };
    let exit = execute(&cli, &mut output);
    let flushed = output.data.flush();
    output.keep(flushed);
    match output.broken.take() {
        Some(error) => {
            output.note(format_args!("error: cannot write the output: {}", world::reason(&error)));
            failure::MACHINE
        }
        None => exit,
    }
}

/// What is said of a secret on the command line, before anything could repeat it.
const SECRET_ARGUMENT: &str = "\
error: an argument is a private key, not the name of a file
hint: the shell's history and the list of processes have it now: replace that key, and give the name of the
      file that it is in, or `-i -` and the key on standard input
";

/// Whether an argument holds an age identity or a private key in PEM.
fn is_secret(argument: &[u8]) -> bool {
    let argument = argument.to_ascii_uppercase();
    let has = |word: &[u8]| argument.windows(word.len()).any(|window| window == word);
    has(b"AGE-SECRET-KEY-") || has(b"PRIVATE KEY-----")
}

/// No core dumps and no other process of this user looking in: secrets pass through this one.
fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    // where the system forbids it (some containers do), going on is better than not working
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

fn execute(cli: &Cli, output: &mut Output<'_>) -> u8 {
    let name = cli.command.name();
    if output.is_sarif() && !cli.command.has_findings() {
        let failure = Failure::new(USAGE, format!("{name} has no findings to print as SARIF"));
        return stopped(name, &failure.hint("leave --format away, or give --format json"), output);
    }
    let result = match &cli.command {
        Command::Init(arguments) => init::run(arguments, output),
        Command::Check(arguments) => check::run(arguments, output),
        Command::Csr(arguments) => csr::run(arguments, output),
        Command::Build(arguments) => build::run(arguments, output),
        Command::Verify(arguments) => verify::run(arguments, output),
        Command::Certs(arguments) => certs::run(arguments, output),
        Command::Diff(arguments) => diff::run(arguments, output),
        Command::Images(arguments) => images::run(arguments, output),
        Command::Install(arguments) => install::run(arguments, output),
        Command::Rollback(arguments) => rollback::run(arguments, output),
        Command::Demo(arguments) => demo::run(arguments, output),
        Command::Schema(arguments) => Ok(schema(arguments.of, output)),
        Command::Completions(arguments) => Ok(completions(arguments.shell, output)),
        Command::Man => man(output),
    };
    result.unwrap_or_else(|failure| stopped(name, &failure, output))
}

fn stopped(name: &'static str, failure: &Failure, output: &mut Output<'_>) -> u8 {
    output.failure(name, failure);
    failure.exit
}

fn schema(of: SchemaOf, output: &mut Output<'_>) -> u8 {
    let schema = match of {
        SchemaOf::Spec => crate::spec::schema(),
        SchemaOf::Findings => verify::schema(),
    };
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    output.raw(text.as_bytes());
    output.raw(b"\n");
    0
}

fn completions(shell: clap_complete::Shell, output: &mut Output<'_>) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sealift", &mut text);
    output.raw(&text);
    0
}

/// The page of the program, then one of each command.
fn man(output: &mut Output<'_>) -> Result<u8, Failure> {
    let mut program = Cli::command();
    program.build();
    let mut text = Vec::new();
    let pages = std::iter::once(&program).chain(program.get_subcommands());
    for page in pages {
        clap_mangen::Man::new(page.clone())
            .render(&mut text)
            .map_err(|error| Failure::from_error(failure::MACHINE, &error))?;
    }
    output.raw(&text);
    Ok(0)
}
