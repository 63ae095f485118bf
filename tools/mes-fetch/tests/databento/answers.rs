//! What each method of the API answers.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Mutex,
    thread::sleep,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Value, json};

use super::{
    Fault, KEY, State,
    data::{Data, is_weekend, name},
    wire::{Request, chunks, head, text},
};

const DAY: i64 = 86_400_000_000_000;
const FAR_END: &str = "2024-09-01T00:00:00.000000000Z";

pub fn serve(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let request = Request::read(&stream)?;
    let lock = || state.lock().expect("no thread failed");
    match request.path.as_str() {
        "/fault" => {
            let fault = Fault::named(request.field("name"), request.field("bytes").parse().unwrap_or(0));
            let status = if fault.is_some() { 200 } else { 404 };
            lock().faults.extend(fault);
            return text(&stream, status, "text/plain", "", &[]);
        }
        "/billed" => {
            let count = lock().billed.len().to_string();
            return text(&stream, 200, "text/plain", &count, &[]);
        }
        _ => lock().requests.push(request.path.clone()),
    }
    if let Some((status, body)) = lock().echo.clone() {
        return text(&stream, status, "application/json", &body, &[]);
    }
    let expected = format!("Basic {}", STANDARD.encode(format!("{KEY}:")));
    if request.headers.get("authorization") != Some(&expected) {
        // What it was sent comes back, to see that nobody passes it on.
        let sent = request.headers.get("authorization").cloned().unwrap_or_default();
        let body = json!({ "detail": format!("Authorization failed: bad key {KEY} {sent}.") }).to_string();
        let ask = [("WWW-Authenticate", "Basic".to_owned())];
        return text(&stream, 401, "application/json", &body, &ask);
    }
    if let Some((status, answer)) = refused(&request, lock().end.unwrap_or(FAR_END)) {
        return text(&stream, status, "application/json", &answer.to_string(), &[]);
    }
    let method = request.path.trim_start_matches("/v0/");
    if method == "timeseries.get_range" {
        return range(&stream, &request, state);
    }
    if let Some(fault) = lock().free_faults.pop_front() {
        return match fault {
            Fault::Status(status, body, headers) => {
                text(&stream, status, "application/json", &body, &headers)
            }
            _ => stream.shutdown(Shutdown::Both),
        };
    }
    match free(method, &request, &lock()) {
        Some(answer) => text(&stream, 200, "application/json", &answer.to_string(), &[]),
        None => text(&stream, 404, "application/json", r#"{"detail": "Not Found"}"#, &[]),
    }
}

fn window(request: &Request) -> (i64, i64) {
    (nanos(request.field("start")), nanos(request.field("end")))
}

fn data(request: &Request) -> Data {
    let (start, end) = window(request);
    Data::make(request.field("symbols"), request.field("schema"), start, end)
}

/// Answers what the window alone makes wrong.
fn refused(request: &Request, available_end: &str) -> Option<(u16, Value)> {
    if !request.fields.contains_key("start") {
        return None;
    }
    let (start, end) = window(request);
    let refuse = |case: &str, message: &str, payload: Value| {
        let detail = json!({ "case": case, "message": message, "status_code": 422, "payload": payload });
        Some((422, json!({ "detail": detail })))
    };
    if start >= end {
        return refuse(
            "data_time_range_start_on_or_after_end",
            "The start is not before the end.",
            json!({}),
        );
    }
    if end > nanos(available_end) {
        let payload = json!({ "available_end": available_end });
        return refuse("data_end_after_available_end", "The end is too late.", payload);
    }
    if (start / DAY..end.div_euclid(DAY).max(start / DAY + 1)).all(|day| is_weekend(day * DAY)) {
        return refuse("symbology_invalid_request", "None of the symbols could be resolved.", json!({}));
    }
    None
}

fn free(method: &str, request: &Request, state: &State) -> Option<Value> {
    Some(match method {
        "metadata.get_dataset_range" => {
            let range =
                json!({ "start": "2010-06-06T00:00:00.000000000Z", "end": state.end.unwrap_or(FAR_END) });
            let schemas = [
                "ohlcv-1s",
                "ohlcv-1m",
                "ohlcv-1h",
                "ohlcv-1d",
                "trades",
                "tbbo",
                "mbp-1",
                "bbo-1s",
                "bbo-1m",
                "definition",
                "status",
            ];
            let by_schema: Value = schemas.iter().map(|name| (name.to_string(), range.clone())).collect();
            json!({ "start": range["start"], "end": "2030-01-01T00:00:00.000000000Z", "schema": by_schema })
        }
        "metadata.get_dataset_condition" => {
            let (from, last) = (request.field("start_date"), request.field("end_date"));
            let (from, last): (NaiveDate, NaiveDate) = (from.parse().ok()?, last.parse().ok()?);
            let days = from.iter_days().take_while(|day| *day <= last);
            days.map(|day| condition(&day.to_string(), state)).collect()
        }
        "metadata.get_record_count" => json!(data(request).records()),
        "metadata.get_billable_size" => json!(data(request).bytes()),
        "metadata.get_cost" => json!(data(request).bytes() as f64 / 1e5),
        "metadata.list_schemas" => json!(["ohlcv-1s", "ohlcv-1m", "trades"]),
        "symbology.resolve" => {
            let (from, until) = (request.field("start_date"), request.field("end_date"));
            let one = |id: &str| json!([{ "d0": from, "d1": until, "s": name(id.parse().unwrap_or(0)) }]);
            let ids = request.field("symbols").split(',');
            let result: Value = ids.map(|id| (id.to_owned(), one(id))).collect();
            json!({
                "result": result, "symbols": [], "stype_in": "instrument_id", "stype_out": "raw_symbol",
                "start_date": from, "end_date": until, "partial": [], "not_found": [], "message": "OK", "status": 0,
            })
        }
        _ => return None,
    })
}

fn condition(date: &str, state: &State) -> Value {
    let found = state.days.iter().rfind(|(day, ..)| *day == date);
    let (condition, modified) =
        found.map_or(("available", date), |(_, condition, modified)| (*condition, *modified));
    json!({ "date": date, "condition": condition, "last_modified_date": modified })
}

/// Answers with data, or as the next fault has it.
fn range(stream: &TcpStream, request: &Request, state: &Mutex<State>) -> io::Result<()> {
    let fault = state.lock().expect("no thread failed").faults.pop_front();
    match &fault {
        Some(Fault::Status(status, body, headers)) => {
            let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
            return text(stream, *status, kind, body, headers);
        }
        Some(Fault::Drop) => return stream.shutdown(Shutdown::Both),
        Some(Fault::Page) => return text(stream, 200, "text/html", "<html>Sign in</html>", &[]),
        _ => {}
    }
    if request.field("encoding") != "dbn" || request.field("compression") != "zstd" {
        return text(stream, 400, "application/json", r#"{"detail": "only dbn and zstd here"}"#, &[]);
    }
    let data = data(request);
    let body = data.encode(matches!(fault, Some(Fault::Short)));
    state.lock().expect("no thread failed").billed.push(window(request));
    let mut headers = vec![("Content-Type", "application/octet-stream".to_owned())];
    match &fault {
        Some(Fault::Warn(warning)) => headers.push(("X-Warning", warning.clone())),
        None if data.records() == 0 => {
            let warning = r#"["Warning: No data found for the request you submitted."]"#;
            headers.push(("X-Warning", warning.to_owned()));
        }
        _ => {}
    }
    if let Some(Fault::CutLength(bytes)) = fault {
        headers.push(("Content-Length", body.len().to_string()));
        head(stream, 200, &headers)?;
        return (&*stream).write_all(&body[..bytes.min(body.len())]);
    }
    headers.push(("Transfer-Encoding", "chunked".to_owned()));
    head(stream, if matches!(fault, Some(Fault::Partial)) { 206 } else { 200 }, &headers)?;
    let upto = |bytes: usize| &body[..bytes.min(body.len())];
    match fault {
        Some(Fault::Cut(bytes)) => return chunks(stream, upto(bytes), 4096),
        Some(Fault::CutNeatly(bytes)) => chunks(stream, upto(bytes), 4096)?,
        Some(Fault::Drip) => {
            for byte in body.chunks(1) {
                chunks(stream, byte, 1)?;
                sleep(Duration::from_millis(50));
            }
        }
        Some(Fault::Hold(bytes)) => return hold(stream, upto(bytes), state),
        Some(Fault::Slow) => {
            for piece in body.chunks(body.len() / 8 + 1) {
                chunks(stream, piece, 4096)?;
                sleep(Duration::from_millis(20));
            }
        }
        _ => chunks(stream, &body, 4096)?,
    }
    (&*stream).write_all(b"0\r\n\r\n")
}

/// Sends some bytes and waits for the other side to go away.
fn hold(mut stream: &TcpStream, body: &[u8], state: &Mutex<State>) -> io::Result<()> {
    chunks(stream, body, 4096)?;
    state.lock().expect("no thread failed").held = true;
    let mut byte = [0];
    while stream.read(&mut byte)? > 0 {}
    Ok(())
}

/// Reads a time as the API takes it: nanoseconds, a date, or a date and a time.
fn nanos(text: &str) -> i64 {
    if let Ok(nanos) = text.parse() {
        return nanos;
    }
    let bare = text.trim_end_matches('Z').trim_end_matches("+00:00");
    let moment = NaiveDateTime::parse_from_str(bare, "%Y-%m-%dT%H:%M:%S%.f");
    let midnight = || bare.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN));
    let moment = moment.or_else(|_| midnight()).unwrap_or_default();
    moment.and_utc().timestamp_nanos_opt().unwrap_or(0)
}
