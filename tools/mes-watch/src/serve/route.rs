//! What is asked for, and whether it is answered. Everything but the bare page needs a session.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
};

use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header};
use mes_core::time::MILLI;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Line, Served,
    answer::{self, Told},
    events, gate, soon,
};
use crate::{
    act::Act,
    chart::{Piece, Wanted},
};

/// The most bytes of a request's body.
const BODY_BYTES: usize = 4096;

const PAGE: &str = include_str!("../page/page.html");
const STYLE: &str = include_str!("../page/style.css");
const WATCH: &str = include_str!("../page/watch.js");
const CHART: &str = include_str!("../page/chart.js");
const ICON: &str = include_str!("../page/icon.svg");

#[derive(Deserialize)]
struct Open {
    token: String,
}

#[derive(Deserialize)]
struct Ask {
    act: Act,
}

#[derive(Deserialize)]
struct Answer {
    once: String,
    #[serde(default)]
    reason: String,
}

/// Answers a request.
///
/// # Errors
///
/// None: a refusal is an answer.
pub async fn answer(
    served: Arc<Served>,
    line: Arc<Line>,
    request: Request<Incoming>,
) -> Result<Response<Told>, Infallible> {
    Ok(respond(&served, &line, request).await.unwrap_or_else(answer::refused))
}

async fn respond(
    served: &Arc<Served>,
    line: &Arc<Line>,
    request: Request<Incoming>,
) -> Result<Response<Told>, StatusCode> {
    if request.uri().authority().is_some() || !gate::is_ours(request.headers()) {
        return Err(StatusCode::FORBIDDEN);
    }
    let path = request.uri().path().to_owned();
    if let Some((kind, text)) = bare(&path) {
        return match *request.method() {
            Method::GET => Ok(answer::bytes(StatusCode::OK, kind, text)),
            _ => Err(StatusCode::METHOD_NOT_ALLOWED),
        };
    }
    let posts = ["/open", "/ask", "/act"].contains(&path.as_str());
    if path != "/open" {
        if !served.gate.knows(request.headers()) {
            return Err(StatusCode::UNAUTHORIZED);
        }
        line.known.store(true, Ordering::Relaxed);
    }
    let wanted = if posts { Method::POST } else { Method::GET };
    if request.method() != wanted {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    // A browser says where a POST comes from; what does not is no page of ours.
    if posts && !request.headers().contains_key(header::ORIGIN) {
        return Err(StatusCode::FORBIDDEN);
    }
    match path.as_str() {
        "/open" => open(served, line, request).await,
        "/ask" => ask(served, request).await,
        "/act" => act(served, request).await,
        "/changes" => events::open(served, line).map(answer::stream).ok_or(StatusCode::SERVICE_UNAVAILABLE),
        "/view" => {
            let row = number(&request, "row")?.map_or(usize::MAX, |row| row.max(0) as usize);
            Ok(answer::json(&served.desk.view(row)))
        }
        "/chart" => chart(served, &request),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

/// Returns what is no secret: the page without anything on it.
fn bare(path: &str) -> Option<(&'static str, &'static str)> {
    Some(match path {
        "/" => ("text/html; charset=utf-8", PAGE),
        "/style.css" => ("text/css; charset=utf-8", STYLE),
        "/watch.js" => ("text/javascript; charset=utf-8", WATCH),
        "/chart.js" => ("text/javascript; charset=utf-8", CHART),
        "/icon.svg" => ("image/svg+xml", ICON),
        _ => return None,
    })
}

async fn open(
    served: &Served,
    line: &Line,
    request: Request<Incoming>,
) -> Result<Response<Told>, StatusCode> {
    let Open { token } = body(request).await?;
    let (cookie, key) = served.gate.open(&token).ok_or(StatusCode::UNAUTHORIZED)?;
    line.known.store(true, Ordering::Relaxed);
    let mut response = answer::json(&json!({ "key": key }));
    let cookie = cookie.parse().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

async fn ask(served: &Served, request: Request<Incoming>) -> Result<Response<Told>, StatusCode> {
    let headers = request.headers().clone();
    let Ask { act } = body(request).await?;
    let once = served.gate.ask(&headers, act).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(answer::json(&json!({ "once": once })))
}

async fn act(served: &Served, request: Request<Incoming>) -> Result<Response<Told>, StatusCode> {
    let headers = request.headers().clone();
    let Answer { once, reason } = body(request).await?;
    let act = served.gate.answer(&headers, &once).ok_or(StatusCode::CONFLICT)?;
    Ok(match served.desk.act(act, &reason) {
        Ok(id) => answer::json(&json!({ "id": id })),
        Err(error) => answer::json(&json!({ "refused": error.to_string() })),
    })
}

fn chart(served: &Served, request: &Request<Incoming>) -> Result<Response<Told>, StatusCode> {
    let instant = |name| number(request, name).map(|ms| ms.and_then(|ms| ms.checked_mul(MILLI)));
    let wanted = Wanted {
        from: instant("from")?,
        to: instant("to")?,
        points: number(request, "points")?.unwrap_or(400).clamp(0, 10_000) as usize,
        until: number(request, "row")?.map_or(usize::MAX, |row| row.max(0) as usize),
    };
    Ok(answer::json(&Piece::of(&served.desk.day(), wanted)))
}

/// Returns a number of the query.
fn number(request: &Request<Incoming>, name: &str) -> Result<Option<i64>, StatusCode> {
    let pairs = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next();
    value.map(|value| value.parse().map_err(|_| StatusCode::BAD_REQUEST)).transpose()
}

/// Reads a small body of JSON.
async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, StatusCode> {
    let json = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !json {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let read = soon(Limited::new(request.into_body(), BODY_BYTES).collect()).await;
    let bytes = read.ok_or(StatusCode::REQUEST_TIMEOUT)?.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    serde_json::from_slice(&bytes.to_bytes()).map_err(|_| StatusCode::BAD_REQUEST)
}
