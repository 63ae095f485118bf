//! What a person may do with a running exchange: see its clock, and let things go wrong.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use mes_core::time::{self, MILLI};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Shared, rest::bearer};
use crate::service::Fault;

/// A fault that is to begin now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRequest {
    pub fault: Fault,
    /// As long as it usually lasts where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// Says what time it is here, and how it follows from the time on this machine.
pub async fn clock(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let now = shared.time.now(&shared.service());
    let (utc, machine) = shared.began;
    super::json(&json!({
        "utc": time::format(now),
        "began": {"utc": time::format(utc), "machine": time::format(machine)},
        "times": match shared.time { super::Time::Max => Value::Null, _ => shared.time.times().into() },
    }))
}

/// Begins a fault, for whoever knows the token of the run directory.
///
/// # Errors
///
/// 401 for whoever does not, 400 for what is no fault.
pub async fn fault(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<impl IntoResponse, StatusCode> {
    if bearer(&headers) != Some(shared.token.as_str()) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let request: FaultRequest = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let lasts = request.for_ms.map_or(request.fault.lasts(), |ms| {
        i64::try_from(ms).unwrap_or(i64::MAX / MILLI).saturating_mul(MILLI)
    });
    shared.at_now(|service, now| {
        service.pass(now);
        service.fault(request.fault, lasts);
    });
    Ok(super::json(&json!({"fault": request.fault.name(), "for_ms": lasts / MILLI})))
}
