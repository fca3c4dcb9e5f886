//! Differences, said to people.

use crate::check::diff::{
    Contents, DirectoryDiff, Effect, EffectKind, Fact, FileDiff, HostDiff, State, Value,
};
use crate::cli::check::counted;
use crate::cli::output::Output;
use crate::finding::is_plain;

/// What was told, in numbers.
#[derive(Default)]
pub(super) struct Tally {
    hosts: Counts,
    files: Counts,
    not_compared: usize,
    /// Whether any host was told.
    any: bool,
}

#[derive(Default)]
struct Counts {
    added: usize,
    changed: usize,
    removed: usize,
}

impl Counts {
    fn count(&mut self, state: State) {
        match state {
            State::Added => self.added += 1,
            State::Changed => self.changed += 1,
            State::Removed => self.removed += 1,
            State::NotCompared => {}
        }
    }

    fn text(&self) -> Vec<String> {
        [(self.changed, "changed"), (self.added, "added"), (self.removed, "removed")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| format!("{number} {what}"))
            .collect()
    }
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    /// Says what differs of one host.
    pub(super) fn tell(&mut self, diff: &HostDiff, output: &mut Output<'_>) {
        self.any = true;
        self.hosts.count(diff.state);
        self.not_compared += usize::from(diff.state == State::NotCompared);
        let files = diff.files.len();
        let state = match diff.state {
            State::Added => format!("added, {}", counted(files, "file")),
            State::Removed => "removed; what it holds stays on it".to_owned(),
            State::Changed if files == 0 => "changed, but none of its files".to_owned(),
            State::Changed => "changed".to_owned(),
            State::NotCompared => "not compared, see below".to_owned(),
        };
        output.line(format_args!("{}: {state}", diff.host));
        for fact in facts(&diff.facts, true) {
            output.line(format_args!("    {fact}"));
        }
        if diff.state == State::Changed {
            diff.files.iter().for_each(|file| self.files.count(file.state));
            lines(diff, output);
        }
        effects(diff, output);
        for text in diff.files.iter().filter_map(|file| file.text.as_deref()) {
            output.line(text.trim_end_matches('\n'));
        }
    }

    /// Says what the indexes have of the whole build.
    pub(super) fn index(&self, all: &[Fact], output: &mut Output<'_>) {
        let facts = facts(all, self.is_empty());
        if !facts.is_empty() {
            output.line("index:");
        }
        for fact in facts {
            output.line(format_args!("    {fact}"));
        }
    }

    /// The last line.
    pub(super) fn end(&self, unchanged: usize, output: &mut Output<'_>, sound: bool) {
        let hosts = self.hosts.text();
        if hosts.is_empty() && self.not_compared == 0 {
            // with findings and no host, nothing was compared
            if unchanged > 0 && sound {
                output.good("same", counted(unchanged, "bundle"));
            }
            return;
        }
        let mut parts = hosts;
        parts.extend((unchanged > 0).then(|| format!("{unchanged} unchanged")));
        parts.extend((self.not_compared > 0).then(|| format!("{} not compared", self.not_compared)));
        let files = self.files.text();
        let files = if files.is_empty() { String::new() } else { format!("; files: {}", files.join(", ")) };
        output.line(format_args!("bundles: {}{files}", parts.join(", ")));
    }
}

/// A line for each directory and file, with what differs behind the longest path.
fn lines(diff: &HostDiff, output: &mut Output<'_>) {
    let directories = diff.directories.iter().map(|it| (format!("{}/", it.path), it.state, of_directory(it)));
    let files = diff.files.iter().map(|it| (it.path.clone(), it.state, of_file(it)));
    let mut all: Vec<_> = directories.chain(files).collect();
    all.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let width = all.iter().filter(|(.., what)| !what.is_empty()).map(|(path, ..)| path.len()).max();
    for (path, state, what) in all {
        let sign = match state {
            State::Added => '+',
            State::Removed => '-',
            State::Changed | State::NotCompared => '~',
        };
        if what.is_empty() {
            output.line(format_args!("  {sign} {path}"));
        } else {
            output.line(format_args!("  {sign} {path:<0$} | {what}", width.unwrap_or_default()));
        }
    }
}

fn of_directory(diff: &DirectoryDiff) -> String {
    facts(&diff.facts, true).join(", ")
}

fn of_file(diff: &FileDiff) -> String {
    let contents = diff.contents.and_then(|contents| match contents {
        Contents::Same => None,
        Contents::Changed if diff.sealed => Some("another secret"),
        Contents::Changed => Some("contents"),
        Contents::SealedAnew => Some("sealed anew, the same secret"),
        Contents::Unknown if diff.sealed => Some("sealed anew, no telling whether another secret"),
        Contents::Unknown => Some("no telling whether other contents"),
    });
    let mut parts: Vec<_> = contents.map(str::to_owned).into_iter().collect();
    parts.extend(facts(&diff.facts, contents.is_none()));
    parts.join(", ")
}

/// Facts as text. A digest of inputs says nothing to people, unless it is all there is.
fn facts(all: &[Fact], alone: bool) -> Vec<String> {
    let only = alone && all.len() == 1;
    all.iter().filter(|fact| only || fact.name != "inputs").map(fact).collect()
}

fn fact(fact: &Fact) -> String {
    let Fact { name, old, new } = fact;
    format!("{} {} -> {}", plain(name), value(old.as_ref()), value(new.as_ref()))
}

fn value(value: Option<&Value>) -> String {
    match value {
        None => "none".to_owned(),
        Some(Value::Text(text)) if text.is_empty() => "\"\"".to_owned(),
        Some(Value::Text(text)) => plain(text),
        Some(Value::List(list)) => format!("[{}]", plain(&list.join(", "))),
    }
}

/// Nobody may have vouched for a bundle: what it says moves no cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c.to_string() } else { c.escape_default().to_string() }).collect()
}

fn effects(diff: &HostDiff, output: &mut Output<'_>) {
    if diff.effects.is_empty() && diff.state == State::Changed && !diff.files.is_empty() {
        output.line("  nothing to run or restart");
    }
    for Effect { kind, target, files, certain } in &diff.effects {
        let target = plain(target);
        let perhaps = if *certain { "" } else { ", perhaps" };
        let what = match kind {
            EffectKind::Read => format!("read: {target}"),
            EffectKind::Start => format!("the kubelet starts: {target}"),
            EffectKind::Recreate => format!("the kubelet recreates: {target}"),
            EffectKind::Stop => format!("the kubelet stops: {target}"),
            EffectKind::Run => format!("run: {target}"),
            EffectKind::Restart => format!("restart: {target}"),
        };
        output.line(format_args!("  {what}{perhaps}"));
        // a new host's files were not told one by one
        if *kind != EffectKind::Read && diff.state == State::Changed {
            for file in files {
                output.line(format_args!("      for {file}"));
            }
        }
    }
}
