//! `bss-sync serve`: runs jobs on their schedules until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::common::Common;
use super::load::read;
use super::watched::{LEFTOVERS, runtime, system};
use crate::config::{Config, Environment, Secrets};
use crate::error::Failure;
use crate::metrics::serve_metrics;
use crate::service::{Signals, Supervisor, SystemClock, VendorWork, keep};
use crate::warehouse::{Warehouse, Writer};

pub(super) fn execute(common: &Common, environment: &Environment, config: Config) -> Result<u8, Failure> {
    let runtime = runtime()?;
    // Before the warehouse is opened: from then on only a kill ends the worker in the middle of something.
    let signals = listen(&runtime)?;
    let warehouse = Warehouse::open(&config.warehouse)?;
    let (writer, thread) = Writer::start(warehouse)?;
    let (common, environment) = (common.clone(), environment.clone());
    let reload = move || read(&common, &environment, Secrets::Read);
    let listen = config.metrics.listen;
    let work = Arc::new(VendorWork::new(config, Box::new(reload), writer));
    let (_open, is_closed) = watch::channel(false);
    if let Some(address) = listen {
        runtime.spawn(answer_monitors(address, Arc::downgrade(&work), is_closed));
    }
    let result = runtime.block_on(Box::pin(keep(work, SystemClock, Supervisor::of_process(), signals)));
    runtime.shutdown_timeout(LEFTOVERS);
    // The thread ends with the last writer; waiting for it keeps the lock until everything is on disk.
    let _ = thread.join();
    result.map(|()| 0).map_err(Failure::from)
}

/// Answers a monitor until the program ends. Without it the service works all the same.
async fn answer_monitors(address: SocketAddr, work: Weak<VendorWork>, is_closed: watch::Receiver<bool>) {
    let answered = match TcpListener::bind(address).await {
        Ok(listener) => serve_metrics(listener, move || VendorWork::metrics(&work), is_closed).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = answered {
        tracing::error!(%address, reason = %error, "nobody answers monitors: [metrics] listen");
    }
}

/// SIGTERM and SIGINT stop the service, SIGHUP has the configuration read again.
fn listen(runtime: &Runtime) -> Result<Signals<impl Future<Output = ()> + use<>>, Failure> {
    let _entered = runtime.enter();
    let to = |kind, what| signal(kind).map_err(|error| system(what, &error));
    let mut terminate = to(SignalKind::terminate(), "could not listen for SIGTERM")?;
    let mut interrupt = to(SignalKind::interrupt(), "could not listen for SIGINT")?;
    let mut hangup = to(SignalKind::hangup(), "could not listen for SIGHUP")?;
    let (asked, reload) = mpsc::channel(1);
    runtime.spawn(async move {
        while hangup.recv().await.is_some() {
            // One that waits stands for all that follow.
            let _ = asked.try_send(());
        }
    });
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    Ok(Signals { stop, reload })
}
