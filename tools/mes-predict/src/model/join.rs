//! Puts several graphs into one: each takes its own features out of the union, and ends at logits of its own.
//!
//! The mean of the probabilities is not in the graph, since neither tract's softmax nor the machine's `exp` gives the
//! bytes that are promised; it is taken of the outputs ([`super::Model::probabilities`]).

use std::collections::HashMap;

use mes_pipe::{Error, Result};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, attribute_proto, tensor_proto, tensor_shape_proto, type_proto,
};

use super::{graph, plan::CLASSES};

/// The one input of the joint graph.
const INPUT: &str = "x";

/// A graph to be joined.
pub struct Part {
    pub proto: ModelProto,
    /// The places of its features in the union, in its own order.
    pub places: Vec<usize>,
    /// Rows that it looks at.
    pub window: usize,
}

/// Joins graphs over `features` features and the rows of the longest window. Output k is the logits of part k.
///
/// # Errors
///
/// `Usage` for graphs with branches, loops or sparse constants, with the member; or for operators of versions that do
/// not fit.
pub fn join(parts: Vec<Part>, features: usize) -> Result<ModelProto> {
    let window = parts.iter().map(|part| part.window).max().unwrap_or(1);
    let mut shape = vec![features];
    if window > 1 {
        shape.insert(0, window);
    }
    let mut joint =
        GraphProto { name: "ensemble".into(), input: vec![floats(INPUT, &shape)], ..GraphProto::default() };
    let mut opsets: Vec<OperatorSetIdProto> = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let opset_import = part.proto.opset_import.clone();
        add(&mut joint, part, index, window).map_err(|error| error.at(format!("member {}", index + 1)))?;
        for opset in opset_import {
            merge(&mut opsets, opset)?;
        }
    }
    Ok(ModelProto {
        ir_version: 8,
        producer_name: "mes-predict".into(),
        opset_import: opsets,
        graph: Some(joint),
        ..ModelProto::default()
    })
}

fn add(joint: &mut GraphProto, mut part: Part, index: usize, window: usize) -> Result<()> {
    graph::check(&part.proto)?;
    graph::end_at_logits(&mut part.proto)?;
    let mut own = part.proto.graph.take().ok_or_else(|| Error::usage("an ONNX file without a graph"))?;
    let nested = own.node.iter().flat_map(|node| &node.attribute).any(|found| found.g.is_some());
    if nested || !own.sparse_initializer.is_empty() {
        return Err(Error::usage("a graph with branches, loops or sparse constants cannot be joined"));
    }
    // Old exporters list constants among the inputs.
    own.input.retain(|input| own.initializer.iter().all(|tensor| tensor.name != input.name));
    let ([input], [output]) = (&own.input[..], &own.output[..]) else {
        return Err(Error::usage("a graph that is not of one input and one output"));
    };
    let prefix = format!("m{index}_");
    let chosen = take(joint, &part, &prefix, window);
    let mut names: HashMap<String, String> = HashMap::from([(input.name.clone(), chosen)]);
    let rename = |name: &mut String, names: &mut HashMap<String, String>| {
        if !name.is_empty() {
            *name = names.entry(name.clone()).or_insert_with(|| format!("{prefix}{name}")).clone();
        }
    };
    let mut logits = output.name.clone();
    rename(&mut logits, &mut names);
    for tensor in &mut own.initializer {
        rename(&mut tensor.name, &mut names);
    }
    for node in &mut own.node {
        node.input.iter_mut().chain(&mut node.output).for_each(|name| rename(name, &mut names));
        // Names of nodes may be missing; those of their outputs are there and unique.
        node.name = node.output.iter().find(|name| !name.is_empty()).cloned().unwrap_or_default();
    }
    joint.initializer.append(&mut own.initializer);
    joint.node.append(&mut own.node);
    joint.output.push(floats(&logits, &[CLASSES]));
    Ok(())
}

/// Adds the nodes that take a part's rows and features, and returns the name of what they give.
fn take(joint: &mut GraphProto, part: &Part, prefix: &str, window: usize) -> String {
    let mut from = INPUT.to_owned();
    let integers = |joint: &mut GraphProto, what: &str, values: &[i64], dims: Vec<i64>| {
        let name = format!("{prefix}{what}");
        joint.initializer.push(TensorProto {
            name: name.clone(),
            dims,
            data_type: tensor_proto::DataType::Int64.into(),
            int64_data: values.to_vec(),
            ..TensorProto::default()
        });
        name
    };
    if window > 1 && part.window == 1 {
        let last = integers(joint, "last", &[window as i64 - 1], vec![]);
        from = node(joint, "Gather", &[&from, &last], &format!("{prefix}last_row"), Some(1));
    } else if part.window < window {
        let ends = [("starts", window - part.window), ("ends", window), ("axes", 1)];
        let [starts, ends, axes] = ends.map(|(what, value)| integers(joint, what, &[value as i64], vec![1]));
        from = node(joint, "Slice", &[&from, &starts, &ends, &axes], &format!("{prefix}last_rows"), None);
    }
    let places: Vec<i64> = part.places.iter().map(|&place| place as i64).collect();
    let dims = vec![places.len() as i64];
    let places = integers(joint, "places", &places, dims);
    let axis = if part.window > 1 { 2 } else { 1 };
    node(joint, "Gather", &[&from, &places], &format!("{prefix}features"), Some(axis))
}

fn node(joint: &mut GraphProto, op: &str, inputs: &[&String], output: &str, axis: Option<i64>) -> String {
    let axis = axis.map(|axis| AttributeProto {
        name: "axis".into(),
        r#type: attribute_proto::AttributeType::Int.into(),
        i: axis,
        ..AttributeProto::default()
    });
    joint.node.push(NodeProto {
        op_type: op.into(),
        name: output.into(),
        input: inputs.iter().map(|&input| input.clone()).collect(),
        output: vec![output.into()],
        attribute: axis.into_iter().collect(),
        ..NodeProto::default()
    });
    output.to_owned()
}

/// Adds a set of operators; two versions of one cannot live in one file.
fn merge(opsets: &mut Vec<OperatorSetIdProto>, mut opset: OperatorSetIdProto) -> Result<()> {
    if opset.domain == "ai.onnx" {
        opset.domain.clear();
    }
    match opsets.iter().find(|known| known.domain == opset.domain) {
        None => opsets.push(opset),
        Some(known) if known.version == opset.version => {}
        Some(known) => {
            let (domain, one, other) = (&opset.domain, known.version, opset.version);
            return Err(Error::usage(format!(
                "members of opset {one} and {other} ({domain:?}) cannot be joined: export them alike"
            )));
        }
    }
    Ok(())
}

/// Describes floats with an open number of samples.
fn floats(name: &str, shape: &[usize]) -> ValueInfoProto {
    use tensor_shape_proto::{Dimension, dimension::Value};
    let dim = |value| Dimension { value: Some(value), ..Dimension::default() };
    let batch = dim(Value::DimParam("batch".into()));
    let dims = shape.iter().map(|&size| dim(Value::DimValue(size as i64)));
    let shape = TensorShapeProto { dim: std::iter::once(batch).chain(dims).collect() };
    let elem_type = tensor_proto::DataType::Float.into();
    let value = type_proto::Value::TensorType(type_proto::Tensor { elem_type, shape: Some(shape) });
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(value), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}
