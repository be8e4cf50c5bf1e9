//! One connection to central over loopback, and the bytes that pass over its socket.

use std::{io, net::SocketAddr};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::sync::message::Reply;

/// More than central ever sends.
const HEADERS_MAX: usize = 64;

/// Longest answer that is read; a report has some hundred thousand bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes written to and read from sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Traffic {
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
    }
}

/// A connection that is kept from one request to the next.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    pub(super) traffic: Traffic,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(2_048), traffic: Traffic::default() })
    }

    /// Sends a request as it is and gives the answer as it came, head and body.
    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request).await?;
        self.traffic.sent += request.len() as u64;
        let mut whole = None;
        loop {
            if whole.is_none() {
                whole = length_of(&self.buffer)?;
            }
            if let Some(whole) = whole.filter(|whole| self.buffer.len() >= *whole) {
                let rest = self.buffer.split_off(whole);
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            let read = self.stream.read_buf(&mut self.buffer).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.traffic.received += read as u64;
        }
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// The length of the answer that begins here, once its head is whole.
fn length_of(bytes: &[u8]) -> io::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = head.parse(bytes).map_err(|error| broken(&error.to_string()))?
    else {
        return Ok(None);
    };
    if head.code.is_some_and(|code| code == 304 || code == 204) {
        return Ok(Some(end));
    }
    let length = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
    let length = length.filter(|length: &usize| *length <= ANSWER_BYTES_MAX);
    length.map(|length| Some(end + length)).ok_or_else(|| broken("an answer without a length"))
}

/// The status of an answer.
pub(super) fn status_of(answer: &[u8]) -> u16 {
    let digits = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// An answer as a terminal reads it.
pub(super) fn read(answer: &[u8]) -> anyhow::Result<Reply> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = head.parse(answer)? else { anyhow::bail!("half an answer") };
    let headers = head.headers.iter().map(|header| {
        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).trim().to_owned())
    });
    Ok(Reply {
        status: head.code.context("an answer without a status")?,
        headers: headers.collect(),
        body: answer[end..].to_vec(),
    })
}
