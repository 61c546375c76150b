//! The one thread that owns the warehouse. Pages reach it over a short channel, so memory stays bounded and a slow disk slows
//! the fetching down.
//!
//! A page is acknowledged when it is in the transaction that is under way; the transaction is committed after so many rows or so
//! much time. Where no other page is expected soon, pages are committed before they are acknowledged. Whatever is told to people or
//! relied on by others waits for the commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::page::{Committed, PageCommit};
use crate::warehouse::file::error::WarehouseError;
use crate::warehouse::file::open::Warehouse;
use crate::warehouse::ledger::runs::RunId;

/// Pages that may wait for their turn: what three busy jobs have in flight. At 100 KiB a page that is 5 MiB.
const CHANNEL_DEPTH: usize = 48;

/// When nothing came for so long, what is under way takes its time.
const QUIET: Duration = Duration::from_millis(20);

type Reply<T> = oneshot::Sender<Result<T, WarehouseError>>;

/// Tells whoever waits what became of a piece of writing, once it is known whether it was committed.
type Tell = Box<dyn FnOnce(Result<(), WarehouseError>)>;

enum Command {
    Store(Box<PageCommit>, Reply<Committed>),
    Read(Box<dyn FnOnce(&Warehouse) + Send>),
    Write(Box<dyn FnOnce(&mut Warehouse) -> Tell + Send>),
}

/// Hands work to the thread that owns the warehouse.
#[derive(Clone, Debug)]
pub struct Writer {
    commands: mpsc::Sender<Command>,
    coming: Arc<AtomicUsize>,
}

/// A page that somebody asks the vendor for, as long as this lives.
#[derive(Debug)]
pub struct ComingPage(Arc<AtomicUsize>);

impl Drop for ComingPage {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Writer {
    /// Gives the warehouse to a thread of its own. The thread ends when the last `Writer` is dropped; joining
    /// the handle then gives the warehouse's lock back.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(mut warehouse: Warehouse) -> Result<(Self, JoinHandle<()>), WarehouseError> {
        let (commands, inbox) = mpsc::channel(CHANNEL_DEPTH);
        let coming = Arc::new(AtomicUsize::new(0));
        let path = warehouse.path().to_owned();
        warehouse.commit_together();
        let clock = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| WarehouseError::io(&path, &error))?;
        let thread = std::thread::Builder::new()
            .name("warehouse".to_owned())
            .spawn({
                let coming = Arc::clone(&coming);
                move || clock.block_on(serve(warehouse, inbox, &coming))
            })
            .map_err(|error| WarehouseError::io(&path, &error))?;
        Ok((Self { commands, coming }, thread))
    }

    /// Says that a page is asked for: others that are stored meanwhile need not be committed at once.
    #[must_use]
    pub fn expect_page(&self) -> ComingPage {
        self.coming.fetch_add(1, Ordering::Relaxed);
        ComingPage(Arc::clone(&self.coming))
    }

    /// Stores a page; returns when it is in the transaction that is under way, before that is committed unless nothing else
    /// comes. Whether it was, [`Writer::settle`] tells.
    ///
    /// # Errors
    /// When the warehouse failed: then nothing of the page is stored. Also when it failed before, while the page's run was
    /// under way: then the run goes on from something that is not stored.
    pub async fn store(&self, page: PageCommit) -> Result<Committed, WarehouseError> {
        let (reply, result) = oneshot::channel();
        self.send(Command::Store(Box::new(page), reply)).await?;
        result.await.map_err(|_| WarehouseError::Stopped)?
    }

    /// Reads from the warehouse, what is not committed yet as well.
    ///
    /// # Errors
    /// What the work returns, or that the thread is gone.
    pub async fn read<T, F>(&self, work: F) -> Result<T, WarehouseError>
    where
        T: Send + 'static,
        F: FnOnce(&Warehouse) -> Result<T, WarehouseError> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let read = move |warehouse: &Warehouse| {
            // Nobody waits any more when the caller was cancelled.
            let _ = reply.send(work(warehouse));
        };
        self.send(Command::Read(Box::new(read))).await?;
        result.await.map_err(|_| WarehouseError::Stopped)?
    }

    /// Runs a piece of work on the warehouse; returns when it is on disk, with all that was stored before it.
    ///
    /// # Errors
    /// What the work returns, that it could not be committed, or that the thread is gone.
    pub async fn write<T, F>(&self, work: F) -> Result<T, WarehouseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Warehouse) -> Result<T, WarehouseError> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let write = move |warehouse: &mut Warehouse| -> Tell {
            let done = work(warehouse);
            Box::new(move |committed| {
                let _ = reply.send(done.and_then(|done| committed.map(|()| done)));
            })
        };
        self.send(Command::Write(Box::new(write))).await?;
        result.await.map_err(|_| WarehouseError::Stopped)?
    }

    /// Returns when all that a run stored is on disk.
    ///
    /// # Errors
    /// When something of it is not.
    pub async fn settle(&self, run: RunId) -> Result<(), WarehouseError> {
        self.write(Warehouse::settle).await?;
        self.read(move |warehouse| warehouse.check_kept(run)).await
    }

    async fn send(&self, command: Command) -> Result<(), WarehouseError> {
        self.commands.send(command).await.map_err(|_| WarehouseError::Stopped)
    }
}

async fn serve(mut warehouse: Warehouse, mut inbox: mpsc::Receiver<Command>, coming: &AtomicUsize) {
    let mut following = None;
    while let Some(command) = match following.take() {
        Some(command) => Some(command),
        None => next(&mut warehouse, &mut inbox).await,
    } {
        match command {
            Command::Store(page, reply) if coming.load(Ordering::Relaxed) == 0 => {
                following = store_at_once(&mut warehouse, &mut inbox, &page, reply);
            }
            Command::Store(page, reply) => {
                let stored = warehouse.store_page(&page);
                if stored.is_ok() {
                    warehouse.promise();
                }
                let _ = reply.send(stored);
            }
            Command::Read(work) => work(&warehouse),
            Command::Write(work) => {
                let tell = work(&mut warehouse);
                tell(warehouse.settle());
            }
        }
        if warehouse.due().is_some_and(|due| due <= Instant::now()) {
            settle(&mut warehouse);
        }
    }
    settle(&mut warehouse);
}

/// Stores a page, and those that wait behind it, and commits before any of them is acknowledged: no walk asks for its next page
/// before that. Returns the command behind them.
fn store_at_once(
    warehouse: &mut Warehouse,
    inbox: &mut mpsc::Receiver<Command>,
    page: &PageCommit,
    reply: Reply<Committed>,
) -> Option<Command> {
    let mut pages = vec![(reply, warehouse.store_page(page))];
    let following = loop {
        match inbox.try_recv() {
            Ok(Command::Store(page, reply)) if pages.len() < CHANNEL_DEPTH => {
                let stored = warehouse.store_page(&page);
                if let Err(error) = &stored
                    && warehouse.due().is_none()
                {
                    // It took the whole transaction with it.
                    for (_, earlier) in pages.iter_mut().filter(|(_, earlier)| earlier.is_ok()) {
                        *earlier = Err(error.clone());
                    }
                }
                pages.push((reply, stored));
            }
            Ok(other) => break Some(other),
            Err(_) => break None,
        }
    };
    let committed = warehouse.settle();
    for (reply, stored) in pages {
        let _ = reply.send(stored.and_then(|stored| committed.clone().map(|()| stored)));
    }
    following
}

/// The next command. When none comes for a while, what is under way is committed.
async fn next(warehouse: &mut Warehouse, inbox: &mut mpsc::Receiver<Command>) -> Option<Command> {
    if let Some(due) = warehouse.due() {
        let until = due.min(Instant::now() + QUIET);
        match tokio::time::timeout_at(until.into(), inbox.recv()).await {
            Ok(command) => return command,
            Err(_) => settle(warehouse),
        }
    }
    inbox.recv().await
}

/// Commits what was promised. Where that fails, whoever relies on it is told when it comes back.
fn settle(warehouse: &mut Warehouse) {
    if let Err(error) = warehouse.settle() {
        tracing::warn!(reason = %error, "pages could not be committed; their runs end as failed");
    }
}
