//! What the comments of our SQL files say about tables, views and columns.
//!
//! The grammar is `English | 中文`, and behind it, where it helps, `| unit: …` and `| source: …`. It stands behind a column
//! (in views behind a column of the outermost `select`, on its line), in the first sentence above a table or view, and in
//! the lines of `schema/glossary.sql`, behind `column_name: `. Comments without a bar explain the file, not the data.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{SqlToken, TokenKind, tokens};

/// What a column or an object means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) english: String,
    pub(super) chinese: String,
    pub(super) unit: Option<String>,
    pub(super) source: Option<String>,
}

impl Meaning {
    /// Reads a comment; `None` when it does not follow the grammar.
    fn of(comment: &str) -> Option<Self> {
        let mut parts = comment.split(" | ").map(str::trim);
        let english = parts.next()?.to_owned();
        let chinese = parts.next()?.to_owned();
        let mut meaning = Self { english, chinese, ..Self::default() };
        for part in parts {
            if let Some(unit) = part.strip_prefix("unit: ") {
                meaning.unit = Some(unit.to_owned());
            } else if let Some(source) = part.strip_prefix("source: ") {
                meaning.source = Some(source.to_owned());
            }
        }
        Some(meaning)
    }
}

/// What is said about a table or view.
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    pub(super) meaning: Option<Meaning>,
    /// `-- Source: …`: the API and the list in its answer that the rows come from.
    pub(super) source: Option<String>,
    pub(super) columns: BTreeMap<String, Meaning>,
    /// Columns of a view that are always null: `null as x` in the outermost `select`.
    pub(super) nulls: BTreeSet<String>,
}

/// The lines of comments at the end of `before`, without their dashes.
fn heading(before: &[SqlToken<'_>]) -> Described {
    let mut lines: Vec<&str> = Vec::new();
    for token in before.iter().rev() {
        match token.kind {
            TokenKind::Comment => lines.push(token.text.trim_start_matches('-').trim()),
            // A blank line parts a heading from what stands above it.
            TokenKind::Space if token.text.matches('\n').count() < 2 => {}
            _ => break,
        }
    }
    lines.reverse();
    // The first sentence ends on the line with the bar.
    let end = lines.iter().position(|line| line.contains(" | ")).map_or(0, |bar| bar + 1);
    Described {
        meaning: Meaning::of(&lines[..end].join(" ")),
        source: lines.iter().find_map(|line| line.strip_prefix("Source: ")).map(str::to_owned),
        ..Described::default()
    }
}

/// The tables that a migration makes or widens, in their order.
pub(super) fn tables(sql: &str) -> Vec<(String, Described)> {
    let tokens: Vec<_> = tokens(sql).collect();
    let mut found: Vec<(String, Described)> = Vec::new();
    for at in 0..tokens.len() {
        let words: Vec<(usize, &str)> = tokens[at..]
            .iter()
            .enumerate()
            .filter(|(_, token)| !matches!(token.kind, TokenKind::Space | TokenKind::Comment))
            .take(6)
            .map(|(offset, token)| (at + offset, token.text))
            .collect();
        match words.iter().map(|(_, word)| *word).collect::<Vec<_>>()[..] {
            ["create", "table", name, "(", ..] if words[0].0 == at => {
                let mut described = heading(&tokens[..at]);
                described.columns = columns(&tokens[words[3].0 + 1..]);
                found.push((name.to_owned(), described));
            }
            ["alter", "table", name, "add", "column", column] if words[0].0 == at => {
                let rest = &tokens[words[5].0..];
                let end = rest.iter().position(|token| token.text.contains('\n')).unwrap_or(rest.len());
                let comment = rest[..end].iter().find(|token| token.kind == TokenKind::Comment);
                let meaning =
                    comment.and_then(|comment| Meaning::of(comment.text.trim_start_matches('-').trim()));
                let columns = meaning.map(|meaning| (column.to_owned(), meaning)).into_iter().collect();
                found.push((name.to_owned(), Described { columns, ..Described::default() }));
            }
            _ => {}
        }
    }
    found
}

/// The columns of a table, behind its opening bracket: a comment belongs to the column that was named last.
fn columns(tokens: &[SqlToken<'_>]) -> BTreeMap<String, Meaning> {
    let mut comments: Vec<(&str, String)> = Vec::new();
    let (mut depth, mut is_next) = (0_i32, true);
    for token in tokens {
        match (token.kind, token.text) {
            (TokenKind::Sign, "(") => depth += 1,
            (TokenKind::Sign, ")") => depth -= 1,
            (TokenKind::Sign, ",") if depth == 0 => is_next = true,
            (TokenKind::Word, name) if is_next && depth == 0 => {
                comments.push((name, String::new()));
                is_next = false;
            }
            (TokenKind::Comment, text) => {
                if let Some((_, comment)) = comments.last_mut() {
                    comment.push_str(text.trim_start_matches('-'));
                }
            }
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    comments
        .into_iter()
        .filter_map(|(name, comment)| Meaning::of(comment.trim()).map(|meaning| (name.to_owned(), meaning)))
        .collect()
}

/// What a view's file says.
pub(super) fn view(sql: &str) -> Described {
    let tokens: Vec<_> = tokens(sql).collect();
    let Some(create) = tokens.iter().position(|token| token.is("create")) else {
        return Described::default();
    };
    let mut described = heading(&tokens[..create]);
    let (mut depth, mut name) = (0_i32, "");
    // Whether the line that a comment ends has a word of its own.
    let mut is_in_line = false;
    // The words of the column so far.
    let mut words: Vec<&str> = Vec::new();
    for token in &tokens[create..] {
        match (token.kind, token.text) {
            (TokenKind::Space | TokenKind::Comment, _) => {}
            (TokenKind::Sign, ",") | (TokenKind::Word, "select") if depth == 0 => words.clear(),
            (_, text) => words.push(text),
        }
        if let (0, ["null", "as", column]) = (depth, words.as_slice()) {
            described.nulls.insert((*column).to_owned());
        }
        match (token.kind, token.text) {
            (TokenKind::Sign, "(") => depth += 1,
            (TokenKind::Sign, ")") => depth -= 1,
            (TokenKind::Word, word) if depth == 0 => (name, is_in_line) = (word, true),
            (TokenKind::Space, space) if space.contains('\n') => is_in_line = false,
            (TokenKind::Comment, text) if depth == 0 && is_in_line => {
                if let Some(meaning) = Meaning::of(text.trim_start_matches('-').trim()) {
                    described.columns.insert(name.to_owned(), meaning);
                }
            }
            _ => {}
        }
    }
    described
}

/// The lines of the glossary.
pub(super) fn glossary(text: &str) -> BTreeMap<String, Meaning> {
    text.lines()
        .filter_map(|line| {
            let (name, comment) = line.strip_prefix("-- ")?.split_once(": ")?;
            let is_name = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
            Some((name.to_owned(), Meaning::of(comment).filter(|_| is_name)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_of_tables_belong_to_the_column_named_last() {
        let sql = "-- Not this.\n\n-- Things,\n-- all of them. | 全部事物\n-- Source: ListThings, things[]\n\
                   create table things (\n    id text not null,   -- thing | 事物\n    verdict text   -- 'a':\n        \
                   check (verdict in ('a', 'b')),    -- all | 结论 | unit: none\n    plain text,   -- nothing said\n    \
                   primary key (id)\n) strict;\nalter table things add column size integer;   -- size | 大小 | source: us\n";
        let tables = tables(sql);
        let (name, things) = &tables[0];
        assert_eq!(name, "things");
        let meaning = things.meaning.as_ref().expect("a meaning");
        assert_eq!(
            (meaning.english.as_str(), meaning.chinese.as_str()),
            ("Things, all of them.", "全部事物")
        );
        assert_eq!(things.source.as_deref(), Some("ListThings, things[]"));
        assert_eq!(things.columns["verdict"].english, "'a': all");
        assert_eq!(things.columns["verdict"].unit.as_deref(), Some("none"));
        assert_eq!(things.columns.keys().collect::<Vec<_>>(), ["id", "verdict"]);
        assert_eq!(tables[1].1.columns["size"].source.as_deref(), Some("us"));
    }

    #[test]
    fn comments_of_views_stand_behind_a_column_on_its_line() {
        let sql = "-- F: what. | 什么\n-- More.\ncreate view v as\nwith\n-- a | b\nx as (\n    select 1 as one -- not this | 不\n)\n\
                   select\n    one, -- the one | 一\n    -- over | 上\n    iif(one, null, 3) as two,\n    null as four,\n    \
                   two is null as five,\n    three -- the third | 三\nfrom x;\n";
        let view = view(sql);
        assert_eq!(view.meaning.map(|meaning| meaning.chinese), Some("什么".to_owned()));
        assert_eq!(view.columns.keys().collect::<Vec<_>>(), ["one", "three"]);
        assert_eq!(view.nulls.iter().collect::<Vec<_>>(), ["four"]);
    }
}
