//! The metrics over HTTP, for this machine only: `/metrics`, `/healthz`, nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::warehouse::WarehouseError;

/// Longest time from accepting a connection to the end of its answer: Prometheus itself gives up after 10 seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// Connections at a time. A monitor needs one; each may cost a query of the warehouse.
const CONNECTIONS: usize = 4;

/// Bytes kept of a request; hyper takes no smaller number, and a monitor sends a few hundred.
const LARGEST_REQUEST: usize = 8192;

/// Pause after the system gave no connection: it is out of something, which does not change at once.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What the text of the metrics is.
const TEXT_FORM: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why the metrics are not served.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Others could reach it.
    #[error(
        "metrics are for this machine only, and {0} can be reached from others; listen at 127.0.0.1 or [::1]"
    )]
    NotLoopback(SocketAddr),
    /// The system refused it.
    #[error("the metrics' listener failed: {0}")]
    System(#[from] std::io::Error),
}

/// Answers monitors until `stop` becomes true or whoever could say so is gone. `render` makes the text anew for each that asks;
/// it may block, and runs where that harms nobody. When it fails, the monitor gets status 500 and the reason.
///
/// # Errors
/// When the listener can be reached from other machines.
pub async fn serve_metrics<R>(
    listener: TcpListener,
    render: R,
    mut stop: watch::Receiver<bool>,
) -> Result<(), MetricsError>
where
    R: Fn() -> Result<String, WarehouseError> + Send + Sync + 'static,
{
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(MetricsError::NotLoopback(address));
    }
    let render = Arc::new(render);
    // Dropping it ends what is open.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An error means that nobody is left who could say so. What it lends must not be held while others wait.
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(()),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(tokio::time::timeout(PATIENCE, answer(stream, Arc::clone(&render))));
                }
                Err(error) => {
                    tracing::warn!(reason = %error, "no connection for a monitor");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            },
        }
    }
}

async fn answer<R>(stream: TcpStream, render: Arc<R>)
where
    R: Fn() -> Result<String, WarehouseError> + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let render = Arc::clone(&render);
        async move { Ok::<_, Infallible>(respond(&request, render).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(LARGEST_REQUEST)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(reason = %error, "a monitor was not answered");
    }
}

async fn respond<R>(request: &Request<Incoming>, render: Arc<R>) -> Response<Full<Bytes>>
where
    R: Fn() -> Result<String, WarehouseError> + Send + Sync + 'static,
{
    match (request.uri().path(), request.method()) {
        ("/healthz", &Method::GET) => plain(StatusCode::OK, "ok\n"),
        ("/metrics", &Method::GET) => match tokio::task::spawn_blocking(move || render()).await {
            Ok(Ok(text)) => plain(StatusCode::OK, text),
            Ok(Err(error)) => {
                tracing::error!(reason = %error, "no metrics: the warehouse could not be read");
                plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
            }
            // Nothing cancels it; a panic is a bug, and was reported where it happened.
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be made\n"),
        },
        ("/healthz" | "/metrics", _) => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            response
        }
        _ => plain(StatusCode::NOT_FOUND, "there are /metrics and /healthz\n"),
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT_FORM));
    response
}
