//! The streams: each kind of record, what to ask for it and what an answer means.
//!
//! A stream is one file of `src/stream`, one or more files of `schema` and one of `jobs`; it is registered here and nowhere else.

mod codes;
mod list;
mod order;
mod spec;

mod order_lines;
mod orders;
mod refund_attributions;
mod resource_types;
mod resources;
mod service_types;
mod sub_customers;

pub use spec::{Feeds, Migration, Naming, Owned, Permissions, Reading, Slicing, Spec, Stream, StreamKind};

/// Every stream this build can sync; the only registration there is.
pub static CATALOGUE: &[&dyn Stream] = &[
    &orders::Orders,
    &order_lines::OrderLines,
    &refund_attributions::RefundAttributions,
    &resources::Resources,
    &service_types::ServiceTypes,
    &resource_types::ResourceTypes,
    &sub_customers::SubCustomers,
];

/// The stream of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Stream> {
    CATALOGUE.iter().copied().find(|stream| stream.name() == name)
}

/// The stream of the orders themselves, [`StreamKind::Orders`]: spend, months and the queue begin with them.
#[must_use]
pub fn orders() -> &'static dyn Stream {
    &orders::Orders
}

/// The stream of a partner's customers, [`StreamKind::Customers`].
#[must_use]
pub fn customers() -> &'static dyn Stream {
    &sub_customers::SubCustomers
}

/// The stream that reads the details of orders, [`StreamKind::OrderDetails`].
#[must_use]
pub fn order_details() -> &'static dyn Stream {
    &order_lines::OrderLines
}

#[cfg(test)]
mod tests;
