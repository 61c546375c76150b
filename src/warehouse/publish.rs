//! The copy for finance: one self-contained file that any user may open without write right on its folder, checked before
//! it replaces the former one in one step.

mod copy;
mod draft;
mod error;

pub use copy::Published;
pub use draft::Publication;
pub use error::PublishError;
