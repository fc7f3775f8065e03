//! Requests that no well-kept client would send, written byte by byte.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::rig::Page;
use crate::rig::program::Portal;

/// Sends these bytes; the answer, which must end the connection.
///
/// # Panics
/// When there is no answer.
pub async fn raw(portal: &Portal, request: impl AsRef<[u8]>) -> Page {
    let mut stream = TcpStream::connect(("127.0.0.1", portal.port())).await.unwrap();
    // The portal may answer before it has read everything, and hang up.
    drop(stream.write_all(request.as_ref()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, value.trim().parse().unwrap());
    }
    let path = String::from_utf8_lossy(request.as_ref())
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    Page {
        status: status.parse::<StatusCode>().unwrap(),
        headers,
        way: vec![path.clone()],
        path,
        body: body.to_owned(),
    }
}

/// A request on the wire, as a browser would send it but with this form in its body.
pub fn with_body(request: &Request<Body>, form: &str) -> Vec<u8> {
    let uri = request.uri();
    let mut wire = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{CONTENT_TYPE}: application/x-www-form-urlencoded\r\n\
         {CONTENT_LENGTH}: {}\r\n",
        request.method(),
        uri.path_and_query().unwrap(),
        uri.authority().unwrap(),
        form.len()
    );
    for (name, value) in request
        .headers()
        .iter()
        .filter(|(name, _)| **name != CONTENT_TYPE)
    {
        wire.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    wire.push_str("\r\n");
    wire.push_str(form);
    wire.into_bytes()
}
