//! Plain lists: how their pages are asked for and read.

use crate::decode::decode_row;
use crate::json::{BadBody, Object};
use crate::page::Page;
use crate::record::{Table, Value};
use crate::request::{Endpoint, Request};
use crate::walk::Cursor;

/// Language of localised names: one per warehouse, the vendor's default.
pub(super) const LANGUAGE: &str = "zh_CN";

/// Where the rows and their number stand in a plain list answer.
pub(super) struct ListAnswer {
    pub(super) rows: &'static str,
    pub(super) total: &'static str,
}

impl ListAnswer {
    /// Decodes an answer that is a list of `table`'s rows and its total.
    pub(super) fn decode(
        &self,
        body: &[u8],
        table: &'static Table,
        given: &[Value],
    ) -> Result<Page, BadBody> {
        let mut answer = Object::of_body(body)?;
        let (rows, total) = answer.take_list(self.rows, self.total)?;
        let mut page = Page { total, ..Page::default() };
        for raw in rows {
            let decoded = decode_row(table, raw, given, &mut page.drift);
            page.push(decoded);
        }
        list_unknown(&answer, &mut page);
        Ok(page)
    }
}

/// Lists what an answer has beside its documented fields; `error_code` was judged before.
pub(super) fn list_unknown(answer: &Object<'_>, page: &mut Page) {
    answer.list_unknown("answer", &mut page.drift);
    page.drift.retain(|drift| !matches!(drift.field.as_str(), "answer.error_code" | "answer.error_msg"));
}

/// A GET of a page of a plain list.
pub(super) fn get_page(endpoint: &'static Endpoint, cursor: &Cursor, limit: u32) -> Request {
    Request {
        endpoint,
        path_parameter: None,
        query: vec![("limit", limit.to_string()), ("offset", cursor.offset().to_string())],
        body: None,
        language: None,
    }
}
