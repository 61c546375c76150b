//! What can go wrong on purpose: a queue of faults, each for one answer.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Endpoint;
use super::truth::Truth;
use super::vendor::{Page, total};

/// A change of the truth just before an answer is made.
pub type Mutation = Box<dyn FnOnce(&mut Truth) + Send>;

/// One thing that goes wrong with one answer.
pub enum Fault {
    /// An error answer.
    Status { code: u16, error_code: String, error_msg: String },
    /// The gateway's 429, with the text of a `Retry-After` header if any.
    Throttle { retry_after: Option<String> },
    /// A 429 that names a quota per day.
    DailyQuota,
    /// The connection closes without an answer.
    HangUp,
    /// The connection closes in the middle of the body.
    HalfBody,
    /// A proxy's page with status 200.
    Html200,
    /// A proxy's page with status 502.
    Html502,
    /// An error code inside a 200.
    ErrorIn200,
    /// The right total and no rows.
    EmptyPage,
    /// The right total and half of the rows.
    ShortPage,
    /// The rows of the page before.
    RepeatPage,
    /// The rows of the page before of the same list; nothing wrong when another list was asked before.
    RepeatEarlier,
    /// A total that is not true.
    WrongTotal(i64),
    /// A total that is off by this much, but not below 0.
    TotalOff(i64),
    /// The total of this page instead of the list: a lie when there are more.
    HonestTotalOfPage,
    /// Up to so many rows from the offset, whatever limit was asked for.
    IgnoreLimit(usize),
    /// No total at all.
    MissingTotal,
    /// The total as text.
    StringTotal,
    /// A redirect to somewhere.
    Redirect(String),
    /// All tokens are revoked and the call is refused.
    TokenExpired,
    /// The answer waits until it is released.
    Hold(Hold),
    /// The data change just before the answer is made.
    Mutate(Mutation),
}

impl Fault {
    /// An error answer with a code of the vendor.
    pub fn status(code: u16, error_code: &str, error_msg: &str) -> Self {
        Self::Status { code, error_code: error_code.into(), error_msg: error_msg.into() }
    }

    pub fn mutate(change: impl FnOnce(&mut Truth) + Send + 'static) -> Self {
        Self::Mutate(Box::new(change))
    }

    /// Bends a page that is otherwise right.
    pub(super) fn bend(&self, page: &mut Page) {
        match self {
            Self::EmptyPage => page.rows.clear(),
            Self::ShortPage => page.rows.truncate(page.rows.len() / 2),
            Self::WrongTotal(total) => page.total = *total,
            Self::TotalOff(by) => page.total = (page.total + by).max(0),
            Self::HonestTotalOfPage => page.total = total(page.rows.len()),
            _ => {}
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fault")
    }
}

/// Holds one answer back; clones hold and release the same one.
#[derive(Clone, Debug)]
pub struct Hold {
    released: Arc<watch::Sender<bool>>,
    arrived: Arc<(Mutex<u32>, Condvar)>,
}

impl Hold {
    pub fn new() -> Self {
        Self {
            released: Arc::new(watch::channel(false).0),
            arrived: Arc::new((Mutex::new(0), Condvar::new())),
        }
    }

    /// Lets the answer go, and every later one that meets this hold.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Waits until a request is held, at most `longest`; false when none came.
    pub fn wait_for_request(&self, longest: Duration) -> bool {
        let (count, signal) = &*self.arrived;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = signal.wait_timeout_while(count, longest, |count| *count == 0);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count > 0
    }

    pub(super) async fn hold(&self) {
        {
            let (count, signal) = &*self.arrived;
            *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            signal.notify_all();
        }
        let mut released = self.released.subscribe();
        // An error means that nobody is left who could release it.
        let _ = released.wait_for(|released| *released).await;
    }
}

impl Default for Hold {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a fault again and again.
pub type Recipe = Box<dyn Fn() -> Fault + Send>;

/// The faults to come.
#[derive(Default)]
pub struct Faults {
    queue: Vec<(Option<Endpoint>, Fault)>,
    repeated: Vec<(Option<Endpoint>, u64, u64, Recipe)>,
}

impl Faults {
    /// Adds a fault for the next call of an endpoint, or of any.
    pub fn push(&mut self, endpoint: Option<Endpoint>, fault: Fault) {
        self.queue.push((endpoint, fault));
    }

    /// Lets every `nth` call of an endpoint, or of any, meet a fault.
    pub fn every(&mut self, endpoint: Option<Endpoint>, nth: u64, recipe: Recipe) {
        self.repeated.push((endpoint, nth.max(1), 0, recipe));
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Faults that were pushed and not yet met.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let meant = |of: &Option<Endpoint>| of.is_none_or(|of| of == endpoint);
        let mut made = None;
        for (of, nth, seen, recipe) in &mut self.repeated {
            if meant(of) {
                *seen += 1;
                if seen.is_multiple_of(*nth) {
                    made = Some(recipe());
                }
            }
        }
        match self.queue.iter().position(|(of, _)| meant(of)) {
            Some(position) => Some(self.queue.remove(position).1),
            None => made,
        }
    }
}
