//! Rewrites a graph so that it ends at logits: a final Softmax is cut, that of an ensemble of trees switched off, and a
//! LinearClassifier becomes a Gemm, a Scaler a difference and a product. What the logits do without is taken out.
//!
//! Temperature and softmax are ours ([`super::head`]): tract's vectorised softmax gives a row other last bits in
//! another place of the block.

use std::collections::HashSet;

use mes_pipe::{Error, Result};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, attribute_proto, tensor_proto,
};

/// Cuts what follows the logits and leaves them as the only output. Ensembles of trees keep their labels, without which
/// they are no ONNX: [`without_labels`] is for graphs that are to run here.
///
/// # Errors
///
/// `Usage` for a graph whose end is not known here.
pub fn end_at_logits(model: &mut ModelProto) -> Result<()> {
    let graph = model.graph.as_mut().ok_or_else(|| Error::usage("an ONNX file without a graph"))?;
    without_scalers(graph)?;
    // A classifier's first output is the label, its last the probabilities.
    let mut output = graph.output.pop().ok_or_else(|| Error::usage("a graph without an output"))?;
    while let Some(at) = graph.node.iter().position(|node| node.output.contains(&output.name)) {
        let op = graph.node[at].op_type.clone();
        match op.as_str() {
            "Identity" | "Normalizer" | "Softmax" | "ZipMap" => output.name = cut(graph, at)?,
            "Mul" => {
                let Some(before) = by_one(graph, at) else { break };
                output.name = before;
                graph.node.remove(at);
            }
            "LinearClassifier" => {
                let classifier = graph.node.remove(at);
                output.name = gemm(graph, &classifier)?;
            }
            "TreeEnsembleClassifier" => {
                let softmax =
                    |found: &AttributeProto| found.name == "post_transform" && found.s == b"SOFTMAX";
                graph.node[at].attribute.retain(|found| !softmax(found));
            }
            _ => break,
        }
        if ["Softmax", "LinearClassifier", "TreeEnsembleClassifier"].contains(&op.as_str()) {
            break;
        }
    }
    prune(graph, &output.name);
    graph.output = vec![output];
    Ok(())
}

/// Writes every Scaler of ai.onnx.ml, which tract does not know, as (x − offset) · scale.
fn without_scalers(graph: &mut GraphProto) -> Result<()> {
    while let Some(at) = graph.node.iter().position(|node| node.op_type == "Scaler") {
        let scaler = graph.node.remove(at);
        let ([input], [output]) = (&scaler.input[..], &scaler.output[..]) else {
            return Err(Error::usage("a Scaler that is not of one input and one output"));
        };
        let floats = |name| attribute(&scaler, name).map(|found| found.floats.clone()).unwrap_or_default();
        let (offset, scale) = (floats("offset"), floats("scale"));
        if offset.is_empty() || scale.is_empty() {
            return Err(Error::usage("a Scaler without offset or scale"));
        }
        let name = |what: &str| format!("mes_{what}_{output}");
        let [offset_name, scale_name, centred] = ["offset", "scale", "centred"].map(name);
        graph.initializer.push(tensor(&offset_name, &[offset.len() as i64], offset));
        graph.initializer.push(tensor(&scale_name, &[scale.len() as i64], scale));
        graph.node.insert(at, plain("Mul", [&centred, &scale_name], output));
        graph.node.insert(at, plain("Sub", [input, &offset_name], &centred));
    }
    Ok(())
}

/// Makes a node of two inputs and no attributes.
fn plain(op: &str, inputs: [&String; 2], output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: output.into(),
        input: inputs.map(Clone::clone).to_vec(),
        output: vec![output.into()],
        ..NodeProto::default()
    }
}

/// Takes out the nodes that do nothing for `output`.
fn prune(graph: &mut GraphProto, output: &str) {
    let mut needed: HashSet<String> = HashSet::from([output.to_owned()]);
    let mut open = vec![output.to_owned()];
    while let Some(name) = open.pop() {
        for node in graph.node.iter().filter(|node| node.output.contains(&name)) {
            open.extend(node.input.iter().filter(|input| needed.insert((*input).clone())).cloned());
        }
    }
    graph.node.retain(|node| node.output.iter().any(|output| needed.contains(output)));
}

/// Leaves ensembles of trees their scores as the only output, as our operator gives them.
///
/// # Errors
///
/// `Usage` where there is no graph, an ensemble without both outputs, or a graph that goes on from the labels.
pub fn without_labels(model: &mut ModelProto) -> Result<()> {
    let graph = model.graph.as_mut().ok_or_else(|| Error::usage("an ONNX file without a graph"))?;
    let taken: HashSet<String> = graph.node.iter().flat_map(|node| node.input.clone()).collect();
    for node in graph.node.iter_mut().filter(|node| node.op_type == "TreeEnsembleClassifier") {
        match &node.output[..] {
            [label, _] if taken.contains(label) => {
                return Err(Error::usage(format!(
                    "a graph that goes on from the label {label:?} of its trees"
                )));
            }
            [_, scores] => node.output = vec![scores.clone()],
            _ => return Err(Error::usage("a TreeEnsembleClassifier without two outputs")),
        }
    }
    Ok(())
}

/// Returns what a product multiplies by a constant 1, as LightGBM's exporter ends.
fn by_one(graph: &GraphProto, at: usize) -> Option<String> {
    let is_one = |name: &String| {
        let tensor = graph.initializer.iter().find(|tensor| tensor.name == *name);
        tensor.is_some_and(|tensor| {
            let raw = tensor.raw_data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
            tensor.data_type == 1 && tensor.float_data.iter().copied().chain(raw).eq([1.0])
        })
    };
    match &graph.node[at].input[..] {
        [x, one] if is_one(one) => Some(x.clone()),
        [one, x] if is_one(one) => Some(x.clone()),
        _ => None,
    }
}

/// Errors when the graph names a value that nothing gives, or holds a constant of another size than it says: tract
/// takes a file at its word there.
///
/// # Errors
///
/// `Usage`: the name, or the constant.
pub fn check(model: &ModelProto) -> Result<()> {
    let graph = model.graph.as_ref().ok_or_else(|| Error::usage("an ONNX file without a graph"))?;
    let given: HashSet<&str> = (graph.input.iter().map(|input| &input.name))
        .chain(graph.initializer.iter().map(|tensor| &tensor.name))
        .chain(graph.node.iter().flat_map(|node| &node.output))
        .map(String::as_str)
        .collect();
    let taken = graph.node.iter().flat_map(|node| &node.input).filter(|name| !name.is_empty());
    let mut taken = taken.chain(graph.output.iter().map(|output| &output.name));
    if let Some(name) = taken.find(|name| !given.contains(name.as_str())) {
        return Err(Error::usage(format!("a broken graph: nothing gives {name:?}")));
    }
    constants(graph)
}

/// Checks the constants of a graph, those of its nodes, and those of the graphs within nodes.
fn constants(graph: &GraphProto) -> Result<()> {
    let attributes = || graph.node.iter().flat_map(|node| &node.attribute);
    let in_nodes = attributes().flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
    let sparse = attributes().flat_map(|attribute| &attribute.sparse_tensors);
    let none = sparse.chain(&graph.sparse_initializer).next().is_none();
    if !none || attributes().any(|attribute| attribute.sparse_tensor.is_some()) {
        return Err(Error::usage("a graph with sparse constants"));
    }
    let mut all = graph.initializer.iter().chain(in_nodes);
    if let Some(tensor) = all.find(|tensor| !is_whole(tensor)) {
        return Err(Error::usage(format!("a broken graph: constant {:?} is not of its size", tensor.name)));
    }
    attributes().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs)).try_for_each(constants)
}

fn is_whole(tensor: &TensorProto) -> bool {
    let count =
        tensor.dims.iter().try_fold(1_usize, |count, &dim| count.checked_mul(usize::try_from(dim).ok()?));
    let there = match tensor.data_type {
        1 => tensor.raw_data.len() / 4 + tensor.float_data.len(),
        6 => tensor.raw_data.len() / 4 + tensor.int32_data.len(),
        7 => tensor.raw_data.len() / 8 + tensor.int64_data.len(),
        // Other types are rare; a byte a value is the least there is, and texts lie one by one.
        _ => {
            let packed = [tensor.double_data.len(), tensor.uint64_data.len(), tensor.string_data.len()];
            let there = tensor.raw_data.len() + tensor.int32_data.len() + packed.iter().sum::<usize>();
            return count.is_some_and(|count| count <= there);
        }
    };
    count == Some(there)
}

/// Takes out a last node that the logits do without and returns the name of its input.
fn cut(graph: &mut GraphProto, at: usize) -> Result<String> {
    let node = graph.node.remove(at);
    let [before] = &node.input[..] else { return Err(Error::usage("a final node of several inputs")) };
    let classifies = |node: &NodeProto| node.op_type == "LinearClassifier" && node.output.contains(before);
    match node.op_type.as_str() {
        "Normalizer" if !graph.node.iter().any(classifies) => {
            Err(Error::usage("a final Normalizer that does not follow a LinearClassifier"))
        }
        "Softmax" if integer(&node, "axis").is_some_and(|axis| axis != -1 && axis != 1) => {
            Err(Error::usage("a final Softmax that does not run over the classes"))
        }
        _ => Ok(before.clone()),
    }
}

/// Adds `classifier` to the graph as x·Wᵀ + b and returns the name of its logits.
fn gemm(graph: &mut GraphProto, classifier: &NodeProto) -> Result<String> {
    let transform = attribute(classifier, "post_transform").map(|found| found.s.as_slice());
    let classes = attribute(classifier, "classlabels_ints").map(|found| found.ints.as_slice());
    if transform != Some(b"SOFTMAX") || classes != Some(&[0, 1, 2]) {
        return Err(Error::usage("a LinearClassifier that is not a softmax over the classes 0, 1, 2"));
    }
    let floats = |name| attribute(classifier, name).map(|found| found.floats.clone()).unwrap_or_default();
    let (weights, bias) = (floats("coefficients"), floats("intercepts"));
    let width = weights.len() / 3;
    if width == 0 || weights.len() % 3 != 0 || bias.len() != 3 {
        return Err(Error::usage("a LinearClassifier whose coefficients are not 3 by the features"));
    }
    let [w, b, logits] = ["mes_w", "mes_b", "mes_logits"].map(str::to_owned);
    graph.initializer.push(tensor(&w, &[3, width as i64], weights));
    graph.initializer.push(tensor(&b, &[3], bias));
    let transposed = AttributeProto {
        name: "transB".into(),
        r#type: attribute_proto::AttributeType::Int.into(),
        i: 1,
        ..AttributeProto::default()
    };
    graph.node.push(NodeProto {
        op_type: "Gemm".into(),
        name: logits.clone(),
        input: vec![classifier.input[0].clone(), w, b],
        output: vec![logits.clone()],
        attribute: vec![transposed],
        ..NodeProto::default()
    });
    Ok(logits)
}

fn tensor(name: &str, dims: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.to_vec(),
        data_type: tensor_proto::DataType::Float.into(),
        float_data: values,
        ..TensorProto::default()
    }
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

fn integer(node: &NodeProto, name: &str) -> Option<i64> {
    attribute(node, name).map(|attribute| attribute.i)
}
