//! What nets are built of, each with its forward pass and the same in ONNX.

use candle_core::{D, Tensor};

use super::{
    Candle,
    weights::{Weights, values},
};
use crate::onnx::{Attribute, Graph};

/// x·W + b over the last dimension.
pub struct Dense {
    name: &'static str,
    /// `[inputs, outputs]`.
    weights: Tensor,
    bias: Tensor,
}

impl Dense {
    /// Begins it by Glorot and Bengio (2010).
    pub fn new(name: &'static str, all: &mut Weights, inputs: usize, outputs: usize) -> Candle<Dense> {
        let bound = (6.0 / (inputs + outputs) as f32).sqrt();
        let weights = all.even(&[inputs, outputs], bound)?;
        Ok(Dense { name, weights, bias: all.add(&[outputs], vec![0.0; outputs])? })
    }

    pub fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let mut dims = x.dims().to_vec();
        let inputs = dims.pop().unwrap_or_default();
        dims.push(self.bias.dim(0)?);
        let flat = x.reshape(((), inputs))?;
        flat.matmul(&self.weights)?.broadcast_add(&self.bias)?.reshape(dims)
    }

    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let weights = tensor(graph, &format!("{}_w", self.name), &self.weights);
        let bias = tensor(graph, &format!("{}_b", self.name), &self.bias);
        let product = graph.node("MatMul", &[input, &weights], &format!("{}_product", self.name));
        graph.node("Add", &[&product, &bias], self.name)
    }
}

/// (x − mean) / √(variance + ε) · scale + shift over the last dimension (Ba, Kiros and Hinton 2016).
pub struct LayerNorm {
    name: &'static str,
    scale: Tensor,
    shift: Tensor,
}

const EPSILON: f64 = 1e-5;

impl LayerNorm {
    pub fn new(name: &'static str, all: &mut Weights, width: usize) -> Candle<LayerNorm> {
        let scale = all.add(&[width], vec![1.0; width])?;
        Ok(LayerNorm { name, scale, shift: all.add(&[width], vec![0.0; width])? })
    }

    pub fn forward(&self, x: &Tensor) -> Candle<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normal = centred.broadcast_div(&(variance + EPSILON)?.sqrt()?)?;
        normal.broadcast_mul(&self.scale)?.broadcast_add(&self.shift)
    }

    pub fn write(&self, graph: &mut Graph, input: &str) -> String {
        let scale = tensor(graph, &format!("{}_scale", self.name), &self.scale);
        let shift = tensor(graph, &format!("{}_shift", self.name), &self.shift);
        let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(EPSILON as f32))];
        graph.node_with("LayerNormalization", &[input, &scale, &shift], self.name, &attributes)
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

/// Adds a weight to a graph and returns its name.
pub fn tensor(graph: &mut Graph, name: &str, weight: &Tensor) -> String {
    graph.tensor(name, weight.dims(), &values(weight))
}
