//! What an indicator sees of a bar: whole ticks, whole contracts, and what several indicators share.

/// One bar. Prices are ticks from the first close of the segment: every formula is a difference of prices, and
/// small integers keep every sum exact.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Row {
    /// The end of the interval, nanoseconds UTC.
    pub ts: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    /// Close less the close before; 0 in the first row of a segment, which has none.
    pub change: i64,
    pub volume: i64,
    /// Rows of the segment so far, with this one; 1 begins a segment and restarts every indicator.
    pub n: usize,
    /// Ticks a row, see [`crate::indicators::sigma`]; NaN until warm.
    pub sigma: f64,
    /// 1/σ; NaN until warm.
    pub per_sigma: f64,
    /// Buy less sell volume.
    pub delta: Option<i64>,
    pub bid: Option<i64>,
    pub ask: Option<i64>,
    pub bid_size: Option<i64>,
    pub ask_size: Option<i64>,
    pub ofi: Option<i64>,
    /// Whether the interval lies in the cash session.
    pub rth: bool,
    /// Nanoseconds to the close of the cash session; 0 outside.
    pub to_close_ns: i64,
    /// Nanoseconds since the opening of the Globex day and its scheduled length; absent outside the calendar.
    pub day_ns: Option<(i64, i64)>,
}
