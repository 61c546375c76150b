//! How fast an endpoint may be asked: the quotas that are told, and the controllers that keep to them.

mod calls;
mod controller;
mod governor;
mod halt;
mod margin;
pub mod page_limit;
mod phase;
mod setting;
mod state;
mod trial;
pub mod words;

pub use controller::Controller;
pub use controller::remembered::Remembered;
pub use governor::Governor;
pub use setting::{QuotaOverrides, QuotaSetting, QuotaSettingError};
pub use state::RateState;
