//! A server on this machine that answers by a script.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// One answer of the script.
#[derive(Clone)]
pub(super) enum Step {
    /// Sent as it is; the connection stays open.
    Answer(Vec<u8>),
    /// Sent as it is, then the connection is closed.
    Last(Vec<u8>),
    /// As an answer, but not before so many requests have come.
    Once(usize, Vec<u8>),
}

pub(super) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Step {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    Step::Answer([head.as_bytes(), body].concat())
}

pub(super) fn json(status: u16, body: &str) -> Step {
    answer(status, "Content-Type: application/json\r\n", body)
}

/// A server on this machine that answers its requests, over whatever connections, by one script.
pub(super) struct Server {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) fn start(script: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &script, &seen));
            }
        });
        Self { url, requests }
    }

    pub(super) fn seen(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(mut stream: TcpStream, script: &Mutex<VecDeque<Step>>, seen: &Mutex<Vec<String>>) -> Option<()> {
    loop {
        let request = read_request(&mut stream)?;
        seen.lock().ok()?.push(request);
        let step =
            script.lock().ok()?.pop_front().unwrap_or_else(|| json(404, r#"{"code":"end of script"}"#));
        match step {
            Step::Answer(bytes) => stream.write_all(&bytes).ok()?,
            Step::Once(count, bytes) => {
                while seen.lock().ok()?.len() < count {
                    std::thread::yield_now();
                }
                stream.write_all(&bytes).ok()?;
            }
            Step::Last(bytes) => return stream.write_all(&bytes).ok(),
        }
    }
}

/// A whole request, its head in lower case.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0u8];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

/// IAM's answer with a token.
pub(super) fn new_token(value: &str) -> Step {
    let body = r#"{"token":{"expires_at":"2999-01-01T00:00:00.000000Z"}}"#;
    answer(201, &format!("Content-Type: application/json\r\nX-Subject-Token: {value}\r\n"), body)
}
