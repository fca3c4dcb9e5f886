//! Reads Rust source well enough to see which paths it names: no comments, no strings, no tests.

/// One source file under `src/`.
pub(crate) struct Source {
    /// The path below `src/`, such as `plan/certs.rs`.
    pub(crate) path: String,
    /// The text as it is, except that `#[cfg(test)]` items are blank.
    pub(crate) text: String,
    /// The tokens of `text`, without comments and literals.
    pub(crate) tokens: Vec<Token>,
    /// The tokens with `#[cfg(test)]` items.
    pub(crate) all_tokens: Vec<Token>,
    /// How many lines the file has.
    pub(crate) lines: usize,
}

/// An identifier, `::`, or one character of punctuation, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path as written, expanded from use trees: `use a::{b, c::*}` gives `a::b` and `a::c::*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathUse {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let all_tokens = tokens(&code(text));
        let text_only = without_tests(text);
        Self {
            path: path.to_owned(),
            tokens: tokens(&code(&text_only)),
            text: text_only,
            all_tokens,
            lines: text.lines().count(),
        }
    }

    /// The module path: `plan/certs.rs` and `plan/certs/mod.rs` are `[plan, certs]`, `lib.rs` is `[]`.
    pub(crate) fn module(&self) -> Vec<String> {
        let mut parts: Vec<String> =
            self.path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| ["mod", "lib"].contains(&last.as_str())) {
            parts.pop();
        }
        parts
    }
}

/// The text with comments and the contents of literals blank; same length, same lines.
pub(crate) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment(bytes, at);
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).unwrap()
}

/// Where the comment or literal that starts at `at` ends; `at` when none starts there.
fn literal_or_comment(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment(rest);
    }
    if rest[0] == b'"' {
        return at + quoted(rest, 1, b'"');
    }
    if rest[0] == b'\'' {
        return at + char_literal(rest);
    }
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|prefix| rest.starts_with(prefix));
    if let (Some(prefix), false) = (prefix, in_word) {
        return at + raw_string(rest, prefix.len());
    }
    at
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted(rest: &[u8], from: usize, close: u8) -> usize {
    let mut at = from;
    while at < rest.len() && rest[at] != close {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of a character literal; 1 (the quote) for a lifetime.
fn char_literal(rest: &[u8]) -> usize {
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(8)]).into_owned();
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), Some(_)) => quoted(rest, 1, b'\''),
        (Some(first), Some('\'')) => 2 + first.len_utf8(),
        _ => 1,
    }
}

/// The length of `r"…"` or `r#"…"#`; 0 for a raw identifier or a word that starts with `r`.
fn raw_string(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = &rest[open + 1..];
    let length = body.windows(close.len()).position(|window| window == close).unwrap_or(body.len());
    (open + 1 + length + close.len()).min(rest.len())
}

/// The text with every item under `#[cfg(test)]` blank.
fn without_tests(text: &str) -> String {
    let code = code(text);
    let mut out = text.as_bytes().to_vec();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let end = item_end(code.as_bytes(), start + "#[cfg(test)]".len());
        for byte in &mut out[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(out).unwrap()
}

/// Where the item that follows an attribute ends: after its block or its semicolon.
fn item_end(code: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && *byte == b'}' {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

fn tokens(code: &str) -> Vec<Token> {
    let mut out = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                _ => word,
            };
            out.push(Token { text: rest[..length].to_owned(), line: number + 1 });
            rest = rest[length..].trim_start();
        }
    }
    out
}

/// Every path that the tokens name. `crate`, `self` and `super` are resolved against `module`
/// and the inline modules around the place; resolved paths start with `crate`.
pub(crate) fn paths(tokens: &[Token], module: &[String]) -> Vec<PathUse> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut out = Vec::new();
    let mut inline: Vec<(usize, String)> = Vec::new();
    let mut depth = 0_usize;
    let mut next = 0;
    while next < tokens.len() {
        let at = next;
        next += 1;
        match text(at) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|(opened, _)| *opened <= depth);
            }
            "mod" if text(at + 2) == "{" => inline.push((depth + 1, text(at + 1).to_owned())),
            _ => {}
        }
        let previous = at.checked_sub(1).map_or("", text);
        let starts = is_identifier(text(at))
            && !["::", ".", "'"].contains(&previous)
            && (text(at + 1) == "::" || previous == "use" || text(at + 1) == "as");
        if starts {
            let here: Vec<String> =
                module.iter().cloned().chain(inline.iter().map(|(_, name)| name.clone())).collect();
            let mut cursor = at;
            tree(tokens, &mut cursor, &[], &mut |segments, line| {
                out.push(PathUse { segments: resolve(&segments, &here), line });
            });
            next = cursor.max(next);
        }
    }
    out
}

fn is_identifier(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_') && text != "use"
}

/// Walks one use tree or path from `cursor` and leaves it behind it.
fn tree(tokens: &[Token], cursor: &mut usize, prefix: &[String], emit: &mut dyn FnMut(Vec<String>, usize)) {
    let mut segments = prefix.to_vec();
    while let Some(token) = tokens.get(*cursor) {
        *cursor += 1;
        if token.text == "{" {
            group(tokens, cursor, &segments, emit);
            return;
        }
        if !is_identifier(&token.text) && token.text != "*" {
            *cursor -= 1;
            break;
        }
        segments.push(token.text.clone());
        if tokens.get(*cursor).is_none_or(|next| next.text != "::") {
            emit(segments, token.line);
            return;
        }
        *cursor += 1;
    }
    emit(segments, tokens.get(*cursor).map_or(0, |token| token.line));
}

/// Walks `a, b::c, d as e }`.
fn group(tokens: &[Token], cursor: &mut usize, prefix: &[String], emit: &mut dyn FnMut(Vec<String>, usize)) {
    while let Some(token) = tokens.get(*cursor) {
        match token.text.as_str() {
            "}" => {
                *cursor += 1;
                return;
            }
            "," => *cursor += 1,
            "as" => *cursor += 2,
            text if is_identifier(text) || text == "*" || text == "{" => tree(tokens, cursor, prefix, emit),
            _ => return,
        }
    }
}

fn resolve(segments: &[String], here: &[String]) -> Vec<String> {
    let mut base = match segments.first().map(String::as_str) {
        Some("crate") => vec![],
        Some("self" | "super") => here.to_vec(),
        _ => return segments.to_vec(),
    };
    for segment in segments {
        match segment.as_str() {
            "crate" | "self" => {}
            "super" => {
                base.pop();
            }
            name => base.push(name.to_owned()),
        }
    }
    base.insert(0, "crate".to_owned());
    base
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "a /* b /* c */ d */ \"e\\\"f\" 'g' '\\'' 'h: r#\"i\"j\"# k // l\nm br\"n\" r#o";
    assert_eq!(code(text).split_whitespace().collect::<Vec<_>>(), ["a", "h:", "k", "m", "r#o"]);
    assert_eq!(code(text).len(), text.len());
}

#[test]
fn use_trees_are_expanded_and_resolved() {
    let source = Source::new(
        "plan/certs.rs",
        "use crate::{spec::{self, Host as H}, bundle};\nuse super::super::render::x;\nmod a { use super::b; }\n\
         fn f() { if crate::host::ok() {} let s: std::fs::File; }\n#[cfg(test)]\nmod tests { use crate::cli::z; }\n",
    );
    let named: Vec<String> =
        paths(&source.tokens, &source.module()).iter().map(|path| path.segments.join("::")).collect();
    assert_eq!(
        named,
        [
            "crate::spec",
            "crate::spec::Host",
            "crate::bundle",
            "crate::render::x",
            "crate::plan::certs::b",
            "crate::host::ok",
            "std::fs::File",
        ]
    );
}
