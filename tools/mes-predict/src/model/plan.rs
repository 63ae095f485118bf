//! Runs a graph with tract: one plan for a live row and for a batch.
//!
//! A model of sequences runs one window at a time: tract wants a fixed batch for recurrent nets, and one window is
//! work enough. For rows:
//!
//! A plan compiled for one row and a plan compiled for many differ in the last bits, and what was backtested must be
//! what trades. So there is one plan, for a block of [`BLOCK`] rows; fewer are padded with zeros. Within it, a row's
//! place and its neighbours do not change its bits: the matrix kernels sum each output over the features in one
//! order wherever the row lies, and edge tiles run through the same kernel. The tests hold this for every place.
//!
//! A graph that is nothing but an ensemble of trees is walked without tract ([`super::trees`]): there a row's bits do
//! not depend on the block at all, so that a live row need not be padded.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use mes_pipe::{Error, Result};
use tract_onnx::{
    pb::{ModelProto, NodeProto},
    prelude::*,
};

use super::{
    graph, sizes,
    trees::{self, Trees},
};

/// Rows that a plan computes at once.
pub const BLOCK: usize = 32;

/// Classes of a model: down, flat, up.
pub const CLASSES: usize = 3;

/// A compiled graph from features to logits. Shareable between threads.
pub struct Plan {
    engine: Engine,
    /// The input: samples that are computed at once, then the dimensions of one.
    dims: Vec<usize>,
}

enum Engine {
    Graph(Arc<TypedRunnableModel>),
    Trees(Trees),
}

impl Plan {
    /// Decodes an ONNX file.
    ///
    /// # Errors
    ///
    /// `Usage` for what is no ONNX.
    pub fn decode(bytes: &[u8]) -> Result<ModelProto> {
        tract_onnx::onnx()
            .proto_model_for_read(&mut Cursor::new(bytes))
            .map_err(|error| Error::usage(format!("not an ONNX file ({error})")))
    }

    /// Compiles a graph `[batch, width] → [batch, 3]`, cut at its logits.
    ///
    /// # Errors
    ///
    /// As [`Plan::of_windows`].
    pub fn compile(proto: ModelProto, width: usize) -> Result<Plan> {
        Plan::of_windows(proto, width, 1)
    }

    /// Compiles a graph `[batch, window, width] → [batch, 3]`, cut at its logits. A window of 1 is a row.
    ///
    /// # Errors
    ///
    /// `Usage` for a graph that is broken, or does not run on so many features.
    pub fn of_windows(mut proto: ModelProto, width: usize, window: usize) -> Result<Plan> {
        graph::check(&proto)?;
        graph::end_at_logits(&mut proto)?;
        graph::without_labels(&mut proto)?;
        let dims = if window == 1 { vec![BLOCK, width] } else { vec![1, window, width] };
        let refused =
            |error: String| Error::usage(format!("the graph does not run on {width} features: {error}"));
        let trees = last_trees(&proto).map(Trees::parse).transpose()?;
        let engine = match trees {
            Some(trees) if window == 1 && is_alone(&proto) => {
                trees.scores(&vec![0.0; width], width).map_err(|error| refused(error.to_string()))?;
                Engine::Trees(trees)
            }
            _ => Engine::Graph(
                guarded(|| compile(&proto, &dims)).map_err(|error| refused(format!("{error:#}")))?,
            ),
        };
        Ok(Plan { engine, dims })
    }

    /// Returns how many values a sample has: the features of a row, or of all rows of a window.
    pub fn values(&self) -> usize {
        self.dims[1..].iter().product()
    }

    /// Computes the logits (or whatever the graph ends at) of samples that lie one after the other.
    ///
    /// # Errors
    ///
    /// `Data` where an answer is not finite, `Failed` where the graph does not run.
    pub fn logits(&self, samples: &[f32]) -> Result<Vec<[f32; CLASSES]>> {
        let out = match &self.engine {
            Engine::Trees(trees) => trees.scores(samples, self.values())?,
            Engine::Graph(runnable) => self.blocks(runnable, samples)?,
        };
        match out.iter().position(|logits| logits.iter().any(|value| !value.is_finite())) {
            Some(row) => Err(Error::data(format!("the model gives {:?}, not numbers", out[row]))),
            None => Ok(out),
        }
    }

    fn blocks(&self, runnable: &Arc<TypedRunnableModel>, samples: &[f32]) -> Result<Vec<[f32; CLASSES]>> {
        let values = self.values();
        let mut out = Vec::with_capacity(samples.len() / values);
        for block in samples.chunks(self.dims[0] * values) {
            self.block(runnable, block, &mut out)
                .map_err(|error| Error::failed(format!("the model does not run: {error:#}")))?;
        }
        Ok(out)
    }

    fn block(
        &self,
        runnable: &Arc<TypedRunnableModel>,
        samples: &[f32],
        out: &mut Vec<[f32; CLASSES]>,
    ) -> TractResult<()> {
        let mut padded = Tensor::zero::<f32>(&self.dims)?;
        padded.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?[..samples.len()].copy_from_slice(samples);
        let answer = runnable.run(tvec!(padded.into()))?;
        let logits = answer[0].try_as_plain_ram()?.as_slice::<f32>()?.as_chunks::<CLASSES>().0;
        out.extend_from_slice(&logits[..samples.len() / self.values()]);
        Ok(())
    }
}

/// Returns the ensemble of trees that a graph ends with.
fn last_trees(proto: &ModelProto) -> Option<&NodeProto> {
    let graph = proto.graph.as_ref()?;
    let output = &graph.output.first()?.name;
    let gives = |node: &&NodeProto| node.op_type == "TreeEnsembleClassifier" && node.output.contains(output);
    graph.node.iter().find(gives)
}

/// Says whether a graph is one node that reads the features.
fn is_alone(proto: &ModelProto) -> bool {
    let graph = proto.graph.as_ref();
    graph.is_some_and(|graph| graph.node.len() == 1 && graph.node[0].input == [graph.input[0].name.as_str()])
}

/// Makes an error of a panic: tract asserts much of what it reads, and a foreign file must not take us down.
fn guarded<T>(f: impl FnOnce() -> TractResult<T>) -> TractResult<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(TractError::msg("the graph is broken")))
}

fn compile(proto: &ModelProto, dims: &[usize]) -> TractResult<Arc<TypedRunnableModel>> {
    // The shapes that exporters write beside the graph contradict a fixed batch.
    let mut onnx = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    trees::register(&mut onnx.op_register);
    let mut model = onnx.model_for_proto_model(proto)?;
    model.set_input_fact(0, f32::fact(dims).into())?;
    sizes::check(&mut model)?;
    let model = model.into_optimized()?;
    let shape = model.output_fact(0)?.shape.as_concrete().map(<[usize]>::to_vec);
    if shape.as_deref() != Some(&[dims[0], CLASSES]) {
        let wrong = format!("it gives {shape:?}, not {} rows of down, flat, up", dims[0]);
        return Err(TractError::msg(wrong));
    }
    model.into_runnable()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{fs, path::PathBuf};

    use tract_onnx::pb::{
        GraphProto, NodeProto, TensorProto, TypeProto, ValueInfoProto, tensor_shape_proto, type_proto,
    };

    use super::*;
    use mes_core::prediction::softmax;

    /// Builds tanh(x·W + b)·V, `width` → 17 → 3: a kernel's odd edges and a vectorised function.
    pub fn net(width: usize) -> ModelProto {
        let value = |index: usize| ((index * 7919 % 1009) as f32 - 504.0) / 700.0;
        let tensor = |name: &str, dims: &[usize]| TensorProto {
            name: name.into(),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: 1,
            float_data: (0..dims.iter().product()).map(value).collect(),
            ..TensorProto::default()
        };
        let node = |op: &str, inputs: &[&str], output: &str| NodeProto {
            op_type: op.into(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        };
        let graph = GraphProto {
            input: vec![floats("x", width)],
            output: vec![floats("p", 3)],
            initializer: vec![tensor("w", &[width, 17]), tensor("b", &[17]), tensor("v", &[17, 3])],
            node: vec![
                node("Gemm", &["x", "w", "b"], "h"),
                node("Tanh", &["h"], "t"),
                node("MatMul", &["t", "v"], "z"),
                node("Softmax", &["z"], "p"),
            ],
            ..GraphProto::default()
        };
        ModelProto { ir_version: 8, graph: Some(graph), ..ModelProto::default() }
    }

    /// Builds [`net`] over the values of whole windows.
    pub fn over_windows(window: usize, width: usize) -> ModelProto {
        let mut model = net(window * width);
        let graph = model.graph.as_mut().expect("a graph");
        graph.node[0].input[0] = "flat".into();
        let flatten = NodeProto {
            op_type: "Flatten".into(),
            input: vec!["x".into()],
            output: vec!["flat".into()],
            ..NodeProto::default()
        };
        graph.node.insert(0, flatten);
        model
    }

    pub fn floats(name: &str, width: usize) -> ValueInfoProto {
        let dim = |value| tensor_shape_proto::Dimension { value: Some(value), ..Default::default() };
        let batch = dim(tensor_shape_proto::dimension::Value::DimParam("batch".into()));
        let columns = dim(tensor_shape_proto::dimension::Value::DimValue(width as i64));
        let shape = tract_onnx::pb::TensorShapeProto { dim: vec![batch, columns] };
        let tensor = type_proto::Tensor { elem_type: 1, shape: Some(shape) };
        let value = Some(type_proto::Value::TensorType(tensor));
        ValueInfoProto {
            name: name.into(),
            r#type: Some(TypeProto { value, ..TypeProto::default() }),
            ..Default::default()
        }
    }

    pub fn rows(count: usize, width: usize) -> Vec<f32> {
        (0..count * width).map(|index| ((index * 6007 % 2003) as f32 - 1001.0) / 1001.0).collect()
    }

    fn bits(logits: &[[f32; 3]]) -> Vec<[u32; 3]> {
        logits.iter().map(|one| one.map(f32::to_bits)).collect()
    }

    pub fn holds_for_every_place_and_split(plan: &Plan, rows: &[f32]) {
        let width = plan.values();
        let whole = bits(&plan.logits(rows).expect("runs"));
        let alone: Vec<_> =
            rows.chunks(width).flat_map(|row| bits(&plan.logits(row).expect("runs"))).collect();
        assert_eq!(whole, alone);
        for split in 1..=BLOCK + 3 {
            let parts = rows.chunks(split * width).flat_map(|part| bits(&plan.logits(part).expect("runs")));
            assert_eq!(parts.collect::<Vec<_>>(), whole, "in parts of {split}");
        }
        for place in 0..BLOCK {
            let mut block = rows[..BLOCK * width].to_vec();
            block[place * width..][..width].copy_from_slice(&rows[..width]);
            assert_eq!(bits(&plan.logits(&block).expect("runs"))[place], whole[0], "in place {place}");
        }
    }

    #[test]
    fn a_rows_place_and_neighbours_do_not_change_its_bits() {
        for width in [1, 3, 8, 45] {
            let plan = Plan::compile(net(width), width).expect("compiles");
            holds_for_every_place_and_split(&plan, &rows(150, width));
        }
    }

    #[test]
    fn a_window_gives_the_same_bits_alone_and_among_others() {
        let plan = Plan::of_windows(over_windows(4, 3), 3, 4).expect("compiles");
        let samples = rows(50, 12);
        let whole = bits(&plan.logits(&samples).expect("runs"));
        let alone = samples.chunks(12).flat_map(|one| bits(&plan.logits(one).expect("runs")));
        assert_eq!(alone.collect::<Vec<_>>(), whole);
        assert_eq!(Plan::of_windows(over_windows(4, 3), 3, 5).err().expect("another window").code(), 2);
    }

    #[test]
    fn refuses_what_is_not_a_model() {
        assert_eq!(Plan::decode(b"ts,open,high").expect_err("text").code(), 2);
        assert_eq!(Plan::compile(net(4), 5).err().expect("another width").code(), 2);
        let mut two = net(4);
        two.graph.as_mut().expect("graph").initializer[2].dims = vec![17, 2];
        two.graph.as_mut().expect("graph").initializer[2].float_data.truncate(34);
        assert_eq!(Plan::compile(two, 4).err().expect("two classes").code(), 2);
    }

    /// Files of other trainers with onnxruntime's answers.
    pub struct Others(PathBuf);

    impl Others {
        /// Says so where they are not at hand.
        pub fn there() -> Option<Others> {
            let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/onnx");
            if !folder.is_dir() {
                eprintln!("skipped: no shared data");
            }
            folder.is_dir().then_some(Others(folder))
        }

        pub fn graph(&self, name: &str) -> ModelProto {
            Plan::decode(&fs::read(self.0.join(format!("{name}.onnx"))).expect("file")).expect("decodes")
        }

        /// Returns the values that went in and the probabilities that came out.
        pub fn recorded(&self, name: &str) -> [Vec<f32>; 2] {
            ["in", "out"].map(|end| {
                let bytes = fs::read(self.0.join(format!("{name}.{end}.f32"))).expect("recorded numbers");
                bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
            })
        }
    }

    #[test]
    fn equals_onnxruntime_on_files_of_others() {
        let Some(others) = Others::there() else { return };
        let files = [
            ("mlp_hand", 1),
            ("rust_mlp", 1),
            ("logreg", 1),
            ("hybrid", 60),
            ("lstm_hand_rust", 60),
            ("transformer_plain", 60),
        ];
        for (name, window) in files {
            let plan = Plan::of_windows(others.graph(name), 40, window).expect("compiles");
            let [rows, wanted] = others.recorded(name);
            let found =
                plan.logits(&rows).expect("runs").into_iter().flat_map(|one| softmax(one.map(f64::from)));
            for (found, wanted) in found.zip(&wanted) {
                assert!((found - f64::from(*wanted)).abs() < 1e-5, "{name}: {found} is not {wanted}");
            }
            assert_eq!(wanted.len(), 48);
            if window > 1 {
                continue;
            }
            let many: Vec<f32> = (0..10).flat_map(|_| rows.clone()).collect();
            holds_for_every_place_and_split(&plan, &many);
        }
    }
}
