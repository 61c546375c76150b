//! Cuts what is left of a long window into several, when fewer walks are under way than keep the pace busy: the pages of
//! one walk come one after the other, however fast the vendor lets us ask.

use super::fetch::FetchedPage;
use super::store::{proof_of, settled, store};
use super::unit::{Unit, WalkEnd};
use crate::run::context::JobContext;
use crate::run::outcome::JobStop;
use crate::scope::{Ask, Lane};
use crate::time::Window;
use crate::walk::Walk;
use crate::warehouse::WalkProgress;

/// Where a walk is cut.
pub(super) struct WalkCut {
    lane: Lane,
    /// What was read, and is proven by the vendor's own count of what follows.
    done: Walk,
    read: Window,
    /// What is left, oldest first.
    left: Vec<Window>,
}

impl WalkCut {
    /// Where to cut a walk that got this answer, if that is worth its requests.
    pub(super) fn of(context: &JobContext, ask: &Ask, walk: &Walk, fetched: &FetchedPage) -> Option<Self> {
        let (lane, window) = (ask.scope.lane()?, ask.scope.window()?);
        let page = &fetched.page;
        let pages = page.total?.div_ceil((page.rows.len() as u64).max(1));
        let parts = context.pace.parts(pages, context.spacing());
        if parts < 2 {
            return None;
        }
        let (place, done) = walk.proven_before(page)?;
        let read = Window::new(window.begin(), place)?;
        let rest = Window::new(place, window.end())?;
        let seconds = rest.end().unix() - rest.begin().unix();
        let left = rest.split(seconds / parts + 1);
        (left.len() > 1).then_some(Self { lane, done, read, left })
    }

    /// Stores what was read, and ends the walk with what is left. A kill between the two leaves the walk where it was.
    pub(super) async fn make(
        self,
        context: &JobContext,
        ask: Ask,
        fetched: FetchedPage,
    ) -> Result<WalkEnd, JobStop> {
        let Self { lane, done, read, left } = self;
        context.pace.cut(left.len());
        let attempt = done.attempt;
        let covered = settled(context, read, &done);
        let proof = proof_of(&done);
        let part = Ask { scope: lane.scope(read), ..ask.clone() };
        let progress = WalkProgress::Complete { walk: done, covered, proof };
        let doubt = store(context, part, fetched, progress).await?;
        // Newest first, like all windows.
        let scopes = left.into_iter().rev().map(|window| lane.scope(window));
        let parts: Vec<_> = scopes
            .map(|scope| (scope.clone(), Walk::start(context.stream.paging(&scope), attempt)))
            .collect();
        let unit = |(scope, walk): (_, Walk)| Unit::new(Ask { scope, ..ask.clone() }, walk);
        let units = parts.iter().cloned().map(unit).collect();
        store(context, ask.clone(), FetchedPage::nothing(context), WalkProgress::Divided(parts)).await?;
        // What is doubted keeps its place in the ledger; the next run reads the rest.
        Ok(doubt.map_or(WalkEnd::Divided(units), WalkEnd::Disputed))
    }
}
