//! Many requests at the same moment: connections are open and all but the last byte is sent before any may finish.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::rig::Page;

/// Sends the requests so that all of them end at the same moment; the answers come in the order of the requests.
///
/// A request with a body is held back when the portal has begun to read that body (it says `100 Continue` then), so
/// that every one is past routing and headers when the last bytes go out in one sweep.
///
/// # Panics
/// When a request gets no whole answer, or breaks the portal.
pub async fn all_at_once(requests: impl IntoIterator<Item = Request<Body>>) -> Vec<Page> {
    let timed = all_at_once_timed(requests).await;
    timed.into_iter().map(|(page, _)| page).collect()
}

/// The same, with how long each answer took after the last byte of its request.
///
/// # Panics
/// As [`all_at_once`].
pub async fn all_at_once_timed(requests: impl IntoIterator<Item = Request<Body>>) -> Vec<(Page, Duration)> {
    let lines = in_order(requests.into_iter().map(ready)).await;
    let mut waiting = Vec::with_capacity(lines.len());
    for mut line in lines {
        // One byte into an open connection does not wait, so this is one sweep.
        line.stream.write_all(&[line.last]).await.unwrap();
        waiting.push((line, Instant::now()));
    }
    in_order(waiting.into_iter().map(|(line, sent)| async move {
        let page = line.answer().await;
        (page, sent.elapsed())
    }))
    .await
}

/// Runs all of them at once, and keeps their order.
async fn in_order<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running = JoinSet::new();
    for (place, task) in tasks.enumerate() {
        running.spawn(async move { (place, task.await) });
    }
    let mut done = running.join_all().await;
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, value)| value).collect()
}

/// A connection on which one byte is missing.
#[derive(Debug)]
struct Line {
    stream: TcpStream,
    last: u8,
    path: String,
    /// What came after `100 Continue`.
    heard: Vec<u8>,
}

async fn ready(request: Request<Body>) -> Line {
    let host = request.uri().authority().unwrap().to_string();
    let (mut head, body, path) = on_the_wire(request).await;
    let has_body = !body.is_empty();
    if has_body {
        head.truncate(head.len() - 2);
        head.extend_from_slice(b"expect: 100-continue\r\n\r\n");
    }
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (held, first) = if has_body {
        (body, head)
    } else {
        (head, Vec::new())
    };
    stream.write_all(&first).await.unwrap();
    let mut heard = Vec::new();
    if has_body {
        const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        while heard.len() < GO_ON.len() {
            assert_ne!(
                stream.read_buf(&mut heard).await.unwrap(),
                0,
                "{path} was hung up on"
            );
        }
        if heard.starts_with(GO_ON) {
            heard.drain(..GO_ON.len());
        }
    }
    let (last, most) = held.split_last().unwrap();
    stream.write_all(most).await.unwrap();
    Line {
        stream,
        last: *last,
        path,
        heard,
    }
}

/// Head, body and path of a request.
async fn on_the_wire(request: Request<Body>) -> (Vec<u8>, Vec<u8>, String) {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    let path = parts.uri.path_and_query().unwrap().to_string();
    let host = parts.uri.authority().unwrap().as_str();
    parts
        .headers
        .entry(HOST)
        .or_insert_with(|| HeaderValue::from_str(host).unwrap());
    parts
        .headers
        .insert("connection", HeaderValue::from_static("close"));
    if parts.method != Method::GET {
        parts.headers.insert(CONTENT_LENGTH, body.len().into());
    }
    let mut head = format!("{} {path} HTTP/1.1\r\n", parts.method).into_bytes();
    for (name, value) in &parts.headers {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    (head, body, path)
}

impl Line {
    async fn answer(mut self) -> Page {
        self.stream.read_to_end(&mut self.heard).await.unwrap();
        let end = self.heard.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no whole answer to {}", self.path));
        let body = self.heard.split_off(end + 4);
        let head = String::from_utf8(self.heard).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
        let status: StatusCode = status.parse().unwrap();
        assert_ne!(status, 500, "{} broke the portal", self.path);
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
        let announced = headers.get(CONTENT_LENGTH).map(|n| n.to_str().unwrap().parse());
        assert_eq!(announced, Some(Ok(body.len())), "half an answer to {}", self.path);
        Page {
            status,
            headers,
            way: vec![self.path.clone()],
            path: self.path,
            body: String::from_utf8(body).unwrap(),
        }
    }
}
