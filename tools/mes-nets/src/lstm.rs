//! The LSTM (Hochreiter and Schmidhuber 1997): one layer over the window, and what it holds at the last row.

use candle_core::Tensor;

use crate::{
    Candle, Net, Size,
    layers::{Dense, sigmoid},
    weights::Weights,
};

/// One recurrent layer. Gates stand in ONNX's order: input, output, forget, cell.
pub struct Lstm {
    /// `[width, 4 × hidden]`.
    input: Tensor,
    /// `[hidden, 4 × hidden]`.
    recurrent: Tensor,
    /// `[4 × hidden]`.
    bias: Tensor,
    hidden: usize,
}

impl Lstm {
    /// Begins it for `width` inputs.
    pub fn new(all: &mut Weights, width: usize, hidden: usize) -> Candle<Lstm> {
        let bound = 1.0 / (hidden as f32).sqrt();
        let (input, recurrent) = (
            all.even("lstm_input", &[width, 4 * hidden], bound)?,
            all.even("lstm_recurrent", &[hidden, 4 * hidden], bound)?,
        );
        // A forget gate that begins open (Jozefowicz et al. 2015).
        let bias = (0..4 * hidden).map(|gate| if gate / hidden == 2 { 1.0 } else { 0.0 }).collect();
        Ok(Lstm { input, recurrent, bias: all.add("lstm_bias", &[4 * hidden], bias)?, hidden })
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
}

/// Builds it for rows of this size, weights drawn.
///
/// # Errors
///
/// What candle says of shapes that do not fit; a mistake of ours.
pub fn build(weights: &mut Weights, size: &Size) -> Candle<Box<dyn Net>> {
    Ok(Box::new(Network::new(weights, size)?))
}

struct Network {
    lstm: Lstm,
    last: Dense,
}

impl Network {
    fn new(weights: &mut Weights, size: &Size) -> Candle<Network> {
        let hidden = size.hidden;
        let lstm = Lstm::new(weights, size.width, hidden)?;
        Ok(Network { lstm, last: Dense::new("logits", weights, hidden, 3)? })
    }
}

impl Net for Network {
    fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let held = self.lstm.forward(x)?;
        self.last.forward(&held[held.len() - 1])
    }
}
