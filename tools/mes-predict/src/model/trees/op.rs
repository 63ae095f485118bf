//! [`Trees`] as an operator of tract, for graphs in which something comes before or after the ensemble.

use std::sync::Arc;

use tract_onnx::{
    model::{OnnxOpRegister, ParsingContext},
    pb::NodeProto,
    tract_hir::internal::*,
};

use super::Trees;
use crate::model::plan::CLASSES;

/// Takes the place of tract's operator. It has one output, the scores: [`super::super::graph`] takes the labels out.
pub fn register(ops: &mut OnnxOpRegister) {
    ops.insert("TreeEnsembleClassifier", build);
}

fn build(_: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let trees = Trees::parse(node).map_err(|error| TractError::msg(error.to_string()))?;
    Ok((expand(Ensemble(Arc::new(trees))), vec![]))
}

#[derive(Clone, Debug)]
struct Ensemble(Arc<Trees>);

impl PartialEq for Ensemble {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Ensemble {}

impl Expansion for Ensemble {
    fn name(&self) -> StaticName {
        "Trees".into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        s: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        check_input_arity(inputs, 1)?;
        check_output_arity(outputs, 1)?;
        s.equals(&outputs[0].datum_type, f32::datum_type())?;
        s.equals(&outputs[0].rank, 2)?;
        s.equals(&outputs[0].shape[0], &inputs[0].shape[0])?;
        s.equals(&outputs[0].shape[1], CLASSES.to_dim())
    }

    fn wire(&self, name: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(name, self.clone(), inputs)
    }
}

impl Op for Ensemble {
    fn name(&self) -> StaticName {
        "Trees".into()
    }

    op_as_typed_op!();
}

impl EvalOp for Ensemble {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let input = args_1!(inputs);
        let input = input.cast_to::<f32>()?;
        let width = input.shape()[1];
        let rows = input.try_as_plain_ram()?;
        let scores = self.0.scores(rows.as_slice::<f32>()?, width);
        let scores = scores.map_err(|error| TractError::msg(error.to_string()))?;
        let tensor = Tensor::from_shape(&[scores.len(), CLASSES], scores.as_flattened())?;
        Ok(tvec!(tensor.into_tvalue()))
    }
}

impl TypedOp for Ensemble {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(&[inputs[0].shape[0].clone(), CLASSES.to_dim()])))
    }

    as_op!();
}
