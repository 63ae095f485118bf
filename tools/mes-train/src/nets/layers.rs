//! What nets are built of, in ONNX. Their forward passes are in `mes-nets/src/layers.rs`.

use super::Weights;
use crate::onnx::{Attribute, Graph};

/// What keeps a variance of nothing from dividing by it.
const EPSILON: f64 = 1e-5;

/// Adds x·W + b over the last dimension and returns its name, which is that of the layer.
pub fn dense(graph: &mut Graph, all: &Weights, name: &str, input: &str) -> String {
    let weights = tensor(graph, all, &format!("{name}_w"));
    let bias = tensor(graph, all, &format!("{name}_b"));
    let product = graph.node("MatMul", &[input, &weights], &format!("{name}_product"));
    graph.node("Add", &[&product, &bias], name)
}

/// Adds (x − mean) / √(variance + ε) · scale + shift over the last dimension (Ba, Kiros and Hinton 2016).
pub fn layer_norm(graph: &mut Graph, all: &Weights, name: &str, input: &str) -> String {
    let scale = tensor(graph, all, &format!("{name}_scale"));
    let shift = tensor(graph, all, &format!("{name}_shift"));
    let attributes = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(EPSILON as f32))];
    graph.node_with("LayerNormalization", &[input, &scale, &shift], name, &attributes)
}

/// Adds a weight as it is and returns its name.
pub fn tensor(graph: &mut Graph, all: &Weights, name: &str) -> String {
    let weight = all.get(name);
    graph.tensor(name, &weight.dims, &weight.values)
}
