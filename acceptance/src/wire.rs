//! HTTP/1.1 over one kept connection, as plain as it can be: the load profile must not cost more than the server.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long an answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1_024 * 1_024;

/// A connection to `host:port`, opened again when the server closes it.
pub struct Wire {
    host: String,
    open: Option<BufReader<TcpStream>>,
    cookies: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where it leads, for a redirect.
    pub location: Option<String>,
    /// Its content.
    pub body: Vec<u8>,
}

impl Wire {
    /// A connection, opened at the first request.
    pub fn to(host: impl Into<String>) -> Wire {
        Wire { host: host.into(), open: None, cookies: Vec::new() }
    }

    /// Gets a path.
    ///
    /// # Errors
    /// When the server cannot be reached, closes early or speaks no HTTP.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], b"")
    }

    /// Posts a form, already encoded.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub fn post(&mut self, path: &str, form: &str) -> io::Result<Answer> {
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[kind], form.as_bytes())
    }

    /// Posts JSON to an interface, with the key of a client and a name for the request.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub fn post_json(&mut self, path: &str, key: &str, name: &str, body: &str) -> io::Result<Answer> {
        let key = format!("Bearer {key}");
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", key.as_str()),
            ("Idempotency-Key", name),
        ];
        self.send("POST", path, &headers, body.as_bytes())
    }

    /// Sends anything.
    ///
    /// # Errors
    /// As [`Wire::get`].
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\n", self.host);
        if !cookies.is_empty() {
            head += &format!("Cookie: {}\r\n", cookies.join("; "));
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut message = head.into_bytes();
        message.extend(body);
        // A kept connection may have been closed meanwhile: a second try is on a new one.
        match self.exchange(&message) {
            Ok(answer) => Ok(answer),
            Err(_) => {
                self.open = None;
                self.exchange(&message)
            }
        }
    }

    fn exchange(&mut self, message: &[u8]) -> io::Result<Answer> {
        if self.open.is_none() {
            let stream = TcpStream::connect(&self.host)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            self.open = Some(BufReader::with_capacity(64 * 1_024, stream));
        }
        let stream = self.open.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.get_mut().write_all(message)?;
        let (answer, cookies, keep) = read_answer(stream)?;
        if !keep {
            self.open = None;
        }
        for (name, value) in cookies {
            self.cookies.retain(|(own, _)| *own != name);
            self.cookies.push((name, value));
        }
        Ok(answer)
    }
}

type Cookies = Vec<(String, String)>;

fn read_answer(stream: &mut impl BufRead) -> io::Result<(Answer, Cookies, bool)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or(io::ErrorKind::InvalidData)?;
    let (mut length, mut chunked, mut keep) = (None, false, true);
    let (mut location, mut cookies) = (None, Vec::new());
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok(),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => keep = !value.eq_ignore_ascii_case("close"),
            "location" => location = Some(value.to_owned()),
            "set-cookie" => {
                let pair = value.split(';').next().and_then(|pair| pair.split_once('='));
                cookies.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
            }
            _ => {}
        }
    }
    let body = match (chunked, length) {
        (true, _) => read_chunks(stream)?,
        (false, Some(length)) => read_exactly(stream, length)?,
        (false, None) => Vec::new(),
    };
    Ok((Answer { status, location, body }, cookies, keep))
}

fn read_exactly(stream: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    if length > LONGEST_ANSWER {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let size = line.trim().split(';').next().and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        if body.len() + size > LONGEST_ANSWER {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut chunk = read_exactly(stream, size + 2)?;
        if size == 0 {
            return Ok(body);
        }
        chunk.truncate(size);
        body.append(&mut chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_framing_are_read() {
        let mut whole = &b"HTTP/1.1 303 See Other\r\nLocation: /home\r\nSet-Cookie: s=1; Path=/\r\nContent-Length: 3\r\n\r\nabcHTTP"[..];
        let (answer, cookies, keep) = read_answer(&mut whole).unwrap();
        assert_eq!(
            (answer.status, answer.location.as_deref(), &*answer.body, keep),
            (303, Some("/home"), &b"abc"[..], true)
        );
        assert_eq!((cookies, whole), (vec![("s".to_owned(), "1".to_owned())], &b"HTTP"[..]));
        let mut chunks = &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"[..];
        let (answer, _, keep) = read_answer(&mut chunks).unwrap();
        assert_eq!((&*answer.body, keep), (&b"abc"[..], false));
        assert!(read_answer(&mut &b""[..]).is_err());
    }
}
