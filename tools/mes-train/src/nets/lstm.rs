//! The LSTM (Hochreiter and Schmidhuber 1997): one layer over the window, and what it holds at the last row.

use candle_core::Tensor;
use mes_pipe::Result;

use super::{
    Candle, Net, Size, cost as cost_of, fit,
    layers::{Dense, sigmoid},
    weights::{Weights, values},
};
use crate::{
    family::{Cost, Fitted, Shape, Task},
    onnx::{Attribute, Graph, Node},
    options::{Options, set},
};

pub const OPTIONS: Options = Options {
    window: Some(30),
    epochs: Some(12),
    patience: Some(3),
    batch: Some(256),
    learning_rate: Some(2e-3),
    weight_decay: Some(0.5),
    hidden: Some(32),
    ..Options::NONE
};

/// One recurrent layer. Gates stand in ONNX's order: input, output, forget, cell.
pub struct Lstm {
    /// `[width, 4 × hidden]`.
    input: Tensor,
    /// `[hidden, 4 × hidden]`.
    recurrent: Tensor,
    /// `[4 × hidden]`.
    bias: Tensor,
    width: usize,
    hidden: usize,
}

impl Lstm {
    pub fn new(all: &mut Weights, width: usize, hidden: usize) -> Candle<Lstm> {
        let bound = 1.0 / (hidden as f32).sqrt();
        let (input, recurrent) =
            (all.even(&[width, 4 * hidden], bound)?, all.even(&[hidden, 4 * hidden], bound)?);
        // A forget gate that begins open (Jozefowicz et al. 2015).
        let bias = (0..4 * hidden).map(|gate| if gate / hidden == 2 { 1.0 } else { 0.0 }).collect();
        Ok(Lstm { input, recurrent, bias: all.add(&[4 * hidden], bias)?, width, hidden })
    }

    /// Returns what it holds after each row of `x` `[batch, window, width]`: `window` times `[batch, hidden]`.
    pub fn forward(&self, x: &Tensor) -> Candle<Vec<Tensor>> {
        let (batch, window, width) = x.dims3()?;
        // All rows at once; by time first, so that the rows of one step lie together.
        let rows = x.transpose(0, 1)?.reshape((window * batch, width))?;
        let rows = rows.matmul(&self.input)?.broadcast_add(&self.bias)?;
        let mut held: Option<(Tensor, Tensor)> = None;
        let mut all = Vec::with_capacity(window);
        for step in 0..window {
            let mut gates = rows.narrow(0, step * batch, batch)?;
            if let Some((h, _)) = &held {
                gates = (gates + h.matmul(&self.recurrent)?)?;
            }
            let open = sigmoid(&gates.narrow(1, 0, 3 * self.hidden)?)?;
            let new = gates.narrow(1, 3 * self.hidden, self.hidden)?.tanh()?;
            let gate = |index: usize| open.narrow(1, index * self.hidden, self.hidden);
            let mut cell = (gate(0)? * new)?;
            if let Some((_, before)) = &held {
                cell = (cell + (gate(2)? * before)?)?;
            }
            let h = (gate(1)? * cell.tanh()?)?;
            all.push(h.clone());
            held = Some((h, cell));
        }
        Ok(all)
    }

    /// Adds it to a graph from `input` `[batch, window, width]`. Returns the names of what it holds after every row,
    /// `[window, 1, batch, hidden]`, and after the last one, `[1, batch, hidden]`.
    pub fn write(&self, graph: &mut Graph, input: &str) -> (String, String) {
        let (gates, hidden) = (4 * self.hidden, self.hidden);
        let by_time = [("perm", Attribute::Ints(&[1, 0, 2]))];
        let x = graph.node_with("Transpose", &[input], "by_time", &by_time);
        let turned = |weight: &Tensor| values(&weight.t().expect("it has two dimensions"));
        let w = graph.tensor("lstm_w", &[1, gates, self.width], &turned(&self.input));
        let r = graph.tensor("lstm_r", &[1, gates, hidden], &turned(&self.recurrent));
        let mut bias = values(&self.bias);
        // The second half is a bias of the recurrence, of which one is enough.
        bias.resize(2 * gates, 0.0);
        let b = graph.tensor("lstm_b", &[1, 2 * gates], &bias);
        graph.add(Node {
            op: "LSTM",
            inputs: &[&x, &w, &r, &b],
            outputs: &["lstm_all", "lstm_last"],
            attributes: &[("hidden_size", Attribute::Int(hidden as i64))],
            ..Node::default()
        });
        ("lstm_all".into(), "lstm_last".into())
    }
}

struct Network {
    lstm: Lstm,
    last: Dense,
}

pub fn cost(shape: &Shape) -> Cost {
    let (hidden, window) = (f64::from(set(shape.options.hidden)), shape.options.rows() as f64);
    cost_of(shape, window * 4.0 * hidden * (shape.width as f64 + hidden), window * hidden * 1e-7)
}

pub fn fit(task: &Task) -> Result<Box<dyn Fitted>> {
    fit::fit(task, |weights, size| Ok(Box::new(Network::new(weights, size)?)))
}

impl Network {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Network> {
        let hidden = set(size.options.hidden) as usize;
        let lstm = Lstm::new(weights, size.width, hidden)?;
        Ok(Network { lstm, last: Dense::new("logits", weights, hidden, 3)? })
    }
}

impl Net for Network {
    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let held = self.lstm.forward(x)?;
        self.last.forward(&held[held.len() - 1])
    }

    fn write(&self, graph: &mut Graph, input: &str) -> String {
        let (_, last) = self.lstm.write(graph, input);
        let axis = graph.integers("first_axis", &[0]);
        let last = graph.node("Squeeze", &[&last, &axis], "held");
        self.last.write(graph, &last)
    }
}
