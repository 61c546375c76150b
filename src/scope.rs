//! What can be asked for: scopes, the lanes of windows, and as whom.

use std::fmt;

use crate::time::{UtcSecond, Window};

/// Whose credential reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The account that owns the resources.
    Customer,
    /// A solution provider or distributor, who sees the customers' orders.
    Partner,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "customer",
            Self::Partner => "partner",
        })
    }
}

/// What one walk reads to its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Orders by creation time.
    Created(Window),
    /// Orders by payment time.
    Paid(Window),
    /// Orders that have a status now.
    Status(i64),
    /// What belongs to one order (or the order itself).
    Parent(String),
    /// The whole list.
    Whole,
    /// A part of the whole list, small enough for one page.
    Slice(Slice),
}

/// A part of a list that nothing sorts. Both ends belong to it, as the vendor's filters have it
/// (vendor-contract.md §8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slice {
    /// First second of the list's time field; `None`: from the beginning.
    pub from: Option<UtcSecond>,
    /// Last second; `None`: to the end.
    pub to: Option<UtcSecond>,
    /// One cloud service type only.
    pub service: Option<String>,
    /// One status only.
    pub status: Option<i64>,
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |time: Option<UtcSecond>| time.map_or_else(|| "..".to_owned(), |time| time.to_string());
        write!(f, "{}/{}", time(self.from), time(self.to))?;
        if let Some(service) = &self.service {
            write!(f, " {service}")?;
        }
        if let Some(status) = self.status {
            write!(f, " status {status}")?;
        }
        Ok(())
    }
}

impl Scope {
    /// Reads back what `Display` wrote, slices excepted, which are never stored; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
        let window = || {
            let (begin, end) = rest.split_once('/')?;
            Window::new(UtcSecond::parse(begin)?, UtcSecond::parse(end)?)
        };
        match kind {
            "created" => window().map(Self::Created),
            "paid" => window().map(Self::Paid),
            "status" => rest.parse().ok().map(Self::Status),
            "order" => Some(Self::Parent(rest.to_owned())),
            "whole" => Some(Self::Whole),
            _ => None,
        }
    }

    /// The window, for scopes that are one.
    #[must_use]
    pub const fn window(&self) -> Option<Window> {
        match self {
            Self::Created(window) | Self::Paid(window) => Some(*window),
            Self::Status(_) | Self::Parent(_) | Self::Whole | Self::Slice(_) => None,
        }
    }

    /// The parent, for scopes that are one.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        match self {
            Self::Parent(parent) => Some(parent),
            Self::Created(_) | Self::Paid(_) | Self::Status(_) | Self::Whole | Self::Slice(_) => None,
        }
    }

    /// The time field whose watermark a window moves.
    #[must_use]
    pub const fn lane(&self) -> Option<Lane> {
        match self {
            Self::Created(_) => Some(Lane::Created),
            Self::Paid(_) => Some(Lane::Paid),
            Self::Status(_) | Self::Parent(_) | Self::Whole | Self::Slice(_) => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(window) => write!(f, "created {}/{}", window.begin(), window.end()),
            Self::Paid(window) => write!(f, "paid {}/{}", window.begin(), window.end()),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Parent(parent) => write!(f, "order {parent}"),
            Self::Whole => f.write_str("whole"),
            Self::Slice(slice) => write!(f, "slice {slice}"),
        }
    }
}

/// A time field of orders that has windows and a watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// `create_time`.
    Created,
    /// `payment_time`.
    Paid,
}

impl Lane {
    /// The scope that reads a window of this time field.
    #[must_use]
    pub const fn scope(self, window: Window) -> Scope {
        match self {
            Self::Created => Scope::Created(window),
            Self::Paid => Scope::Paid(window),
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Paid => "paid",
        })
    }
}

/// What is asked: the request is part of the record, because many rows do not say what they belong to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// What to read.
    pub scope: Scope,
    /// The customer the request names; partners must name one for what belongs to a customer.
    pub customer_id: Option<String>,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.customer_id {
            Some(customer) => write!(f, "{} of customer {customer}", self.scope),
            None => self.scope.fmt(f),
        }
    }
}
