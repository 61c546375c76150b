//! What is known of an account's quotas and the size of its pages: from run to run by way of the warehouse.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::client::{Client, Learned};
use crate::config::Account;
use crate::request::Endpoint;
use crate::time::UtcSecond;
use crate::warehouse::{Warehouse, WarehouseError, Writer};

use super::error::RunError;

/// How often what is known about the quotas and the size of pages is stored.
const INTERVAL: Duration = Duration::from_secs(10);

/// What earlier runs learned about an account's endpoints at this host.
///
/// # Errors
/// When the warehouse fails.
pub fn learned(warehouse: &Warehouse, account: &str, host: &str) -> Result<Learned, WarehouseError> {
    let rates = warehouse.rate_state(account, host)?;
    Ok(Learned { rates, pages: warehouse.page_limits(account, host, UtcSecond::now())? })
}

/// A client that goes on with what earlier runs learned about the quotas and the size of pages.
pub(super) async fn client_of(account: &Account, writer: &Writer) -> Result<Client, RunError> {
    let (name, host) = (account.name.clone(), account.profile.endpoint.host().to_owned());
    let known = writer.read(move |warehouse| learned(warehouse, &name, &host)).await?;
    Ok(Client::resume(account.profile.clone(), known)?)
}

/// Keeps what a client learns.
pub(super) struct LearnedMemory {
    account: String,
    host: String,
    client: Arc<Client>,
    writer: Writer,
    only: Option<&'static Endpoint>,
}

impl LearnedMemory {
    pub(super) fn of(account: &Account, client: &Arc<Client>, writer: &Writer) -> Self {
        let (account, host) = (account.name.clone(), account.profile.endpoint.host().to_owned());
        Self { account, host, client: Arc::clone(client), writer: writer.clone(), only: None }
    }

    /// Of one endpoint only. An endpoint belongs to one stream, and whoever has read that stream must not keep what it
    /// knew: other invocations of the same worker may read it by now, and know better.
    pub(super) fn only(self, endpoint: &'static Endpoint) -> Self {
        Self { only: Some(endpoint), ..self }
    }

    /// Stores what is known now.
    pub(super) async fn save(&self) -> Result<(), WarehouseError> {
        let (account, host) = (self.account.clone(), self.host.clone());
        let is_ours = |endpoint: &str| self.only.is_none_or(|only| only.name == endpoint);
        let (mut rates, mut pages) = (self.client.pace().remember(), self.client.pages().remember());
        rates.retain(|rate| is_ours(&rate.endpoint));
        pages.retain(|(endpoint, _)| is_ours(endpoint));
        self.writer
            .write(move |warehouse| {
                warehouse.save_rate_state(&account, &host, &rates)?;
                warehouse.save_page_limits(&account, &host, &pages, UtcSecond::now())
            })
            .await
    }

    /// Stores it again and again, so that a run that is killed does not begin anew.
    pub(super) async fn keep(&self) -> Result<Infallible, WarehouseError> {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.save().await?;
        }
    }
}
