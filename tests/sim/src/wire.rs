//! TCP connections that can be cut: before the answer, or in the middle of its body.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Where a connection will break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Never,
    BeforeAnswer,
    /// After this many bytes of the body.
    InBody(usize),
}

/// The handle a request handler gets to its own connection.
#[derive(Clone, Debug)]
pub struct Scissors(Arc<Mutex<Cut>>);

impl Scissors {
    pub fn cut(&self, at: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// How many of these bytes may still be written; nothing when the connection is broken.
    fn allow(&self, bytes: &[u8]) -> Option<usize> {
        let mut cut = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *cut {
            Cut::Never => Some(bytes.len()),
            Cut::BeforeAnswer => None,
            Cut::InBody(left) => {
                let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
                let body = match head {
                    Some(end) => end + 4,
                    // Bytes without the end of a head are body bytes already.
                    None => 0,
                };
                *cut = Cut::BeforeAnswer;
                let allowed = (body + left).min(bytes.len());
                if body == bytes.len() {
                    *cut = Cut::InBody(left);
                }
                (allowed > 0).then_some(allowed)
            }
        }
    }
}

/// A listener whose connections can be cut.
pub struct Cutting(pub TcpListener);

impl Listener for Cutting {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // A connection that is gone before it was accepted is none of our business.
            if let Ok((stream, address)) = self.0.accept().await {
                // Without this small answers wait for acknowledgements.
                let _ = stream.set_nodelay(true);
                let scissors = Scissors(Arc::new(Mutex::new(Cut::Never)));
                return (Cuttable { stream, scissors }, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Cutting>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Cutting>) -> Self {
        stream.io().scissors.clone()
    }
}

/// One connection.
pub struct Cuttable {
    stream: TcpStream,
    scissors: Scissors,
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.scissors.allow(bytes) {
            Some(allowed) => Pin::new(&mut self.stream).poll_write(context, &bytes[..allowed]),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
