//! The metrics over HTTP: two paths, one method, this machine, and a stop that is heard at once.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::JoinHandle;

use bss_sync::metrics::{MetricsError, serve_metrics};
use bss_sync::warehouse::{Warehouse, WarehouseError};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A responder in a thread of its own.
struct Responder {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<(), MetricsError>>,
}

impl Responder {
    fn start(render: impl Fn() -> Result<String, WarehouseError> + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("set");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                serve_metrics(listener, render, stopped).await
            })
        });
        Self { address, stop, thread }
    }

    /// Sends bytes and reads the answer to its end.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    fn stop(self) {
        self.stop.send_replace(true);
        self.thread.join().expect("no panic").expect("an orderly end");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn two_paths_are_answered_and_nothing_else() {
    let responder = Responder::start(|| Ok("bss_sync_schema_version 12\n".to_owned()));
    let answer = responder.get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nbss_sync_schema_version 12\n"), "{answer}");
    assert!(responder.get("/healthz").ends_with("\r\n\r\nok\n"));
    for path in ["/", "/metrics/", "/metrics/../etc/passwd", "/debug"] {
        assert!(responder.get(path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
        let answer =
            responder.ask(&format!("{method} /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: GET\r\n"), "{answer}");
    }
    responder.stop();
}

#[test]
fn what_is_no_request_harms_nobody_else() {
    let responder = Responder::start(|| Ok(String::new()));
    let endless = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(20_000));
    for nonsense in ["\u{16}\u{3}\u{1}hello\r\n\r\n", endless.as_str()] {
        let mut stream = TcpStream::connect(responder.address).expect("a connection");
        // It may hang up before it has everything.
        let _ = stream.write_all(nonsense.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(responder.get("/healthz").ends_with("ok\n"));
    responder.stop();
}

#[test]
fn a_warehouse_that_cannot_be_read_is_an_error_and_no_empty_page() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let missing = folder.path().join("billing.sqlite");
    let responder = Responder::start(move || Warehouse::open_read_only(&missing).map(|_| String::new()));
    let answer = responder.get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("there is no warehouse"), "{answer}");
    assert!(responder.get("/healthz").starts_with("HTTP/1.1 200 "));
    responder.stop();
}

#[test]
fn a_stop_ends_it_although_somebody_is_connected() {
    let responder = Responder::start(|| Ok(String::new()));
    let mut silent = TcpStream::connect(responder.address).expect("a connection");
    // Answered after the silent one was accepted.
    responder.get("/healthz");
    responder.stop();
    assert_eq!(silent.read(&mut [0]).unwrap_or(0), 0);
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let (_stop, stopped) = watch::channel(false);
    let served = runtime().block_on(async {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        serve_metrics(listener, || Ok(String::new()), stopped).await
    });
    assert!(matches!(served, Err(MetricsError::NotLoopback(_))), "{served:?}");
}
