//! What the vendor has beside what is stored.

use crate::time::Window;
use crate::warehouse::{OrderMember, UnprovenOrder};

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComparedPart {
    /// The orders of a month.
    Month {
        /// The billing month (UTC+8), yyyy-MM.
        month: String,
        /// What was asked for: the month, moved a little where an order is at its edge.
        asked: Window,
    },
    /// A whole list.
    List {
        /// Whose, where a partner asks customer by customer.
        customer_id: Option<String>,
    },
    /// What belongs to orders of a month; only those are listed of which other rows are stored than were proven, or of which
    /// nothing is proven and which do not wait in the queue.
    Dependents {
        /// The billing month of the orders' creation; `None` when it is not known.
        month: Option<String>,
        /// The orders.
        orders: Vec<UnprovenOrder>,
    },
    /// Members of combined orders that are missing: of the stream `orders` from its table although the details have them,
    /// of `order_lines` from the details.
    Members {
        /// The billing month of the combined orders' creation; `None` when it is not known.
        month: Option<String>,
        /// The members.
        orders: Vec<OrderMember>,
    },
}

/// What the vendor has, and what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The stream.
    pub stream: &'static str,
    /// What is compared.
    pub part: ComparedPart,
    /// The vendor's number; for what belongs to orders the number that was proven. `None`: there was no answer.
    pub vendor: Option<u64>,
    /// Rows stored and not gone, those left out that are there or not as the vendor reads the bounds of its windows.
    pub stored: u64,
    /// Rows that may come on top for that reason; 0 nearly always.
    pub on_edge: u64,
    /// Why they differ, as far as that is known.
    pub reasons: Vec<String>,
}

impl Comparison {
    /// Rows stored beyond the vendor's; negative where some are missing here. `None`: there was no answer.
    #[must_use]
    pub fn difference(&self) -> Option<i64> {
        let least = i128::from(self.stored);
        let vendor = i128::from(self.vendor?);
        // The nearest number that some reading of the bounds makes of what is stored.
        let stored = vendor.clamp(least, least + i128::from(self.on_edge));
        i64::try_from(stored - vendor).ok()
    }

    /// Whether the vendor has what is stored.
    #[must_use]
    pub fn agrees(&self) -> bool {
        match self.part {
            ComparedPart::Month { .. } | ComparedPart::List { .. } => self.difference() == Some(0),
            // Only orders that differ are listed; a row too many of one does not make up for one that another lacks.
            ComparedPart::Dependents { .. } | ComparedPart::Members { .. } => false,
        }
    }
}

/// How much of what belongs to orders was read, for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdersCompared {
    /// The stream.
    pub stream: &'static str,
    /// Orders whose newest answer is proven complete.
    pub complete: u64,
    /// Orders that wait in the queue: the next run reads them, and nothing of them is compared.
    pub queued: u64,
    /// Orders whose newest answer could not be proven complete.
    pub disputed: u64,
    /// Orders that were never read, and that do not wait in the queue either.
    pub never_read: u64,
}
