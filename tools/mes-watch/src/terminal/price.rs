//! The price of the day in dots, with fills as shapes and where stop and target lie.

use ratatui::{
    Frame,
    layout::Rect,
    style::{Color, Style},
    symbols::Marker,
    text::Line,
    widgets::{
        Block,
        canvas::{Canvas, Line as Stroke},
    },
};

use crate::{
    chart::{Piece, Wanted, ms},
    day::Day,
};

/// Draws the day up to row `until`.
pub fn draw(frame: &mut Frame, area: Rect, day: &Day, until: usize, colour: bool) {
    let points = usize::from(area.width).max(20) * 2;
    let wanted = Wanted { points, until, ..Wanted::default() };
    let block = Block::bordered().title(" price: ▲ bought ▼ sold ■ closed; S stop, T target ");
    let Some(piece) = Piece::of(day, wanted) else {
        frame.render_widget(block.title_bottom(" no row yet "), area);
        return;
    };
    let prices = piece.candles.iter().flat_map(|candle| [candle.2, candle.3]);
    let levels = piece.levels.iter().map(|level| level.price);
    let (low, high) = prices
        .chain(levels)
        .fold((f64::MAX, f64::MIN), |(low, high), price| (low.min(price), high.max(price)));
    let room = ((high - low) * 0.05).max(1.0);
    let (from, to) = (piece.from as f64, (piece.to as f64).max(piece.from as f64 + 1000.0));
    let block = block
        .title_bottom(Line::from(format!(" {low:.2} to {high:.2} ")).right_aligned())
        .title_bottom(format!(
            " {} to {} ",
            crate::snapshot::clock(piece.from * mes_core::time::MILLI),
            crate::snapshot::clock(piece.to * mes_core::time::MILLI)
        ));
    let ink = |wanted| if colour { wanted } else { Color::Reset };
    let canvas = Canvas::default()
        .block(block)
        .marker(Marker::Braille)
        .x_bounds([from, to])
        .y_bounds([low - room, high + room])
        .paint(|paint| {
            for candle in &piece.candles {
                let x = candle.0 as f64;
                paint.draw(&Stroke { x1: x, y1: candle.3, x2: x, y2: candle.2, color: ink(Color::Gray) });
            }
            paint.layer();
            for level in piece.levels.iter().filter(|level| level.kind != "entry") {
                let stop = level.kind == "stop";
                let (name, tint) = if stop { ("S", Color::Red) } else { ("T", Color::Green) };
                let (x1, x2, y) = (level.from as f64, level.to as f64, level.price);
                paint.draw(&Stroke { x1, y1: y, x2, y2: y, color: ink(tint) });
                if level.to >= ms(day.moments.last().map_or(0, |moment| moment.ts)).min(piece.last) {
                    paint.print(x2, y, Line::styled(name, Style::new().fg(ink(tint))));
                }
            }
            for mark in &piece.marks {
                let (shape, tint) = match (mark.exit, mark.buy) {
                    (Some(_), _) => ("■", Color::Yellow),
                    (None, true) => ("▲", Color::Cyan),
                    (None, false) => ("▼", Color::Magenta),
                };
                paint.print(mark.ts as f64, mark.price, Line::styled(shape, Style::new().fg(ink(tint))));
            }
        });
    frame.render_widget(canvas, area);
}
