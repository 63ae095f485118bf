//! Answers, each with the headers that keep a page to itself.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::Full;
use hyper::{Response, StatusCode, header};
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

/// Nothing but the server's own script and style runs; nothing else is asked, framed or sent to.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What an answer consists of.
pub enum Told {
    Whole(Full<Bytes>),
    /// Piece by piece, as it happens; ends with whoever sends.
    Stream(Receiver<Bytes>),
}

impl Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Told::Whole(whole) => Pin::new(whole).poll_frame(context),
            Told::Stream(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }
}

/// Answers with bytes of a kind.
pub fn bytes(status: StatusCode, kind: &'static str, bytes: impl Into<Bytes>) -> Response<Told> {
    with(status, kind, Told::Whole(Full::new(bytes.into())))
}

/// Answers with JSON.
pub fn json(value: &impl Serialize) -> Response<Told> {
    match serde_json::to_vec(value) {
        Ok(text) => bytes(StatusCode::OK, "application/json", text),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Answers with lines as they come.
pub fn stream(pieces: Receiver<Bytes>) -> Response<Told> {
    with(StatusCode::OK, "application/x-ndjson", Told::Stream(pieces))
}

/// Refuses, and says no more than the status does.
pub fn refused(status: StatusCode) -> Response<Told> {
    bytes(status, "text/plain; charset=utf-8", status.canonical_reason().unwrap_or_default())
}

fn with(status: StatusCode, kind: &'static str, body: Told) -> Response<Told> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        headers.insert(name, header::HeaderValue::from_static("same-origin"));
    }
    response
}
