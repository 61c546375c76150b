//! Reads what a caller asks for and refuses what the contract refuses.

use serde_json::{Map, Value};

use super::clock;
use super::sign;

/// A parameter that breaks the contract; answered with 400 `CBC.0100`.
#[derive(Debug)]
pub struct Invalid(pub String);

fn invalid<T>(what: &str, why: &str) -> Result<T, Invalid> {
    Err(Invalid(format!("Parameter error: {what} {why}.")))
}

/// What a special form of a parameter means; it differs from parameter to parameter.
#[derive(Clone, Copy)]
pub enum Rule {
    Default,
    Reject,
    Filter,
}

/// How one parameter treats `name=` (or `name`), `name=""` and `name=null`.
#[derive(Clone, Copy)]
pub struct Forms {
    pub valueless: Rule,
    pub empty: Rule,
    pub null: Rule,
}

/// The forms of parameters that must be a number or a time.
pub const STRICT: Forms = Forms { valueless: Rule::Default, empty: Rule::Reject, null: Rule::Reject };
/// The forms of `limit` and `offset`.
pub const PAGING: Forms = Forms { valueless: Rule::Default, empty: Rule::Reject, null: Rule::Default };

/// The parameters of a query string, each taken once.
pub struct Query(Vec<(String, Option<String>)>);

impl Query {
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let pairs = sign::pairs(raw);
        for (position, (name, _)) in pairs.iter().enumerate() {
            if pairs[..position].iter().any(|(earlier, _)| earlier == name) {
                return invalid(name, "is given twice");
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a text parameter of at most `max` characters.
    pub fn text(&mut self, name: &str, forms: Forms, max: usize) -> Result<Option<String>, Invalid> {
        let Some(position) = self.0.iter().position(|(given, _)| given == name) else {
            return Ok(None);
        };
        let value = self.0.remove(position).1.unwrap_or_default();
        let rule = match value.as_str() {
            "" => forms.valueless,
            "\"\"" | "''" => forms.empty,
            "null" => forms.null,
            _ => Rule::Filter,
        };
        match rule {
            Rule::Default => Ok(None),
            Rule::Reject => invalid(name, "must not be empty"),
            Rule::Filter if value.chars().count() > max => invalid(name, "is too long"),
            Rule::Filter => Ok(Some(value)),
        }
    }

    pub fn int(&mut self, name: &str, forms: Forms) -> Result<Option<i64>, Invalid> {
        let Some(text) = self.text(name, forms, 20)? else { return Ok(None) };
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return invalid(name, "is not a whole number");
        }
        text.parse().map(Some).or_else(|_| invalid(name, "is out of range"))
    }

    pub fn time(&mut self, name: &str) -> Result<Option<i64>, Invalid> {
        let Some(text) = self.text(name, STRICT, 20)? else { return Ok(None) };
        clock::parse(&text).map_or_else(|| invalid(name, "is not a UTC time"), |t| Ok(Some(t)))
    }

    /// A window of two times; both or none, in order, at most a year (and a leap day) apart.
    pub fn window(&mut self, begin: &str, end: &str) -> Result<Option<(i64, i64)>, Invalid> {
        match (self.time(begin)?, self.time(end)?) {
            (None, None) => Ok(None),
            (Some(from), Some(to)) if from > to => invalid(begin, "is later than its end"),
            (Some(from), Some(to)) if to - from > 366 * clock::DAY => {
                invalid(begin, "and its end are more than a year apart")
            }
            (Some(from), Some(to)) => Ok(Some((from, to))),
            _ => invalid(begin, "needs its other end"),
        }
    }

    /// `limit` (at most `max`, default 10) and `offset`.
    pub fn paging(&mut self, max: i64, furthest: i64) -> Result<Paging, Invalid> {
        let limit = self.int("limit", PAGING)?;
        let offset = self.int("offset", PAGING)?;
        Paging::new(limit, offset, max, furthest)
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), Invalid> {
        match self.0.first() {
            Some((name, _)) => invalid(name, "is unknown"),
            None => Ok(()),
        }
    }
}

/// Which part of the rows is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Paging {
    pub limit: usize,
    pub offset: usize,
}

impl Paging {
    fn new(limit: Option<i64>, offset: Option<i64>, max: i64, furthest: i64) -> Result<Self, Invalid> {
        let (limit, offset) = (limit.unwrap_or(10), offset.unwrap_or(0));
        if !(1..=max).contains(&limit) {
            return invalid("limit", "is out of range");
        }
        if !(0..=furthest).contains(&offset) {
            return invalid("offset", "is out of range");
        }
        let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(Self { limit: size(limit), offset: size(offset) })
    }
}

/// The fields of a JSON body, each taken once.
pub struct Body(Map<String, Value>);

impl Body {
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            _ => invalid("the body", "is not a JSON object"),
        }
    }

    /// A text field; null is the same as missing.
    pub fn text(&mut self, name: &str, max: usize) -> Result<Option<String>, Invalid> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= max => Ok(Some(text)),
            Some(Value::String(_)) => invalid(name, "is too long"),
            Some(_) => invalid(name, "is not text"),
        }
    }

    /// A text field where the empty text is refused.
    pub fn filled(&mut self, name: &str, max: usize) -> Result<Option<String>, Invalid> {
        match self.text(name, max)? {
            Some(text) if text.is_empty() => invalid(name, "must not be empty"),
            other => Ok(other),
        }
    }

    pub fn int(&mut self, name: &str) -> Result<Option<i64>, Invalid> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_i64().map_or_else(|| invalid(name, "is no number"), |n| Ok(Some(n))),
        }
    }

    pub fn time(&mut self, name: &str) -> Result<Option<i64>, Invalid> {
        let Some(text) = self.filled(name, 20)? else { return Ok(None) };
        clock::parse(&text).map_or_else(|| invalid(name, "is not a UTC time"), |t| Ok(Some(t)))
    }

    pub fn list(&mut self, name: &str, max: usize) -> Result<Vec<Value>, Invalid> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) if values.len() <= max => Ok(values),
            Some(_) => invalid(name, "is no list or too long"),
        }
    }

    pub fn paging(&mut self, max: i64, furthest: i64) -> Result<Paging, Invalid> {
        let limit = self.int("limit")?;
        let offset = self.int("offset")?;
        Paging::new(limit, offset, max, furthest)
    }

    pub fn finish(self) -> Result<(), Invalid> {
        match self.0.keys().next() {
            Some(name) => invalid(name, "is unknown"),
            None => Ok(()),
        }
    }
}

/// Refuses a value that is not in a list.
pub fn one_of<T: PartialEq>(name: &str, value: Option<&T>, allowed: &[T]) -> Result<(), Invalid> {
    match value {
        Some(value) if !allowed.contains(value) => invalid(name, "has a value that is not allowed"),
        _ => Ok(()),
    }
}
