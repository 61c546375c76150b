//! Reads a list that comes in another order at each call: in slices small enough for one page, because one answer is one
//! state of the list.

use super::fetch::{FetchedPage, fetch};
use super::store::store;
use super::unit::WalkEnd;
use super::walker::ATTEMPTS;
use crate::run::context::JobContext;
use crate::run::outcome::JobStop;
use crate::scope::{Ask, Scope, Slice};
use crate::stream::Slicing;
use crate::time::UtcSecond;
use crate::walk::{Cursor, SeenKeys, Walk};
use crate::warehouse::WalkProgress;

/// Share of a page that a new slice is meant to fill, as a fraction: rows are not spread evenly.
const FILL: (u64, u64) = (2, 3);

/// How one try at a list ended.
enum SliceTry {
    Complete,
    /// Complete by its own count, and not believed.
    Doubted(String),
    /// The last answer, and why the slices prove nothing.
    Unproven(Box<Walk>, Box<FetchedPage>, String),
}

/// Reads a whole list in slices, as often as tries are left.
pub(super) async fn read(
    context: &JobContext,
    slicing: Slicing,
    ask: &Ask,
    mut walk: Walk,
) -> Result<WalkEnd, JobStop> {
    loop {
        let (walked, last, reason) = match once(context, slicing, ask, walk).await? {
            SliceTry::Complete => return Ok(WalkEnd::Complete(SeenKeys::default())),
            SliceTry::Doubted(doubt) => return Ok(WalkEnd::Disputed(doubt)),
            SliceTry::Unproven(walked, last, reason) => (*walked, *last, reason),
        };
        if walked.attempt >= ATTEMPTS {
            let progress = WalkProgress::Disputed { walk: walked, reason: reason.clone() };
            store(context, ask.clone(), last, progress).await?;
            return Ok(WalkEnd::Disputed(reason));
        }
        walk = Walk::start(context.stream.paging(&ask.scope), walked.attempt + 1);
        store(context, ask.clone(), last, WalkProgress::Again(walk.clone())).await?;
    }
}

/// One try: all slices, and at the end another look at the number of rows in the whole list.
async fn once(
    context: &JobContext,
    slicing: Slicing,
    ask: &Ask,
    mut walk: Walk,
) -> Result<SliceTry, JobStop> {
    let most = context.stream.endpoint().max_limit();
    let mut keys = SeenKeys::default();
    let mut waiting = vec![Slice::default()];
    while let Some(slice) = waiting.pop() {
        let part = Ask { scope: Scope::Slice(slice.clone()), ..ask.clone() };
        let fetched = fetch(context, &part, &Cursor::Offset(0), most).await?.in_order(&walk);
        walk.requests += 1;
        walk.started_at = walk.started_at.or(Some(fetched.answered_at.unix()));
        let page = &fetched.page;
        let Some(total) = page.total else {
            return Ok(SliceTry::Unproven(
                Box::new(walk),
                Box::new(fetched),
                "the vendor announces no number of rows".to_owned(),
            ));
        };
        walk.expected = walk.expected.or(Some(total));
        let received = page.rows.len() as u64;
        if received == total && received < u64::from(fetched.limit) {
            walk.rejected += page.rejects.len() as u64;
            for row in &page.rows {
                keys.insert(&row.key);
            }
        } else {
            let smaller = divide(context, slicing, &slice, total, &fetched).await?;
            if smaller.is_empty() {
                let reason = format!("{total} rows announced for the slice {slice}, {received} shown");
                return Ok(SliceTry::Unproven(Box::new(walk), Box::new(fetched), reason));
            }
            waiting.extend(smaller);
        }
        store(context, part, fetched, WalkProgress::Slice).await?;
        if context.is_stopped() {
            return Err(JobStop::Asked);
        }
    }
    walk.seen = keys.len();
    // The list may have changed meanwhile.
    let last = fetch(context, ask, &Cursor::Offset(0), 1).await?.in_order(&walk);
    walk.requests += 1;
    let expected = walk.expected.unwrap_or_default();
    if last.page.total != Some(expected) || walk.seen != expected {
        let at_end = last.page.total.map_or_else(|| "no number".to_owned(), |total| total.to_string());
        let reason = format!(
            "{expected} rows announced at the start, {} in all slices, {at_end} at the end",
            walk.seen
        );
        return Ok(SliceTry::Unproven(Box::new(walk), Box::new(last), reason));
    }
    let proof = "slices of one page each, as many rows as the vendor announced at the start and at the end";
    let progress = WalkProgress::Complete { walk, covered: None, proof };
    let doubt = store(context, ask.clone(), last, progress).await?;
    Ok(doubt.map_or(SliceTry::Complete, SliceTry::Doubted))
}

/// Smaller slices that together are this one; none when nothing divides it any more.
async fn divide(
    context: &JobContext,
    slicing: Slicing,
    slice: &Slice,
    total: u64,
    FetchedPage { page, limit, .. }: &FetchedPage,
) -> Result<Vec<Slice>, JobStop> {
    let rows = page.records.iter().filter_map(|record| record.text(slicing.time));
    let mut times: Vec<UtcSecond> = rows.filter_map(UtcSecond::parse).collect();
    times.sort_unstable();
    let by_time = by_time(slice, &times, total, u64::from(*limit));
    if by_time.len() > 1 {
        return Ok(by_time);
    }
    if slice.status.is_none() && !slicing.statuses.is_empty() {
        let of = |status: &i64| Slice { status: Some(*status), ..slice.clone() };
        return Ok(slicing.statuses.iter().map(of).collect());
    }
    if let (None, Some(column)) = (&slice.service, slicing.service) {
        // A service that nobody saw yet is missing here, and then from the count at the end.
        let (account, stream) = (context.account.clone(), context.stream);
        let known =
            context.writer.read(move |warehouse| warehouse.known_values(&account, stream, column)).await?;
        let shown = page.records.iter().filter_map(|record| record.text(column)).map(str::to_owned);
        let services: std::collections::BTreeSet<String> = known.into_iter().chain(shown).collect();
        let of = |service| Slice { service: Some(service), ..slice.clone() };
        return Ok(services.into_iter().map(of).collect());
    }
    Ok(Vec::new())
}

/// Cuts a slice where its rows, of which these are the times of some, sorted, are expected to fill a page.
fn by_time(slice: &Slice, times: &[UtcSecond], total: u64, limit: u64) -> Vec<Slice> {
    let parts = (total * FILL.1).div_ceil((limit * FILL.0).max(1)).max(2);
    let parts = usize::try_from(parts).unwrap_or(usize::MAX).min(times.len());
    let mut cuts: Vec<UtcSecond> =
        (1..parts).filter_map(|part| times.get(part * times.len() / parts)).copied().collect();
    // Where all have one time, that second can still be cut out of what is before and behind it.
    cuts.extend(times.first());
    cuts.extend(times.last().map(|last| last.plus(1)));
    cuts.sort_unstable();
    cuts.dedup();
    // A cut is the first second of a part.
    cuts.retain(|cut| slice.from.is_none_or(|from| from < *cut) && slice.to.is_none_or(|to| *cut <= to));
    let begins = std::iter::once(slice.from).chain(cuts.iter().copied().map(Some));
    let ends = cuts.iter().map(|cut| Some(cut.plus(-1))).chain(std::iter::once(slice.to));
    begins.zip(ends).map(|(from, to)| Slice { from, to, ..slice.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> UtcSecond {
        UtcSecond::from_unix(second)
    }

    #[test]
    fn rows_of_one_second_are_cut_out_and_then_not_divided_any_more() {
        let all = Slice::default();
        let parts = by_time(&all, &[at(5); 10], 250, 100);
        assert_eq!(
            parts,
            [
                Slice { to: Some(at(4)), ..Slice::default() },
                Slice { from: Some(at(5)), to: Some(at(5)), ..Slice::default() },
                Slice { from: Some(at(6)), ..Slice::default() },
            ]
        );
        assert_eq!(by_time(&parts[1], &[at(5); 10], 250, 100).len(), 1);
    }

    proptest! {
        #[test]
        fn parts_hold_every_second_of_the_slice_once(
            mut times in proptest::collection::vec(0i64..50, 1..40),
            from in proptest::option::of(0i64..20),
            to in proptest::option::of(30i64..50),
            total in 1u64..500,
        ) {
            times.sort_unstable();
            let times: Vec<UtcSecond> = times.into_iter().map(at).collect();
            let slice = Slice { from: from.map(at), to: to.map(at), ..Slice::default() };
            let holds = |slice: &Slice, second: i64| {
                slice.from.is_none_or(|from| from <= at(second)) && slice.to.is_none_or(|to| at(second) <= to)
            };
            let parts = by_time(&slice, &times, total, 10);
            for second in -1..60 {
                let count = parts.iter().filter(|part| holds(part, second)).count();
                prop_assert_eq!(count, usize::from(holds(&slice, second)), "{} in {:?}", second, parts);
            }
        }
    }
}
