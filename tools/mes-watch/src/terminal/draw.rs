//! One picture of the terminal's view; fits 80 by 24.

use mes_core::time::MILLI;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Margin, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Wrap},
};

use super::{Log, Screen, price};
use crate::{
    act::Act,
    day::Day,
    desk::View,
    snapshot::{Bar, Health, Money, Step, Took, countdown},
};

/// What the keys do.
const KEYS: &str = "\
q  leave; trading goes on
h  halt: mes-risk closes on the next row, enters nothing
f  flatten: closes at the exchange now
k  kill: halt, and close at the exchange now
   each asks again before it does it
Tab    decisions, alerts, trades; line, schedule and latency
↑ ↓    scroll them
Of a day that is over:
← →    a minute of rows    , .  one row
Home End   first, last row   Space  play";
/// Cells of a limit's bar.
const CELLS: usize = 8;

/// Draws the view.
pub fn draw(frame: &mut Frame, screen: &Screen, view: &View, day: &Day) {
    let area = frame.area();
    let actions = view.actions.last().map_or(0, |last| last.lines.len().min(3) as u16 + 1);
    let limits = view.snapshot.limits.len().max(4) as u16 + 2;
    let [head, chart, middle, log, done, foot] = Layout::vertical([
        Constraint::Length(3),
        Constraint::Fill(3),
        Constraint::Length(limits),
        Constraint::Fill(2),
        Constraint::Length(actions),
        Constraint::Length(1),
    ])
    .areas(area);
    header(frame, head, screen, view);
    price::draw(frame, chart, day, view.snapshot.row, screen.colour);
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(middle);
    bars(frame, left, screen, &view.snapshot.limits);
    keeps(frame, right, screen, view);
    logs(frame, log, screen, view);
    acted(frame, done, screen, view);
    footer(frame, foot, screen, view);
    if let Some(act) = screen.question {
        let asks = view.buttons.iter().find(|button| button.act == act).map_or("", |button| &button.asks);
        popup(
            frame,
            &format!(" {} ", act.name()),
            &format!("{asks}\n\ny  yes, {}    any other key  no", act.name()),
        );
    } else if screen.help {
        popup(frame, " keys ", KEYS);
    }
}

fn ink(screen: &Screen, colour: Color) -> Style {
    if screen.colour { Style::new().fg(colour) } else { Style::new() }
}

fn bold() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

fn money(screen: &Screen, amount: &Money) -> Span<'static> {
    let (colour, text) = match amount.cents {
        cents if cents > 0 => (Color::Green, format!("+{}", amount.text)),
        cents if cents < 0 => (Color::Red, amount.text.clone()),
        _ => (Color::Reset, amount.text.clone()),
    };
    Span::styled(text, ink(screen, colour).add_modifier(Modifier::BOLD))
}

fn header(frame: &mut Frame, area: Rect, screen: &Screen, view: &View) {
    let account = view.snapshot.account.as_ref().map_or_else(
        || "mes-watch".to_owned(),
        |of| format!("{} [{}] {}, rules {}, {}", of.name, of.kind, of.contract, of.rules, of.date),
    );
    let state = if view.replay {
        " REPLAY"
    } else if view.snapshot.ended {
        " ENDED"
    } else {
        ""
    };
    let mut figures = Vec::new();
    if let Some(now) = &view.snapshot.now {
        let running = !view.replay && !view.snapshot.ended;
        let since = if running { view.heard_ms } else { 0 };
        let left = view.snapshot.flat_ms.map(|flat| flat - now.ts - since);
        let left =
            left.map_or("-".into(), |left| if left <= 0 { "past".into() } else { countdown(left * MILLI) });
        figures.extend(["today ".into(), money(screen, &now.day)]);
        figures.extend(["  ".into(), Span::styled(now.price.clone(), bold())]);
        figures.extend(["  ".into(), Span::styled(now.position.clone(), bold())]);
        for (name, level) in [("@", &now.entry), ("S ", &now.stop), ("T ", &now.target)] {
            figures.extend(level.iter().map(|level| Span::raw(format!(" {name}{level}"))));
        }
        figures.push(format!("  flat in {left}").into());
    }
    let as_of = view.snapshot.now.as_ref().map_or_else(String::new, |now| {
        let age = if view.replay || view.snapshot.ended {
            String::new()
        } else {
            format!(", journal grew {} s ago", view.heard_ms / 1000)
        };
        format!("{} New York, row {} of {}{age}", now.at, view.snapshot.row + 1, view.snapshot.rows)
    });
    let said = view.said.clone().unwrap_or(as_of);
    let lines = vec![
        Line::from(vec![Span::styled(account, bold()), Span::styled(state, ink(screen, Color::Yellow))]),
        Line::from(figures),
        Line::from(said),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn bars(frame: &mut Frame, area: Rect, screen: &Screen, limits: &[Bar]) {
    let line = |bar: &Bar| {
        let cells = (bar.share * CELLS as f64).round() as usize;
        let (text, colour) = match bar.share {
            share if share >= 1.0 => ("REACHED".to_owned(), Color::Red),
            share if share >= 0.75 => (format!("{} near", bar.left), Color::Yellow),
            _ => (bar.left.clone(), Color::Blue),
        };
        let name: String = bar.name.chars().take(16).collect();
        Line::from(vec![
            format!("{name:<16} ").into(),
            Span::styled("█".repeat(cells), ink(screen, colour)),
            "░".repeat(CELLS - cells).into(),
            format!(" {text}").into(),
        ])
    };
    let block = Block::bordered().title(" limits: █ used, and what is left ");
    frame.render_widget(Paragraph::new(limits.iter().map(line).collect::<Vec<_>>()).block(block), area);
}

/// What keeps entries away, then whatever is not well, then how long the last fills took.
fn keeps(frame: &mut Frame, area: Rect, screen: &Screen, view: &View) {
    let loud = ink(screen, Color::Red).add_modifier(Modifier::BOLD);
    let mut lines = Vec::new();
    for stop in &view.snapshot.stops {
        let text = format!("{}; {}", stop.why, stop.lifted_by);
        lines.push(Line::from(vec![Span::styled("STOPPED ", loud), text.into()]));
    }
    for one in view.snapshot.health.iter().filter(|one| !one.well) {
        lines.push(Line::styled(format!("✗ {}: {}", one.name, one.text), loud));
    }
    for gate in &view.snapshot.gates {
        lines.push(format!("{}: {} since {}", gate.name, gate.state, gate.since).into());
    }
    lines.push(format!("{} rules have nothing against entries", view.snapshot.clear).into());
    for took in view.snapshot.latencies.iter().take(1) {
        lines.push(format!("last {}: {}", took.what, took.text).into());
    }
    let block = Block::bordered().title(" what keeps entries away ");
    let text = Paragraph::new(lines).wrap(Wrap { trim: true });
    frame.render_widget(text.block(block), area);
}

fn logs(frame: &mut Frame, area: Rect, screen: &Screen, view: &View) {
    let snapshot = &view.snapshot;
    let of_notes = |notes: &[crate::snapshot::Line]| {
        notes.iter().map(|note| format!("{} {:<6} {}", note.at, note.word, note.text)).collect::<Vec<_>>()
    };
    let (title, lines) = match screen.log {
        Log::Decisions => {
            (" decisions (Tab: alerts, trades, health) ".to_owned(), of_notes(&snapshot.decisions))
        }
        Log::Alerts => (" alerts (Tab: trades, health) ".to_owned(), of_notes(&snapshot.alerts)),
        Log::Trades => {
            let line = |trade: &crate::snapshot::Trade| {
                format!(
                    "{} {:<5} {} {} → {} {:>9} {}",
                    trade.exited,
                    trade.side,
                    trade.contracts,
                    trade.entry,
                    trade.exit,
                    trade.net.text,
                    trade.why
                )
            };
            (format!(" trades: {} ", snapshot.result.text), snapshot.trades.iter().map(line).collect())
        }
        Log::Health => (" health, schedule, how long orders took (Tab: decisions) ".to_owned(), health(view)),
    };
    let scroll = screen.scroll.min(lines.len().saturating_sub(1));
    let shown: Vec<Line> = lines.into_iter().skip(scroll).map(Line::from).collect();
    let text = Paragraph::new(shown).wrap(Wrap { trim: false });
    frame.render_widget(text.block(Block::bordered().title(title)), area);
}

/// What has to be well, what the day still brings, and how long the last orders took.
fn health(view: &View) -> Vec<String> {
    let snapshot = &view.snapshot;
    let well = |one: &Health| format!("{} {}: {}", if one.well { "✓" } else { "✗" }, one.name, one.text);
    let step = |step: &Step| format!("{} {}{}", step.at, step.what, if step.past { ", past" } else { "" });
    let took = |took: &Took| format!("{} {}: {}", took.at, took.what, took.text);
    let all = snapshot.health.iter().map(well);
    all.chain(snapshot.schedule.iter().map(step)).chain(snapshot.latencies.iter().map(took)).collect()
}

/// The last thing that was done from here, and what it said.
fn acted(frame: &mut Frame, area: Rect, screen: &Screen, view: &View) {
    let Some(action) = view.actions.last() else { return };
    let (state, colour) = match (action.done, action.code) {
        (false, _) => ("under way", Color::Yellow),
        (true, Some(0)) => ("done", Color::Green),
        (true, _) => ("NOT DONE", Color::Red),
    };
    let style = ink(screen, colour).add_modifier(Modifier::BOLD);
    let mut lines = vec![Line::styled(format!("{}: {state}", action.act.name()), style)];
    let last = action.lines.len().saturating_sub(3);
    lines.extend(action.lines[last..].iter().map(|line| Line::from(line.clone())));
    frame.render_widget(Paragraph::new(lines), area);
}

fn footer(frame: &mut Frame, area: Rect, screen: &Screen, view: &View) {
    let works = |act: Act| view.buttons.iter().any(|button| button.act == act && button.works);
    let acts = Act::ALL.into_iter().filter(|act| works(*act));
    let keys: String = acts.map(|act| format!("{} {}  ", &act.name()[..1], act.name())).collect();
    let play = if view.replay { "Space play  ← → seek  " } else { "" };
    let text = if screen.note.is_empty() {
        format!("{keys}{play}Tab log  ↑↓ scroll  ? help  q leave")
    } else {
        screen.note.clone()
    };
    frame.render_widget(Paragraph::new(text).style(Style::new().add_modifier(Modifier::REVERSED)), area);
}

fn popup(frame: &mut Frame, title: &str, text: &str) {
    let area = frame.area();
    let height = (text.lines().count() as u16 + 4).min(area.height);
    let width = 64.min(area.width);
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(Block::bordered().title(title.to_owned()), place);
    let text = Paragraph::new(text.to_owned()).wrap(Wrap { trim: false });
    frame.render_widget(text, place.inner(Margin { horizontal: 2, vertical: 1 }));
}
