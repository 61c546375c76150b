//! The file: who may open it, whether it is whole, and what can go wrong with it.

pub(super) mod error;
mod integrity;
pub(super) mod lock;
pub(super) mod open;
mod read;
pub(super) mod transaction;
mod write;

pub use error::WarehouseError;
pub use integrity::Closeness;
pub use open::Warehouse;
