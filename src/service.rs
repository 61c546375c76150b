//! The worker that stays: runs jobs on their schedules until it is told to stop.

pub mod agenda;
mod error;
mod scheduler;
mod supervisor;
pub(crate) mod tell;
mod work;

pub use error::{ServiceError, Unusable};
pub use scheduler::{Clock, JobEnded, NextRun, Signals, SystemClock, Work, keep};
pub use supervisor::Supervisor;
pub use work::{Reload, VendorWork};
