//! The one thread that owns the warehouse. Pages reach it over a short channel, so memory stays bounded and a
//! slow disk slows the fetching down; when pages wait, several share one transaction.

use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::page::{Committed, PageCommit};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;

/// Pages that may wait for the disk, and that share a transaction when they do: what three busy jobs have in
/// flight. At 100 KiB a page that is 5 MiB.
const CHANNEL_DEPTH: usize = 48;

type Reply<T> = oneshot::Sender<Result<T, WarehouseError>>;

enum Command {
    Commit(Box<PageCommit>, Reply<Committed>),
    Call(Box<dyn FnOnce(&mut Warehouse) + Send>),
}

/// Hands work to the thread that owns the warehouse.
#[derive(Clone, Debug)]
pub struct Writer {
    commands: mpsc::Sender<Command>,
}

impl Writer {
    /// Gives the warehouse to a thread of its own. The thread ends when the last `Writer` is dropped; joining
    /// the handle then gives the warehouse's lock back.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(warehouse: Warehouse) -> Result<(Self, JoinHandle<()>), WarehouseError> {
        let (commands, inbox) = mpsc::channel(CHANNEL_DEPTH);
        let path = warehouse.path().to_owned();
        let thread = std::thread::Builder::new()
            .name("warehouse".to_owned())
            .spawn(move || serve(warehouse, inbox))
            .map_err(|error| WarehouseError::io(&path, &error))?;
        Ok((Self { commands }, thread))
    }

    /// Stores a page; returns when it is on disk.
    ///
    /// # Errors
    /// When the warehouse failed: then nothing of the page is stored.
    pub async fn commit(&self, page: PageCommit) -> Result<Committed, WarehouseError> {
        let (reply, result) = oneshot::channel();
        self.send(Command::Commit(Box::new(page), reply)).await?;
        result.await.map_err(|_| WarehouseError::Stopped)?
    }

    /// Runs a piece of work on the warehouse.
    ///
    /// # Errors
    /// What the work returns, or that the thread is gone.
    pub async fn call<T, F>(&self, work: F) -> Result<T, WarehouseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Warehouse) -> Result<T, WarehouseError> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let call = move |warehouse: &mut Warehouse| {
            // Nobody waits any more when the caller was cancelled.
            let _ = reply.send(work(warehouse));
        };
        self.send(Command::Call(Box::new(call))).await?;
        result.await.map_err(|_| WarehouseError::Stopped)?
    }

    async fn send(&self, command: Command) -> Result<(), WarehouseError> {
        self.commands.send(command).await.map_err(|_| WarehouseError::Stopped)
    }
}

fn serve(mut warehouse: Warehouse, mut inbox: mpsc::Receiver<Command>) {
    let mut next = inbox.blocking_recv();
    while let Some(command) = next {
        next = match command {
            Command::Call(work) => {
                work(&mut warehouse);
                inbox.blocking_recv()
            }
            Command::Commit(page, reply) => {
                let mut pages = vec![page];
                let mut replies = vec![reply];
                let following = loop {
                    match inbox.try_recv() {
                        Ok(Command::Commit(page, reply)) if pages.len() < CHANNEL_DEPTH => {
                            pages.push(page);
                            replies.push(reply);
                        }
                        Ok(other) => break Some(other),
                        Err(_) => break None,
                    }
                };
                answer(warehouse.commit_pages(&pages), replies);
                following.or_else(|| inbox.blocking_recv())
            }
        };
    }
}

fn answer(result: Result<Vec<Committed>, WarehouseError>, replies: Vec<Reply<Committed>>) {
    match result {
        Ok(pages) => {
            for (reply, committed) in replies.into_iter().zip(pages) {
                let _ = reply.send(Ok(committed));
            }
        }
        Err(error) => {
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }
}
