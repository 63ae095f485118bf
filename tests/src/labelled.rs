//! Labelled rows with an edge planted in them, and the tool run on them.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use mes_predict::model::{card::Card, read_card};

use crate::shell;

pub const SECOND: i64 = 1_000_000_000;
pub const START: i64 = 1_700_000_000 * SECOND;

/// A seeded stream of numbers, evenly between −1 and 1.
pub struct Dice(pub u64);

impl Dice {
    pub fn throw(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Writes rows of 1 s whose label (horizon 1 s, threshold 3 ticks) follows `f_edge` with this strength.
pub fn rows(count: usize, edge: f64, seed: u64) -> String {
    rows_after(count, edge, seed, 0)
}

/// Writes rows whose label follows what `f_edge` was `rows` rows before.
pub fn rows_after(count: usize, edge: f64, seed: u64, rows: usize) -> String {
    let mut dice = Dice(seed);
    let mut text = String::from("ts,open,high,low,close,volume,seg,symbol,f_edge,f_noise,f_late,y_dir\n");
    let mut close = 20_000_i64;
    let mut edges = vec![0.0; rows];
    for row in 0..count {
        let (f_edge, f_noise) = (dice.throw() as f32, dice.throw() as f32);
        edges.push(f64::from(f_edge));
        let ticks = (8.0 * (edge * edges[row] + dice.throw() + dice.throw() / 2.0)).round() as i64;
        let label = match ticks {
            ..-3 => 0,
            -3..=3 => 1,
            _ => 2,
        };
        let ts = mes_core::time::format(START + row as i64 * SECOND);
        let late = if row < 20 { String::new() } else { "0.5".into() };
        let price = close as f64 / 4.0;
        let label = if row + 1 < count { label.to_string() } else { String::new() };
        let _ = writeln!(
            text,
            "{ts},{price},{price},{price},{price},1,1,MESZ3,{f_edge},{f_noise},{late},{label}"
        );
        close = (close + ticks).max(1000);
    }
    text
}

/// Prepares a run over rows of 1 s and names the model it writes.
pub fn command(folder: &Path, family: &str, name: &str, rows: &str, flags: &[&str]) -> (PathBuf, Command) {
    let (input, model) = (folder.join(format!("{name}.csv")), folder.join(format!("{name}.onnx")));
    fs::write(&input, rows).expect("writes");
    let mut command = Command::new(shell::tools().join("mes-train"));
    command.args([family, "--horizon", "1s", "--threshold", "3", "--interval", "1s", "--out"]);
    command.arg(&model).args(flags).arg(&input);
    (model, command)
}

/// Runs it and names the model it writes.
pub fn train(folder: &Path, family: &str, name: &str, rows: &str, flags: &[&str]) -> (PathBuf, Output) {
    let (model, mut command) = command(folder, family, name, rows, flags);
    (model, command.output().expect("runs"))
}

/// Reads the card of a model that was written.
pub fn card(model: &Path, output: &Output) -> Card {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    read_card(model).expect("a card")
}
