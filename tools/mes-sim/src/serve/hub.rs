//! Hub connections over WebSockets.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use axum::{
    extract::{
        Path, Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use mes_projectx::hub::Kind;
use serde_json::json;
use tokio::{sync::Notify, time::timeout};

use super::{Shared, rest::bearer};
use crate::service::Out;

/// The longest frame that is read.
const MOST_BYTES: usize = 1 << 16;
/// For whoever says good-bye to hear it said back.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// Records of one frame that goes out, in bytes.
const FRAME_BYTES: usize = 1 << 16;

fn kind(hub: &str) -> Option<Kind> {
    [Kind::User, Kind::Market].into_iter().find(|kind| kind.path().strip_prefix("hubs/") == Some(hub))
}

/// Gives an id for a connection to come. It means nothing here: the token is what counts.
///
/// # Errors
///
/// 404 for no such hub, 401 without a token that is good.
pub async fn negotiate(
    State(shared): State<Arc<Shared>>,
    Path(hub): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    let token = token(&headers, &query);
    let good = shared.at_now(|service, _| token.is_some_and(|token| service.knows(token)));
    match kind(&hub) {
        None => Err(StatusCode::NOT_FOUND),
        Some(_) if !good => Err(StatusCode::UNAUTHORIZED),
        Some(_) => {
            let id = mes_pipe::account::nonce();
            let transports = json!([{"transport": "WebSockets", "transferFormats": ["Text", "Binary"]}]);
            Ok(super::json(&match query.get("negotiateVersion").map(String::as_str) {
                Some("1") => json!({
                    "negotiateVersion": 1, "connectionId": id, "connectionToken": id, "availableTransports": transports,
                }),
                _ => json!({"connectionId": id, "availableTransports": transports}),
            }))
        }
    }
}

/// Opens a connection.
pub async fn upgrade(
    State(shared): State<Arc<Shared>>,
    Path(hub): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(kind) = kind(&hub) else { return StatusCode::NOT_FOUND.into_response() };
    let token = token(&headers, &query);
    match shared.at_now(|service, now| service.open(now, kind, token)) {
        Ok(line) => {
            let lost = Arc::clone(&shared);
            upgrade
                .max_message_size(MOST_BYTES)
                .max_frame_size(MOST_BYTES)
                .on_failed_upgrade(move |_| lost.at_now(|service, _| service.gone(line)))
                .on_upgrade(move |socket| connection(shared, line, socket))
        }
        Err(status) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response()
        }
    }
}

/// Browsers can only put the token into the query, Node only into a header.
fn token<'a>(headers: &'a HeaderMap, query: &'a HashMap<String, String>) -> Option<&'a str> {
    query.get("access_token").map(String::as_str).or_else(|| bearer(headers))
}

async fn connection(shared: Arc<Shared>, line: u64, mut socket: WebSocket) {
    let notify = Arc::new(Notify::new());
    let lines = || shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines().insert(line, Arc::clone(&notify));
    loop {
        tokio::select! {
            heard = socket.recv() => {
                let bytes = match heard {
                    Some(Ok(Message::Text(text))) => text.into(),
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_))) => {
                        // The answer to it goes out with the next read.
                        let _ = timeout(GOOD_BYE, socket.recv()).await;
                        break;
                    }
                    Some(Err(_)) | None => break,
                };
                shared.at_now(|service, now| service.frame(now, line, &bytes));
            }
            () = notify.notified() => {}
        }
        let due = shared.at_now(|service, now| service.take(now, line));
        if !sent(&mut socket, due).await {
            break;
        }
    }
    lines().remove(&line);
    shared.at_now(|service, _| service.gone(line));
}

/// Sends what is due, several records a frame; returns false once it is over.
async fn sent(socket: &mut WebSocket, due: Vec<Out>) -> bool {
    let mut frame = String::new();
    let mut over = None;
    for out in due {
        match out {
            Out::Record(text) => frame.push_str(&text),
            end => {
                over = Some(end);
                break;
            }
        }
        if frame.len() >= FRAME_BYTES && socket.send(Message::text(std::mem::take(&mut frame))).await.is_err()
        {
            return false;
        }
    }
    if !frame.is_empty() && socket.send(Message::text(frame)).await.is_err() {
        return false;
    }
    if over == Some(Out::Close) {
        // Whoever has gone already needs no good-bye.
        let _ = socket.send(Message::Close(None)).await;
    }
    over.is_none()
}
