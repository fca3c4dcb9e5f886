//! The managed block: lines between two marks in a file that is not ours.
//!
//! Lines end with a line feed; a last line may lack it. A line is a mark when nothing but ASCII white space
//! stands around it, so that an editor that indents or writes CR LF hides none. Whatever else a file
//! holds is bytes, and stays.

use std::fmt;

/// The first line of every block, without its line feed.
pub const BEGIN: &str = "# BEGIN sealift";
/// The last line of every block, without its line feed.
pub const END: &str = "# END sealift";

/// How many lines of one mark are told.
const TOLD: usize = 5;

/// A file, cut at its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut<'f> {
    /// All before the block.
    pub before: &'f [u8],
    /// The block, both marks and the last line feed included; empty when there is none.
    pub block: &'f [u8],
    /// All after the block.
    pub after: &'f [u8],
}

/// Marks from which no block can be told: not one beginning and one end after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The lines with [`BEGIN`], counted from 1.
    pub begins: Vec<usize>,
    /// The lines with [`END`].
    pub ends: Vec<usize>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{BEGIN}` in {}, `{END}` in {}", lines(&self.begins), lines(&self.ends))
    }
}

fn lines(numbers: &[usize]) -> String {
    let told: Vec<_> = numbers.iter().take(TOLD).map(ToString::to_string).collect();
    let more = if numbers.len() > TOLD { " and more" } else { "" };
    match numbers {
        [] => "no line".to_owned(),
        [_] => format!("line {}", told.join("")),
        _ => format!("lines {}{more}", told.join(", ")),
    }
}

/// Cuts a file at its block.
///
/// # Errors
/// [`Damage`] when its marks make no block.
pub fn cut(file: &[u8]) -> Result<Cut<'_>, Damage> {
    let mut damage = Damage { begins: Vec::new(), ends: Vec::new() };
    let (mut start, mut stop, mut at) = (0, 0, 0);
    for (index, line) in file.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let text = line.trim_ascii();
        if text == BEGIN.as_bytes() {
            damage.begins.push(index + 1);
            start = at;
        }
        at += line.len();
        if text == END.as_bytes() {
            damage.ends.push(index + 1);
            stop = at;
        }
    }
    let whole = || {
        let (head, after) = file.split_at_checked(stop)?;
        let (before, block) = head.split_at_checked(start)?;
        Some(Cut { before, block, after })
    };
    let cut = match (damage.begins.as_slice(), damage.ends.as_slice()) {
        ([], []) => Some(Cut { before: file, block: &[], after: &[] }),
        ([begin], [end]) if begin < end => whole(),
        _ => None,
    };
    cut.ok_or(damage)
}

/// Whether bytes are one whole block as sealift writes it, and nothing else.
pub fn is_block(bytes: &[u8]) -> bool {
    let begins = bytes.strip_prefix(BEGIN.as_bytes()).is_some_and(|rest| rest.starts_with(b"\n"));
    let ends = bytes.strip_suffix(b"\n").and_then(|rest| rest.strip_suffix(END.as_bytes()));
    let alone = cut(bytes).is_ok_and(|cut| cut.block == bytes);
    begins && ends.is_some_and(|rest| rest.ends_with(b"\n")) && alone
}

impl Cut<'_> {
    /// The file with this block: in the place of its own, else at its end, after a line feed where the last
    /// line lacks one.
    pub fn with(&self, block: &[u8]) -> Vec<u8> {
        let lacking = self.block.is_empty() && !self.before.is_empty() && !self.before.ends_with(b"\n");
        let between: &[u8] = if lacking { b"\n" } else { b"" };
        [self.before, between, block, self.after].concat()
    }

    /// The file without a block.
    pub fn without(&self) -> Vec<u8> {
        [self.before, self.after].concat()
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{BEGIN, Damage, END, cut, is_block};
    use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

    const BLOCK: &[u8] = b"# BEGIN sealift\n10.0.0.6 cp1\n# END sealift\n";

    fn with(file: &[u8]) -> Vec<u8> {
        cut(file).unwrap().with(BLOCK)
    }

    #[test]
    fn marks_are_never_changed() {
        assert_eq!((BEGIN, END), ("# BEGIN sealift", "# END sealift"));
    }

    #[test]
    fn placed_replaced_and_removed() {
        let cases: [(&[u8], &[u8]); 9] = [
            (b"", b"@"),
            (b"a\n", b"a\n@"),
            (b"a", b"a\n@"),
            (b"a\r\nb\r\n", b"a\r\nb\r\n@"),
            (b"\xff\0\x01", b"\xff\0\x01\n@"),
            (b"a\n# BEGIN sealift\nold\n# END sealift\nb", b"a\n@b"),
            (b"a\r\n# BEGIN sealift\r\nold\r\n# END sealift\r\nb\r\n", b"a\r\n@b\r\n"),
            (b"\t# BEGIN sealift \n  # END sealift", b"@"),
            (
                b"# BEGIN sealift2\n#BEGIN sealift\n# END sealift.\n",
                b"# BEGIN sealift2\n#BEGIN sealift\n# END sealift.\n@",
            ),
        ];
        for (file, expected) in cases {
            let expected = String::from_utf8_lossy(expected).replace('@', &String::from_utf8_lossy(BLOCK));
            let merged = with(file);
            assert_eq!(String::from_utf8_lossy(&merged), expected);
            assert_eq!(cut(&merged).unwrap().block, BLOCK);
            assert_eq!(with(&merged), merged);
        }
        assert_eq!(cut(b"a\n# BEGIN sealift\nx\n# END sealift\nb").unwrap().without(), b"a\nb");
        assert_eq!(cut(BLOCK).unwrap().without(), b"");
    }

    #[test]
    fn marks_that_make_no_block() {
        let cases: [(&[&str], &[usize], &[usize], &str); 7] = [
            (&["B"], &[1], &[], "`# BEGIN sealift` in line 1, `# END sealift` in no line"),
            (&["x", "E"], &[], &[2], "`# BEGIN sealift` in no line, `# END sealift` in line 2"),
            (&["E", "B"], &[2], &[1], "`# BEGIN sealift` in line 2, `# END sealift` in line 1"),
            (
                &["B", "E", "B", "E"],
                &[1, 3],
                &[2, 4],
                "`# BEGIN sealift` in lines 1, 3, `# END sealift` in lines 2, 4",
            ),
            (
                &["B", "B", "E", "E"],
                &[1, 2],
                &[3, 4],
                "`# BEGIN sealift` in lines 1, 2, `# END sealift` in lines 3, 4",
            ),
            (
                &["B", "x", "B", "E"],
                &[1, 3],
                &[4],
                "`# BEGIN sealift` in lines 1, 3, `# END sealift` in line 4",
            ),
            (
                &["B", "E", "E", "E", "E", "E", "E"],
                &[1],
                &[2, 3, 4, 5, 6, 7],
                "`# BEGIN sealift` in line 1, `# END sealift` in lines 2, 3, 4, 5, 6 and more",
            ),
        ];
        for (lines, begins, ends, said) in cases {
            let line = |line: &&str| match *line {
                "B" => format!("{BEGIN}\r\n"),
                "E" => format!("{END}\n"),
                other => format!("{other}\n"),
            };
            let damage = cut(lines.iter().map(line).collect::<String>().as_bytes()).unwrap_err();
            assert_eq!(damage, Damage { begins: begins.to_vec(), ends: ends.to_vec() });
            assert_eq!(damage.to_string(), said);
        }
    }

    #[test]
    fn what_a_bundle_may_hold() {
        assert!(is_block(BLOCK));
        assert!(is_block(b"# BEGIN sealift\n# END sealift\n"));
        let others: [&[u8]; 9] = [
            b"",
            b"a\n",
            b"# BEGIN sealift\n# END sealift",
            b"\n# BEGIN sealift\n# END sealift\n",
            b"# BEGIN sealift\n# END sealift\n\n",
            b" # BEGIN sealift\n# END sealift\n",
            b"# BEGIN sealift\r\n# END sealift\r\n",
            b"# BEGIN sealift\n # END sealift\n",
            b"# BEGIN sealift\n# END sealift\n# BEGIN sealift\n# END sealift\n",
        ];
        for other in others {
            assert!(!is_block(other), "{}", other.escape_ascii());
        }
    }

    /// Bytes without a whole mark, near misses included.
    fn surroundings() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..6),
            prop::sample::select(vec![
                "\n",
                "\r\n",
                "\r",
                "\0",
                "127.0.0.1 localhost\n",
                "# BEGIN",
                " sealift",
                "# END",
                "# BEGIN sealift.",
                "\u{feff}# BEGIN sealift\r",
                "## END sealift\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        let whole = prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
        whole.prop_filter("has a mark", |bytes| cut(bytes).is_ok_and(|cut| cut.block.is_empty()))
    }

    fn inside() -> impl Strategy<Value = Vec<u8>> {
        let lines = surroundings().prop_map(|lines| [lines.as_slice(), b"\n"].concat());
        prop_oneof![Just(Vec::new()), lines].prop_filter("has a mark", |lines| {
            is_block(&[BEGIN.as_bytes(), b"\n", lines, END.as_bytes(), b"\n"].concat())
        })
    }

    proptest! {
        /// Placing and removing gives the file back, but for a line feed that its last line lacked; placing
        /// twice is placing once; another block takes the place of the first, and nothing else moves.
        #[test]
        fn nothing_outside_changes(file in surroundings(), one in inside(), other in inside(), tail in surroundings()) {
            let block = |lines: &[u8]| [BEGIN.as_bytes(), b"\n", lines, END.as_bytes(), b"\n"].concat();
            let (one, other) = (block(&one), block(&other));
            let placed = cut(&file).unwrap().with(&one);
            let added: &[u8] = if file.is_empty() || file.ends_with(b"\n") { b"" } else { b"\n" };
            let ended = [file.as_slice(), added].concat();
            prop_assert_eq!(&placed, &[ended.as_slice(), &one].concat());
            prop_assert_eq!(cut(&placed).unwrap().with(&one), placed.clone());
            prop_assert_eq!(cut(&placed).unwrap().without(), ended.clone());
            // what a person writes behind it
            let edited = [placed.as_slice(), &tail].concat();
            prop_assert_eq!(cut(&edited).unwrap().block, one.as_slice());
            prop_assert_eq!(cut(&edited).unwrap().with(&other), [ended.as_slice(), &other, &tail].concat());
            prop_assert_eq!(cut(&edited).unwrap().without(), [ended.as_slice(), &tail].concat());
        }

        /// Any one byte changed is seen as a change inside, as damage, or was outside.
        #[test]
        fn every_change_inside_is_seen(file in surroundings(), lines in inside(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let block = [BEGIN.as_bytes(), b"\n", &lines, END.as_bytes(), b"\n"].concat();
            let mut placed = cut(&file).unwrap().with(&block);
            let start = placed.len() - block.len();
            let at = at.index(placed.len());
            let changed = placed[at] != byte;
            placed[at] = byte;
            let seen = cut(&placed).map_or(true, |cut| cut.block != block);
            if at >= start {
                prop_assert_eq!(seen, changed);
            } else {
                // a mark that lost or gained a neighbour may be none, or one more, now
                prop_assert_eq!(seen && cut(&placed).is_ok_and(|cut| !cut.block.is_empty()), false);
            }
        }
    }
}
