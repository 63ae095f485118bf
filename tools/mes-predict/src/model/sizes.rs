//! What a graph unfolds to, found out before any of it is computed: a few bytes of a file may ask for a constant of
//! gigabytes, which tract would make at once.
//!
//! Node by node, in the order of computing: first what shape comes out, then, if all so far is within the limit, what
//! tract knows of its value, on which later shapes may depend.
//!
//! All values of a graph together count against the limit of a model, as its file does.

use mes_pipe::limits;
use tract_onnx::tract_hir::internal::*;

/// Errors when the values of all nodes together take more than a model may.
///
/// # Errors
///
/// What is too large, and tract's own where the graph is no graph.
pub fn check(model: &mut InferenceModel) -> TractResult<()> {
    let mut sum = 0_u64;
    for node in model.eval_order()? {
        let (inputs, outputs) = model.node_facts(node)?;
        let mut op = model.node(node).op.clone();
        let observed = op.observe_outlets(model, model.node(node))?;
        let observed =
            observed.iter().map(|outlet| model.outlet_fact(*outlet)).collect::<TractResult<TVec<_>>>()?;
        // What is wrong with a node is told when the graph is compiled.
        let Ok((_, shapes, _)) = op.infer_facts(inputs.clone(), outputs.clone(), observed.clone()) else {
            continue;
        };
        sum = sum.saturating_add(bytes(&shapes));
        limits::model("what it unfolds to: values", sum)
            .map_err(|error| TractError::msg(error.to_string()))?;
        let Ok((_, values, _)) = op.infer(inputs, outputs, observed) else { continue };
        for (slot, fact) in values.into_iter().enumerate() {
            model.set_outlet_fact(OutletId::new(node, slot), fact)?;
        }
    }
    Ok(())
}

/// Returns what the outputs of a node take, as far as their shape is known.
fn bytes(outputs: &[InferenceFact]) -> u64 {
    let of = |fact: &InferenceFact| {
        let shape = fact.shape.as_concrete_finite().ok().flatten()?;
        let width = fact.datum_type.concretize().map_or(size_of::<u64>(), |of| of.size_of());
        let count = shape.iter().try_fold(width, |product, dim| product.checked_mul(*dim));
        Some(count.map_or(u64::MAX, |bytes| bytes as u64))
    };
    outputs.iter().filter_map(of).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto};

    use crate::model::plan::{Plan, tests::net};

    fn node(op: &str, inputs: &[&str], output: &str) -> NodeProto {
        let input = inputs.iter().map(|&input| input.to_owned()).collect();
        NodeProto { op_type: op.into(), input, output: vec![output.into()], ..NodeProto::default() }
    }

    fn whole(name: &str, values: &[i64]) -> TensorProto {
        let dims = vec![values.len() as i64];
        TensorProto {
            name: name.into(),
            dims,
            data_type: 7,
            int64_data: values.to_vec(),
            ..TensorProto::default()
        }
    }

    /// Puts nodes before those of [`net`], and the sum of the values of `from` onto its first matrix.
    fn with(constants: Vec<TensorProto>, nodes: Vec<NodeProto>, from: &str) -> ModelProto {
        let mut model = net(4);
        let graph = model.graph.as_mut().expect("a graph");
        graph.initializer.extend(constants);
        let keep = AttributeProto { name: "keepdims".into(), r#type: 2, i: 0, ..AttributeProto::default() };
        let sum = NodeProto { attribute: vec![keep], ..node("ReduceSum", &[from], "sum") };
        let add = node("Add", &["w", "sum"], "more");
        graph.node[0].input[1] = "more".into();
        graph.node.splice(0..0, nodes.into_iter().chain([sum, add]));
        model
    }

    fn refused(model: ModelProto) {
        let error = Plan::compile(model, 4).err().expect("too large").to_string();
        let words = "of more than 256 MiB: if it is meant to be, raise the limit with --max-model SIZE";
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn a_constant_of_gigabytes_is_refused_before_it_is_made() {
        let zero =
            TensorProto { dims: vec![1], data_type: 1, float_data: vec![0.0], ..TensorProto::default() };
        let value =
            AttributeProto { name: "value".into(), r#type: 4, t: Some(zero), ..AttributeProto::default() };
        let fill = NodeProto { attribute: vec![value], ..node("ConstantOfShape", &["shape"], "filled") };
        let filled = |count: i64| with(vec![whole("shape", &[count])], vec![fill.clone()], "filled");
        refused(filled(1 << 30));
        refused(filled(i64::MAX / 4));
        let small = Plan::compile(filled(1000), 4).err();
        assert!(small.is_none(), "{small:?}");
        // A size that is computed.
        let nodes = vec![node("Mul", &["a", "a"], "shape"), node("ConstantOfShape", &["shape"], "filled")];
        refused(with(vec![whole("a", &[40_000])], nodes, "filled"));
    }

    #[test]
    fn values_that_grow_from_node_to_node_are_refused() {
        let axis = AttributeProto { name: "axis".into(), r#type: 2, i: 0, ..AttributeProto::default() };
        let names: Vec<String> = (0..40).map(|step| format!("twice{step}")).collect();
        let doubled = names.windows(2).map(|two| {
            let concat = node("Concat", &[&two[0], &two[0]], &two[1]);
            NodeProto { attribute: vec![axis.clone()], ..concat }
        });
        let first = TensorProto {
            name: "twice0".into(),
            dims: vec![1],
            data_type: 1,
            float_data: vec![1.0],
            ..TensorProto::default()
        };
        refused(with(vec![first.clone()], doubled.collect(), "twice39"));
        let nodes = vec![node("Expand", &["twice0", "shape"], "wide")];
        refused(with(vec![first, whole("shape", &[50_000, 50_000])], nodes, "wide"));
    }

    #[test]
    fn a_constant_of_a_node_holds_what_it_says() {
        let value = TensorProto {
            dims: vec![1 << 30],
            data_type: 1,
            float_data: vec![1.0],
            ..TensorProto::default()
        };
        let value =
            AttributeProto { name: "value".into(), r#type: 4, t: Some(value), ..AttributeProto::default() };
        let constant = NodeProto { attribute: vec![value], ..node("Constant", &[], "large") };
        let error = Plan::compile(with(vec![], vec![constant], "large"), 4).err().expect("a lie").to_string();
        assert!(error.contains("is not of its size"), "{error}");
    }
}
