//! What a stream is: what it tells of itself, and what it is asked.

use std::fmt;
use std::time::Duration;

use crate::json::BadBody;
use crate::page::Page;
use crate::record::{OrderPlace, Table};
use crate::request::{Endpoint, Request};
use crate::scope::{Ask, Role, Scope};
use crate::walk::{Cursor, Paging};

/// One kind of record: what it is stands in its [`Spec`], what depends on the question in the other methods.
pub trait Stream: Sync {
    /// What it is.
    fn spec(&self) -> &'static Spec;

    /// How the answer to a scope is paged.
    fn paging(&self, scope: &Scope) -> Paging {
        let _ = scope;
        Paging::Offset
    }

    /// The size of page to ask for: the endpoint's largest.
    fn limit(&self, scope: &Scope, attempt: u32) -> u32 {
        let _ = (scope, attempt);
        self.spec().endpoint.max_limit()
    }

    /// The request for a page of `limit` rows.
    fn request(&self, ask: &Ask, cursor: &Cursor, limit: u32) -> Request;

    /// The rows of an answer.
    ///
    /// # Errors
    /// When the body is not what the endpoint answers.
    fn decode(&self, body: &[u8], ask: &Ask) -> Result<Page, BadBody>;
}

/// What a stream is: all that the rest of the program must know of it.
#[derive(Debug)]
pub struct Spec {
    /// Its name, as jobs and the ledger call it.
    pub name: &'static str,
    /// Where it is asked for.
    pub endpoint: &'static Endpoint,
    /// The tables it fills, those of its list first; child tables are named by their parents.
    pub tables: &'static [&'static Table],
    /// How it comes to know what to ask.
    pub reading: Reading,
    /// The files of `schema` that make its tables.
    pub schema: &'static [Migration],
    /// Its built-in job: the text of its file in `jobs`.
    pub job: &'static str,
    /// What its rows are to the rest of the program.
    pub kind: StreamKind,
    /// The only role whose credentials may ask (vendor-contract.md §4); `None`: both may.
    pub only_for: Option<Role>,
    /// What the vendor wants of whoever asks.
    pub permission: Permissions,
    /// Who waits for it.
    pub feeds: Feeds,
    /// Whether requests say whose rows are wanted.
    pub customer: Naming,
    /// How the whole list can be asked for in parts, where nothing promises its order.
    pub sliced_by: Option<Slicing>,
    /// Of streams that read orders from the queue: which orders have records of it. They are queued when they are new or
    /// changed.
    pub belongs_to: Option<fn(OrderPlace) -> bool>,
    /// The table whose rows belong to the order that was asked for: what a complete answer no longer shows is gone.
    pub owned_by_parent: Option<Owned>,
    /// How long after an order's last event its dependent records are read once more.
    pub read_again_after: Option<Duration>,
}

impl Spec {
    /// A stream that anyone may ask, that feeds nobody and belongs to nothing. What differs is said by its file, where also
    /// [`Spec::schema`] and [`Spec::job`] are named.
    pub(super) const fn new(
        name: &'static str,
        endpoint: &'static Endpoint,
        tables: &'static [&'static Table],
        reading: Reading,
    ) -> Self {
        Self {
            name,
            endpoint,
            tables,
            reading,
            schema: &[],
            job: "",
            kind: StreamKind::Plain,
            only_for: None,
            permission: Permissions { customer: None, partner: None },
            feeds: Feeds::Nobody,
            customer: Naming::Never,
            sliced_by: None,
            belongs_to: None,
            owned_by_parent: None,
            read_again_after: None,
        }
    }
}

/// A file of `schema`, and its place among all of them: a file's `user_version` is the number of those it has seen, so a
/// place is given once and for ever.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place, from 1; without gaps over the whole program.
    pub ordinal: u16,
    /// Its text, never edited once released.
    pub sql: &'static str,
}

impl Migration {
    /// The file at this place.
    #[must_use]
    pub const fn new(ordinal: u16, sql: &'static str) -> Self {
        Self { ordinal, sql }
    }
}

/// How a stream comes to know what to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Windows of time fields, open orders, and single orders from the queue.
    Windows,
    /// One order at a time, from the queue.
    Queue,
    /// One order at a time from the queue, and now and then the whole list.
    QueueAndWhole,
    /// The whole list, now and then.
    Whole,
}

impl Reading {
    /// Whether the stream reads orders that the queue names.
    #[must_use]
    pub const fn drains_queue(self) -> bool {
        !matches!(self, Self::Whole)
    }

    /// Whether the stream reads what belongs to orders.
    #[must_use]
    pub const fn is_by_order(self) -> bool {
        matches!(self, Self::Queue | Self::QueueAndWhole)
    }

    /// Whether the stream reads its whole list.
    #[must_use]
    pub const fn reads_whole(self) -> bool {
        matches!(self, Self::QueueAndWhole | Self::Whole)
    }
}

/// What a stream's rows are to the rest of the program, which asks for a stream by it and never by a name. One stream is of each
/// kind, but for [`StreamKind::Plain`].
#[derive(Clone, Copy, Debug)]
pub enum StreamKind {
    /// The orders themselves, the root of spend.
    Orders {
        /// The child table with an order's discounts.
        discounts: &'static Table,
    },
    /// An order once more as its details show it, with its lines.
    OrderDetails,
    /// Where the money of orders that give some back comes from: other orders are no good question.
    Refunds,
    /// A partner's customers: they tell a partner's credential from a customer's.
    Customers,
    /// Whatever else.
    Plain,
}

/// Who waits for a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feeds {
    /// Nobody.
    Nobody,
    /// Its rows put orders into the queues of other streams, or name the customers they ask for.
    Others,
}

/// Whether requests of a stream say whose rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// They do not.
    Never,
    /// A partner must name the customer in each request.
    ByPartner,
}

/// The permissions that the vendor wants of whoever asks, in its words; `None` where any key of the account may.
#[derive(Clone, Copy, Debug)]
pub struct Permissions {
    /// In the role of a customer.
    pub customer: Option<&'static str>,
    /// In the role of a partner.
    pub partner: Option<&'static str>,
}

/// Rows that belong to an order.
#[derive(Clone, Copy, Debug)]
pub struct Owned {
    /// Their table.
    pub table: &'static Table,
    /// Its column with the order's id.
    pub parent_column: &'static str,
}

/// How a whole list can be asked for in parts.
#[derive(Clone, Copy, Debug)]
pub struct Slicing {
    /// The column with the time that the endpoint filters by.
    pub time: &'static str,
    /// The statuses that it filters by: together all there are.
    pub statuses: &'static [i64],
    /// The column with the service that it filters by.
    pub service: Option<&'static str>,
}

/// Short ways to what a stream's [`Spec`] says.
impl dyn Stream + '_ {
    /// [`Spec::name`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.spec().name
    }

    /// [`Spec::endpoint`].
    #[must_use]
    pub fn endpoint(&self) -> &'static Endpoint {
        self.spec().endpoint
    }

    /// [`Spec::tables`].
    #[must_use]
    pub fn tables(&self) -> &'static [&'static Table] {
        self.spec().tables
    }

    /// The table of its list, whose rows name themselves; `None` where rows only come with the order they belong to.
    #[must_use]
    pub fn listed(&self) -> Option<&'static Table> {
        self.spec().tables.first().copied().filter(|_| self.spec().reading != Reading::Queue)
    }

    /// [`Spec::reading`].
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.spec().reading
    }

    /// [`Spec::only_for`].
    #[must_use]
    pub fn only_for(&self) -> Option<Role> {
        self.spec().only_for
    }

    /// [`Spec::permission`] of a role.
    #[must_use]
    pub fn permission(&self, role: Role) -> Option<&'static str> {
        let Permissions { customer, partner } = self.spec().permission;
        match role {
            Role::Customer => customer,
            Role::Partner => partner,
        }
    }

    /// Whether other streams wait for it.
    #[must_use]
    pub fn feeds_others(&self) -> bool {
        self.spec().feeds == Feeds::Others
    }

    /// Whether a partner must name the customer in each request.
    #[must_use]
    pub fn partner_names_customer(&self) -> bool {
        self.spec().customer == Naming::ByPartner
    }

    /// Whether an order at that place has records of it.
    #[must_use]
    pub fn has_records_of(&self, place: OrderPlace) -> bool {
        self.spec().belongs_to.is_some_and(|belongs| belongs(place))
    }

    /// [`Spec::sliced_by`].
    #[must_use]
    pub fn sliced_by(&self) -> Option<Slicing> {
        self.spec().sliced_by
    }

    /// [`Spec::owned_by_parent`].
    #[must_use]
    pub fn owned_by_parent(&self) -> Option<Owned> {
        self.spec().owned_by_parent
    }

    /// [`Spec::read_again_after`].
    #[must_use]
    pub fn read_again_after(&self) -> Option<Duration> {
        self.spec().read_again_after
    }
}

impl fmt::Debug for dyn Stream + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.name())
    }
}
