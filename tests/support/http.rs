//! The smallest HTTP client that will do: one request a connection.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic; not every file does")]

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Sends a request and gives status and body.
pub fn call(
    address: SocketAddr,
    method: &str,
    uri: &str,
    headers: &[(&str, String)],
    body: &[u8],
) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut head = format!(
        "{method} {uri} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut reply = Vec::new();
    // Some servers keep the connection open although asked to close it; the length says when the answer is whole.
    let mut chunk = [0; 8_192];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        reply.extend_from_slice(&chunk[..read]);
        if read == 0 || whole(&reply) {
            break;
        }
    }
    let end = find(&reply, b"\r\n\r\n").expect("an answer has a head");
    let status = String::from_utf8_lossy(&reply[9..12]).parse().unwrap();
    (status, reply[end + 4..].to_vec())
}

/// The head of an answer, and its body without the frame of chunks.
pub fn split(reply: &[u8]) -> (String, Vec<u8>) {
    let end = find(reply, b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(&reply[..end]).into_owned();
    let body = &reply[end + 4..];
    if header_of(&head, "transfer-encoding").is_none() {
        return (head, body.to_vec());
    }
    let (mut rest, mut joined) = (body, Vec::new());
    while let Some(line) = find(rest, b"\r\n") {
        let length = usize::from_str_radix(&String::from_utf8_lossy(&rest[..line]), 16).unwrap();
        joined.extend_from_slice(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 2 + length + 2..];
    }
    (head, joined)
}

/// A header of an answer's head.
pub fn header_of<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn whole(reply: &[u8]) -> bool {
    let Some(end) = find(reply, b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&reply[..end]).to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| reply.len() >= end + 4 + length)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
