//! Calls over HTTP.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Path, State},
    http::{HeaderMap, Response, header},
};

use chrono::DateTime;
use mes_core::time::Ts;

use super::Shared;
use crate::service::{Answer, Fate};

/// For how long a lost answer keeps its client waiting, if that has the patience.
const LOST: Duration = Duration::from_secs(120);

/// Answers a call.
pub async fn call(
    State(shared): State<Arc<Shared>>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = format!("api/{path}");
    let answer = shared.at_now(|service, now| service.call(now, &path, bearer(&headers), &body));
    let Answer { status, body, date, retry_after, late, fate } = answer;
    let late = Duration::from_nanos(u64::try_from(late).unwrap_or(0) / u64::from(shared.time.times()));
    match fate {
        Fate::Lost => tokio::time::sleep(LOST).await,
        Fate::Arrives | Fate::BreaksOff if !late.is_zero() => tokio::time::sleep(late).await,
        Fate::Arrives | Fate::BreaksOff => {}
    }
    let kind = if body.starts_with('{') { "application/json; charset=utf-8" } else { "text/plain" };
    let mut response = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    // The time of the exchange, which is rarely that of this machine.
    response = response.header(header::DATE, http_date(date));
    if let Some(seconds) = retry_after {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    let body = match fate {
        Fate::Arrives => Body::from(body),
        Fate::BreaksOff | Fate::Lost => Body::new(Broken),
    };
    response.body(body).unwrap_or_default()
}

/// Writes a time as HTTP does, to the second.
fn http_date(ts: Ts) -> String {
    DateTime::from_timestamp_nanos(ts).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Returns the token of a call.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// A body that breaks off before its first byte.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}
