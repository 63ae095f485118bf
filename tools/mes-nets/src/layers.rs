//! What nets are built of. The same in ONNX is in `mes-train/src/nets/layers.rs`.

use candle_core::{D, Tensor};

use crate::{Candle, weights::Weights};

/// What keeps a variance of nothing from dividing by it; as in the graph.
const EPSILON: f64 = 1e-5;

/// x·W + b over the last dimension.
pub struct Dense {
    /// `[inputs, outputs]`.
    weights: Tensor,
    bias: Tensor,
}

impl Dense {
    /// Begins it by Glorot and Bengio (2010).
    pub fn new(name: &str, all: &mut Weights, inputs: usize, outputs: usize) -> Candle<Dense> {
        let bound = (6.0 / (inputs + outputs) as f32).sqrt();
        let weights = all.even(&format!("{name}_w"), &[inputs, outputs], bound)?;
        Ok(Dense { weights, bias: all.add(&format!("{name}_b"), &[outputs], vec![0.0; outputs])? })
    }

    /// Computes `[…, inputs]` to `[…, outputs]`.
    pub fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let mut dims = x.dims().to_vec();
        let inputs = dims.pop().unwrap_or_default();
        dims.push(self.bias.dim(0)?);
        let flat = x.reshape(((), inputs))?;
        flat.matmul(&self.weights)?.broadcast_add(&self.bias)?.reshape(dims)
    }
}

/// (x − mean) / √(variance + ε) · scale + shift over the last dimension (Ba, Kiros and Hinton 2016).
pub struct LayerNorm {
    scale: Tensor,
    shift: Tensor,
}

impl LayerNorm {
    /// Begins it with scale 1 and shift 0.
    pub fn new(name: &str, all: &mut Weights, width: usize) -> Candle<LayerNorm> {
        let scale = all.add(&format!("{name}_scale"), &[width], vec![1.0; width])?;
        Ok(LayerNorm { scale, shift: all.add(&format!("{name}_shift"), &[width], vec![0.0; width])? })
    }

    /// Computes `[…, width]` to the same shape.
    pub fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normal = centred.broadcast_div(&(variance + EPSILON)?.sqrt()?)?;
        normal.broadcast_mul(&self.scale)?.broadcast_add(&self.shift)
    }
}

/// Computes 1 / (1 + e^−x), as candle's tanh.
pub fn sigmoid(x: &Tensor) -> Candle<Tensor> {
    (x * 0.5)?.tanh()?.affine(0.5, 0.5)
}

/// Computes e^x / Σ e^x over the last dimension.
pub fn softmax(x: &Tensor) -> Candle<Tensor> {
    let e = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?.exp()?;
    e.broadcast_div(&e.sum_keepdim(D::Minus1)?)
}

/// Computes ln softmax over the last dimension.
pub fn log_softmax(x: &Tensor) -> Candle<Tensor> {
    let below = x.broadcast_sub(&x.max_keepdim(D::Minus1)?.detach())?;
    below.broadcast_sub(&below.exp()?.sum_keepdim(D::Minus1)?.log()?)
}
