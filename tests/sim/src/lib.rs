//! The vendor simulator: serves the BSS contract over HTTP on loopback, from a truth that tests can see.
//!
//! It imports nothing of the program it tests, so that one mistake cannot hide on both sides.
#![allow(missing_docs, reason = "fields and variants are the contract's, and the contract explains them")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a broken simulator must fail its test at once")]
#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "only tests call it"
)]

mod ask;
pub mod auth;
mod catalogue;
pub mod clock;
mod deal;
pub mod dice;
mod directory;
mod evolve;
mod faults;
pub mod generate;
mod giveback;
mod http;
mod inconsistent;
pub mod json;
mod orders;
mod parts;
mod quota;
mod render;
mod resellers;
mod restart;
mod script;
pub mod sign;
pub mod truth;
mod upset;
mod upset_orders;
mod upset_resources;
pub mod vendor;
mod weather;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use auth::{
    CUSTOMER_KEY, CUSTOMER_USER, PARTNER, PARTNER_KEY, PARTNER_USER, POWERLESS_KEY, TEMPORARY_KEY,
};
pub use evolve::Evolved;
pub use faults::{Fault, Hold};
pub use generate::OWNER;
pub use inconsistent::Seeded;
pub use parts::Parts;
pub use quota::{QuotaPlan, RefusalStyle};
pub use script::Script;
pub use truth::{Scope, Truth};
pub use upset::{Change, ChangeKind};
pub use vendor::{Bounds, RowOrder};
pub use weather::{FaultKind, Weather};

/// 2026-10-31T16:00:00Z, the first second of a month where the money is counted (UTC+8).
pub const ANCHOR: i64 = 1_793_462_400;

/// What is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    Orders,
    Details,
    Refunds,
    Resources,
    ResourceTypes,
    ServiceTypes,
    SubCustomers,
    Tokens,
}

impl Endpoint {
    fn of(method: &str, path: &str) -> Option<Self> {
        let list = "/v2/orders/customer-orders";
        Some(match (method, path) {
            ("GET", "/v2/orders/customer-orders/refund-orders") => Self::Refunds,
            ("GET", "/v2/products/resource-types") => Self::ResourceTypes,
            ("GET", "/v2/products/service-types") => Self::ServiceTypes,
            ("POST", "/v2/orders/suscriptions/resources/query") => Self::Resources,
            ("POST", "/v2/partners/sub-customers/query") => Self::SubCustomers,
            ("POST", "/v3/auth/tokens") => Self::Tokens,
            ("GET", path) if path == list => Self::Orders,
            ("GET", path) => {
                let id = path.strip_prefix(list)?.strip_prefix("/details/")?;
                return (!id.is_empty() && !id.contains('/')).then_some(Self::Details);
            }
            _ => return None,
        })
    }
}

/// One request as it was answered.
#[derive(Clone, Debug)]
pub struct Seen {
    pub endpoint: Endpoint,
    /// Path and query as they came.
    pub target: String,
    pub body: String,
    pub status: u16,
}

/// What was counted since the start or the last `reset_stats`, per endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub calls: u64,
    /// Answers with status 429.
    pub refused: u64,
    /// Answers with status 401.
    pub unauthorized: u64,
    pub rows: u64,
}

/// What changes from call to call.
struct Control {
    calls: u64,
    faults: faults::Faults,
    meter: quota::Meter,
    plan: QuotaPlan,
    style: RefusalStyle,
    desk: auth::Desk,
    denied: Vec<Endpoint>,
    /// The rows last served, with the question they answered.
    last_rows: HashMap<Endpoint, (String, Vec<String>)>,
    counts: BTreeMap<Endpoint, Count>,
    seen: Vec<Seen>,
    sky: weather::Sky,
    changes: Vec<Change>,
}

impl Control {
    /// So many requests are remembered one by one; a longer run is only counted.
    const REMEMBERED: usize = 200_000;

    fn number(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    fn serve(&mut self, endpoint: Endpoint, rows: u64) {
        self.counts.entry(endpoint).or_default().rows += rows;
    }

    fn log(&mut self, seen: Seen) {
        let count = self.counts.entry(seen.endpoint).or_default();
        count.calls += 1;
        count.refused += u64::from(seen.status == 429);
        count.unauthorized += u64::from(seen.status == 401);
        if self.seen.len() < Self::REMEMBERED {
            self.seen.push(seen);
        }
    }
}

/// What the server and the test share.
struct Shared {
    truth: RwLock<Truth>,
    control: Mutex<Control>,
    /// Told of each request that is answered.
    answered: Condvar,
    ways: RwLock<Ways>,
}

/// What the vendor's clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// So many seconds more than the real time.
    Ahead(i64),
    /// Always this second.
    Standing(i64),
}

/// The vendor's habits, those of the script that runs.
#[derive(Clone, Copy)]
struct Ways {
    latency: Duration,
    largest_page: Option<(usize, u16)>,
    tells_quota: bool,
    bounds: Bounds,
    row_order: RowOrder,
    ties: RowOrder,
    clock: Clock,
}

impl Shared {
    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ways(&self) -> Ways {
        *self.ways.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        match self.ways().clock {
            Clock::Ahead(seconds) => http::real_now() + seconds,
            Clock::Standing(now) => now,
        }
    }
}

/// A running simulator; dropping it closes its port and all connections.
pub struct Sim {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sim {
    /// Starts a simulator on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// When the machine gives no port or no thread.
    pub fn start(script: Script) -> Self {
        let port = script.port;
        let (truth, control, ways) = Shared::of(script);
        let shared = Arc::new(Shared {
            truth: RwLock::new(truth),
            control: Mutex::new(control),
            answered: Condvar::new(),
            ways: RwLock::new(ways),
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::channel();
        let answering = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("the machine has threads left");
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", port)).await;
                let listener = listener.expect("the port is free");
                let address = listener.local_addr().expect("a bound socket has an address");
                // Nobody listens when the test is gone already.
                let _ = ready.send(address);
                let router = Router::new().fallback(http::handle).with_state(answering);
                let service = router.into_make_service_with_connect_info::<wire::Scissors>();
                let server = axum::serve(wire::Cutting(listener), service);
                tokio::select! {
                    _ = std::future::IntoFuture::into_future(server) => {}
                    _ = stopped => {}
                }
            });
            // Requests on hold must not keep a test from ending.
            runtime.shutdown_background();
        });
        let address = started.recv().expect("the server thread reports its address");
        Self { shared, address, stop: Some(stop), thread: Some(thread) }
    }

    /// What the vendor's clock shows, unix seconds.
    pub fn now(&self) -> i64 {
        self.shared.now()
    }

    /// Lets the vendor's clock stand at `now`; signatures are checked without their date from then on.
    pub fn set_now(&self, now: i64) {
        self.shared.ways.write().unwrap_or_else(PoisonError::into_inner).clock = Clock::Standing(now);
        self.shared.control().desk.skew = i64::MAX;
    }

    /// `http://127.0.0.1:PORT`; BSS and IAM live on the same host.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What is served now. Changes wait until the guard is gone.
    pub fn truth(&self) -> impl Deref<Target = Truth> + '_ {
        self.shared.truth.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is served.
    pub fn change<R>(&self, change: impl FnOnce(&mut Truth) -> R) -> R {
        change(&mut self.shared.truth.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets the account live on until `at` (unix seconds): payments, new orders, refunds, renewals.
    pub fn evolve(&self, at: i64) -> Evolved {
        self.change(|truth| truth.evolve(at))
    }

    /// A fault for the next call of one endpoint, or of any (`None`).
    pub fn push_fault(&self, endpoint: impl Into<Option<Endpoint>>, fault: Fault) {
        self.shared.control().faults.push(endpoint.into(), fault);
    }

    /// A fault for every `nth` call of one endpoint, or of any (`None`).
    pub fn every_nth(
        &self,
        endpoint: impl Into<Option<Endpoint>>,
        nth: u64,
        recipe: impl Fn() -> Fault + Send + 'static,
    ) {
        self.shared.control().faults.every(endpoint.into(), nth, Box::new(recipe));
    }

    pub fn clear_faults(&self) {
        self.shared.control().faults.clear();
    }

    /// Faults that no call has met yet.
    pub fn faults_waiting(&self) -> usize {
        self.shared.control().faults.waiting()
    }

    pub fn set_quotas(&self, plan: QuotaPlan) {
        self.shared.control().plan = plan;
    }

    /// Takes a permission away, or gives it back.
    pub fn set_denied(&self, denied: &[Endpoint]) {
        self.shared.control().denied = denied.to_vec();
    }

    /// Makes all tokens invalid at once.
    pub fn revoke_tokens(&self) {
        self.shared.control().desk.revoke_all();
    }

    /// How many tokens were given out.
    pub fn tokens_issued(&self) -> u64 {
        self.shared.control().desk.issued()
    }

    pub fn stats(&self) -> BTreeMap<Endpoint, Count> {
        self.shared.control().counts.clone()
    }

    /// The counts of one endpoint.
    pub fn count(&self, endpoint: Endpoint) -> Count {
        self.shared.control().counts.get(&endpoint).copied().unwrap_or_default()
    }

    /// The requests so far, in the order they were answered.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.control().seen.clone()
    }

    /// Waits until so many requests were answered, as `requests` counts them; false when `patience` ends first.
    pub fn wait_for_requests(&self, count: usize, patience: Duration) -> bool {
        let control = self.shared.control();
        let is_waiting = |control: &mut Control| control.seen.len() < count;
        let waited = self.shared.answered.wait_timeout_while(control, patience, is_waiting);
        let (control, _) = waited.unwrap_or_else(PoisonError::into_inner);
        control.seen.len() >= count
    }

    /// Forgets counts and requests.
    pub fn reset_stats(&self) {
        let mut control = self.shared.control();
        control.counts.clear();
        control.seen.clear();
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server thread was reported when it happened.
            let _ = thread.join();
        }
    }
}
