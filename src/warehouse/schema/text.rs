//! Reads the texts of our views: words, literals and comments, no more than what is generated from them needs.

use std::collections::BTreeSet;

/// What a piece of SQL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Literal,
    Comment,
    Space,
    Sign,
}

/// A piece of SQL; all pieces of a text, one after the other, are the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SqlToken<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
}

impl SqlToken<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }
}

/// The pieces of a text.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = SqlToken<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let (kind, len) = if rest.starts_with("--") {
            (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if first == '\'' {
            (TokenKind::Literal, literal_len(rest))
        } else if first.is_whitespace() {
            (TokenKind::Space, rest.find(|character: char| !character.is_whitespace()).unwrap_or(rest.len()))
        } else if is_word(first) {
            (TokenKind::Word, rest.find(|character| !is_word(character)).unwrap_or(rest.len()))
        } else {
            (TokenKind::Sign, first.len_utf8())
        };
        let (text, behind) = rest.split_at(len);
        rest = behind;
        Some(SqlToken { kind, text })
    })
}

/// The length of the literal that a text begins with; a quote inside it is doubled.
fn literal_len(text: &str) -> usize {
    let mut at = 1;
    while let Some(quote) = text[at..].find('\'') {
        at += quote + 1;
        if !text[at..].starts_with('\'') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// The pieces that mean something: no comments, no space.
pub(super) fn words(sql: &str) -> Vec<SqlToken<'_>> {
    meaningful(sql).collect()
}

fn meaningful(sql: &str) -> impl Iterator<Item = SqlToken<'_>> {
    tokens(sql).filter(|token| !matches!(token.kind, TokenKind::Comment | TokenKind::Space))
}

/// A text as an SQL literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The name that a view's text gives it: the word behind `create view`.
pub(in crate::warehouse) fn view_name(sql: &str) -> Option<&str> {
    let mut words = meaningful(sql).skip_while(|word| !word.is("create")).skip(1);
    words.next().filter(|word| word.is("view")).and(words.next()).map(|name| name.text)
}

/// What a view is to finance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewPurpose {
    Question,
    Check,
    Other,
}

impl ViewPurpose {
    /// By the view's name: `f01_…`, `check_rc01_…`.
    pub(super) fn of(view: &str) -> Self {
        if view.strip_prefix('f').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit())) {
            Self::Question
        } else if view.starts_with("check_rc") {
            Self::Check
        } else {
            Self::Other
        }
    }
}

/// The query of a view's text, without comments.
pub(super) fn view_query(sql: &str) -> String {
    let mut query = String::with_capacity(sql.len());
    let mut words_before = 0;
    for token in tokens(sql) {
        match token.kind {
            TokenKind::Comment => {}
            // Behind `create view name as`.
            _ if words_before < 4 => words_before += usize::from(token.kind == TokenKind::Word),
            TokenKind::Space => query.push(' '),
            TokenKind::Word | TokenKind::Literal | TokenKind::Sign => query.push_str(token.text),
        }
    }
    query.trim().trim_end_matches(';').to_owned()
}

/// The names a query reads from: what stands behind `from`, `join` and the commas between tables, other than the
/// query's own named subqueries. Those of the outermost query come first, each once.
pub(super) fn sources(sql: &str) -> Vec<&str> {
    const ENDS: &[&str] = &[
        "where",
        "group",
        "order",
        "limit",
        "window",
        "union",
        "except",
        "intersect",
        "having",
        "on",
        "using",
    ];
    let words = words(sql);
    let own = own_names(&words);
    let mut found = Vec::new();
    // For each open bracket: whether tables are being listed, and whether the next word is one.
    let mut open = vec![(false, false)];
    for (at, word) in words.iter().enumerate() {
        let depth = open.len();
        let Some((in_list, is_next)) = open.last_mut() else { break };
        let is_distinct_from = word.is("from") && at > 0 && words[at - 1].is("distinct");
        if (word.is("from") || word.is("join")) && !is_distinct_from {
            (*in_list, *is_next) = (true, true);
        } else if word.text == "(" {
            let inner = std::mem::take(is_next);
            open.push((inner, inner));
        } else if word.text == ")" {
            open.pop();
        } else if word.text == "," {
            *is_next = *in_list;
        } else if ENDS.iter().any(|end| word.is(end)) || word.is("select") {
            // A comma behind the condition of a join lists tables again.
            *in_list &= word.is("on") || word.is("using");
            *is_next = false;
        } else if *is_next {
            *is_next = false;
            if word.kind == TokenKind::Word && !own.contains(word.text) {
                found.push((depth, word.text));
            }
        }
    }
    found.sort_by_key(|(depth, _)| *depth);
    let mut seen = BTreeSet::new();
    found.into_iter().map(|(_, name)| name).filter(|name| seen.insert(*name)).collect()
}

/// The names that a query gives to subqueries of its own: `name as (`, `name (columns) as (`.
fn own_names<'a>(words: &[SqlToken<'a>]) -> BTreeSet<&'a str> {
    let opens = |at: usize| {
        let mut rest = words[at..].iter().skip_while(|word| word.is("not") || word.is("materialized"));
        rest.next().is_some_and(|word| word.text == "(")
    };
    let mut found = BTreeSet::new();
    for (at, word) in words.iter().enumerate() {
        if !word.is("as") || !opens(at + 1) {
            continue;
        }
        let mut name = at;
        if at > 0 && words[at - 1].text == ")" {
            // Back over the names of its columns.
            name = words[..at].iter().rposition(|word| word.text == "(").unwrap_or(at);
        }
        if let Some(word) = name.checked_sub(1).and_then(|name| words.get(name)) {
            found.insert(word.text);
        }
    }
    found
}

/// Replaces `decimal(x_e8)` in a view's text by the exact decimal text of `x_e8`: SQLite has no decimal type,
/// and a view must work in any client, without a function of ours.
pub(in crate::warehouse) fn expand_decimals(view: &str) -> String {
    const MARK: &str = "decimal(";
    let mut sql = String::with_capacity(view.len());
    let mut rest = view;
    while let Some(at) = rest.find(MARK) {
        sql.push_str(&rest[..at]);
        rest = &rest[at + MARK.len()..];
        let end = rest.find(')').unwrap_or(rest.len());
        let x = &rest[..end];
        sql.push_str(&format!(
            "iif({x} is null, null, printf('%s%d.%02d', iif({x} < 0, '-', ''), abs({x}) / 100000000, \
             abs({x}) / 1000000 % 100) || rtrim(printf('%06d', abs({x}) % 1000000), '0'))"
        ));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    sql.push_str(rest);
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_text_are_the_text() {
        let sql = "-- it's | 中文\nselect 'a''b -- c', x.y from t;";
        let tokens: Vec<SqlToken<'_>> = tokens(sql).collect();
        assert_eq!(tokens.iter().map(|token| token.text).collect::<String>(), sql);
        assert!(tokens.contains(&SqlToken { kind: TokenKind::Literal, text: "'a''b -- c'" }));
        assert_eq!(view_query("-- c\ncreate view v as\nselect 1 -- one\n    as x;\n"), "select 1  as x");
        assert_eq!(view_name("-- create a view\ncreate view v as select 1"), Some("v"));
    }

    #[test]
    fn what_a_query_reads_stands_after_from_join_and_commas_between_tables() {
        let reads = |sql: &'static str| sources(sql);
        assert_eq!(
            reads(
                "with a as (select 1 from t), b (x, y) as not materialized (select 2 from a) select * from b"
            ),
            ["t"]
        );
        assert_eq!(
            reads("select a, b from t, u as x, (v join w using (a, b)) where c in (d, e) order by f, g"),
            ["t", "u", "v", "w"]
        );
        assert_eq!(
            reads("select runs, x from t left join u on (a, b) = (c, d), v group by h, i"),
            ["t", "u", "v"]
        );
        assert_eq!(
            reads("select (select 1 from s where s.a = t.a), b from t where a is not distinct from c"),
            ["t", "s"]
        );
        assert_eq!(
            reads("select 'from x', sum(a) over (partition by b, c) from t window w as (order by a, b)"),
            ["t"]
        );
    }
}
