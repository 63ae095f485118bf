//! Writes ONNX: a protobuf encoder of the few messages that a model needs (opset 17, IR version 8).
//!
//! Field numbers are those of `onnx.proto3`. Values are written in one fixed order, so equal models are equal bytes.

const OPSET: u64 = 17;
const IR_VERSION: u64 = 8;
const FLOAT: u64 = 1;

/// A graph being built: tensors and nodes in the order they are to run.
#[derive(Default)]
pub struct Graph {
    nodes: Message,
    tensors: Message,
}

impl Graph {
    /// Adds a constant and returns its name.
    pub fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let mut tensor = Message::default();
        for &dim in dims {
            tensor.number(1, dim as u64);
        }
        tensor.number(2, FLOAT);
        tensor.text(8, name);
        tensor.bytes(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
        self.tensors.message(5, &tensor);
        name.to_owned()
    }

    /// Adds an operation and returns the name of its one output.
    pub fn node(&mut self, op: &str, inputs: &[&str], output: &str) -> String {
        let mut node = Message::default();
        for input in inputs {
            node.text(1, input);
        }
        node.text(2, output);
        node.text(3, output);
        node.text(4, op);
        self.nodes.message(1, &node);
        output.to_owned()
    }

    /// Ends the graph as a model from `input` `[batch, width]` to `output` `[batch, 3]`, both f32.
    pub fn into_model(self, input: (&str, usize), output: &str, properties: &[(String, String)]) -> Vec<u8> {
        let mut graph = self.nodes;
        graph.text(2, "mes");
        graph.0.extend(self.tensors.0);
        graph.message(11, &value_info(input.0, input.1));
        graph.message(12, &value_info(output, 3));

        let mut model = Message::default();
        model.number(1, IR_VERSION);
        model.text(2, "mes-train");
        model.message(7, &graph);
        let mut opset = Message::default();
        opset.text(1, "");
        opset.number(2, OPSET);
        model.message(8, &opset);
        for (key, value) in properties {
            let mut pair = Message::default();
            pair.text(1, key);
            pair.text(2, value);
            model.message(14, &pair);
        }
        model.0
    }
}

/// Describes a matrix of floats with an open number of rows.
fn value_info(name: &str, width: usize) -> Message {
    let (mut batch, mut columns, mut shape) = (Message::default(), Message::default(), Message::default());
    batch.text(2, "batch");
    columns.number(1, width as u64);
    shape.message(1, &batch);
    shape.message(1, &columns);
    let (mut tensor, mut kind, mut value) = (Message::default(), Message::default(), Message::default());
    tensor.number(1, FLOAT);
    tensor.message(2, &shape);
    kind.message(1, &tensor);
    value.text(1, name);
    value.message(2, &kind);
    value
}

/// A protobuf message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Message) {
        self.bytes(field, &message.0);
    }
}

#[cfg(test)]
mod tests {
    use mes_predict::model::plan::Plan;

    use super::*;

    #[test]
    fn tract_reads_what_it_writes() {
        let mut graph = Graph::default();
        let mean = graph.tensor("mean", &[2], &[1.0, -1.0]);
        let weights = graph.tensor("w", &[2, 3], &[1.0, 0.0, 2.0, 0.5, -1.0, 0.25]);
        let bias = graph.tensor("b", &[3], &[0.0, 10.0, -300.0]);
        let centred = graph.node("Sub", &["x", &mean], "c");
        let logits = graph.node("Gemm", &[&centred, &weights, &bias], "logits");
        let bytes = graph.into_model(("x", 2), &logits, &[("mes.v".into(), "1".into())]);

        let proto = Plan::decode(&bytes).expect("decodes");
        assert_eq!(proto.metadata_props[0].key, "mes.v");
        let plan = Plan::compile(proto, 2).expect("compiles");
        let found = plan.logits(&[1.0, -1.0, 2.0, 3.0]).expect("runs");
        assert_eq!(found, [[0.0, 10.0, -300.0], [3.0, 6.0, -297.0]]);
    }
}
