//! Labels against loops over all later rows.

mod walk;

use mes_core::bar::Bar;
use mes_features::labels::{
    DOWN, FLAT, Label, Labeller, UP,
    barrier::{Barrier, Barriers},
    horizon::Horizon,
};
use walk::{ONE, interval, walk};

fn labels(labeller: &mut dyn Labeller, bars: &[Bar]) -> Vec<Option<Label>> {
    let mut known = Vec::new();
    for bar in bars {
        labeller.push(bar, &mut known);
    }
    labeller.end(&mut known);
    known
}

#[test]
fn the_horizon_label_is_the_move_to_the_row_exactly_then() {
    let mut bars = walk(11, "2026-06-15T14:00:00Z", interval("1s"), &[500, 20, 31, 400]);
    // Holes: rows whose partner is missing have no label.
    let mut k = 0;
    bars.retain(|_| {
        k += 1;
        k % 17 != 0
    });
    for (seconds, threshold) in [(5, 2.0), (30, 3.0), (30, 4.0), (60, 3.0)] {
        let found = labels(&mut Horizon::new(seconds * ONE, threshold), &bars);
        assert_eq!(found.len(), bars.len());
        for (bar, found) in bars.iter().zip(&found) {
            let then = bars.iter().find(|then| then.seg == bar.seg && then.ts == bar.ts + seconds * ONE);
            let wanted = then.map(|then| {
                let moved = (then.close - bar.close) as f64;
                let class = if moved > threshold {
                    UP
                } else if moved < -threshold {
                    DOWN
                } else {
                    FLAT
                };
                Label { class, moved: moved as f32 }
            });
            assert_eq!(*found, wanted, "{seconds} s from {}", bar.ts);
        }
        let classes = [DOWN, FLAT, UP].map(|class| found.iter().flatten().any(|label| label.class == class));
        assert_eq!(classes, [true; 3], "the walk has all classes");
    }
}

#[test]
fn a_row_is_labelled_as_soon_as_it_can_be() {
    let bars = walk(12, "2026-06-15T14:00:00Z", interval("1s"), &[40]);
    let (mut labeller, mut known) = (Horizon::new(30 * ONE, 3.0), Vec::new());
    for (row, bar) in bars.iter().enumerate() {
        labeller.push(bar, &mut known);
        assert_eq!(known.len(), (row + 1).saturating_sub(30));
    }
}

const ENTRY: Barriers =
    Barriers { stop_ticks: 8, target_ticks: 12, timeout_ns: 120 * ONE, slippage_ticks: 1 };

/// Follows one entry of `sign` made on row `k` bar by bar. `None`: nothing settled; else whether the target was met.
fn follow(bars: &[Bar], k: usize, sign: i64, b: &Barriers) -> Option<(usize, bool)> {
    let same = |bar: &&Bar| bar.seg == bars[k].seg;
    let filled = (k + 1..bars.len()).take_while(|&j| same(&&bars[j])).find(|&j| bars[j].volume > 0)?;
    let before = &bars[filled - 1];
    let quote = if sign > 0 { before.ask } else { before.bid };
    let worse = quote.map_or(i64::MIN, |quote| sign * quote.ticks());
    let price = worse.max(sign * bars[filled].open.ticks()) + b.slippage_ticks;
    let (stop, target) = (price - b.stop_ticks, price + b.target_ticks);
    for j in (filled..bars.len()).take_while(|&j| same(&&bars[j])) {
        let bar = &bars[j];
        if bar.volume == 0 {
            continue;
        }
        if j > filled && bars[j - 1].ts >= bars[filled].ts + b.timeout_ns {
            return Some((j, false));
        }
        let (low, high) = (bar.low.ticks(), bar.high.ticks());
        let (worst, best) = if sign > 0 { (low, high) } else { (-high, -low) };
        let open = sign * bar.open.ticks();
        if open <= stop {
            return Some((j, false));
        } else if open > target {
            return Some((j, true));
        } else if worst <= stop {
            return Some((j, false));
        } else if best > target {
            return Some((j, true));
        }
    }
    None
}

#[test]
fn the_barrier_label_is_what_following_both_entries_gives() {
    let narrow = Barriers { stop_ticks: 14, target_ticks: 4, timeout_ns: 20 * ONE, slippage_ticks: 0 };
    for (seed, barriers) in [(21, ENTRY), (22, ENTRY), (23, narrow)] {
        let bars = walk(seed, "2026-06-15T14:00:00Z", interval("1s"), &[1500, 3, 40, 900]);
        let found = labels(&mut Barrier::new(barriers), &bars);
        assert_eq!(found.len(), bars.len());
        let mut seen = [0; 4];
        for (k, found) in found.iter().enumerate() {
            let (long, short) = (follow(&bars, k, 1, &barriers), follow(&bars, k, -1, &barriers));
            let wanted = match (long, short) {
                (Some((i, true)), Some((j, true))) if i == j => Some(FLAT),
                (Some((i, true)), Some((j, true))) => Some(if i < j { UP } else { DOWN }),
                (Some((_, true)), _) => Some(UP),
                (_, Some((_, true))) => Some(DOWN),
                (Some(_), Some(_)) => Some(FLAT),
                _ => None,
            };
            assert_eq!(found.map(|label| label.class), wanted, "row {k} of seed {seed}");
            seen[wanted.map_or(3, |class| class as usize)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 5), "the walk has all outcomes: {seen:?}");
    }
}
