//! Writes ONNX: a protobuf encoder of the few messages that a model needs (opset 17, ai.onnx.ml 3, IR version 8).
//!
//! Field numbers are those of `onnx.proto3`. Values are written in one fixed order, so equal models are equal bytes.

const OPSET: u64 = 17;
/// The domain of trees, and its version.
pub const ML: &str = "ai.onnx.ml";
const ML_OPSET: u64 = 3;
const IR_VERSION: u64 = 8;
const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// A graph being built: tensors and nodes in the order they are to run.
#[derive(Default)]
pub struct Graph {
    nodes: Message,
    tensors: Message,
    ml: bool,
}

/// An operation with all it can have; [`Graph::node`] is enough for most.
#[derive(Clone, Copy, Default)]
pub struct Node<'a> {
    pub op: &'a str,
    /// `""` or [`ML`].
    pub domain: &'a str,
    /// An empty name leaves an input out.
    pub inputs: &'a [&'a str],
    pub outputs: &'a [&'a str],
    pub attributes: &'a [(&'a str, Attribute<'a>)],
}

#[derive(Clone, Copy, Debug)]
pub enum Attribute<'a> {
    Int(i64),
    Float(f32),
    Text(&'a str),
    Ints(&'a [i64]),
    Floats(&'a [f32]),
    Texts(&'a [&'a str]),
}

impl Graph {
    /// Adds a constant and returns its name.
    pub fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len());
        let bytes: Vec<_> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, FLOAT, dims, &bytes)
    }

    /// Adds a list of integers, such as axes or a shape, and returns its name.
    pub fn integers(&mut self, name: &str, values: &[i64]) -> String {
        let bytes: Vec<_> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, INT64, &[values.len()], &bytes)
    }

    /// Adds one integer and returns its name.
    pub fn scalar(&mut self, name: &str, value: i64) -> String {
        self.constant(name, INT64, &[], &value.to_le_bytes())
    }

    fn constant(&mut self, name: &str, kind: u64, dims: &[usize], bytes: &[u8]) -> String {
        let mut tensor = Message::default();
        for &dim in dims {
            tensor.number(1, dim as u64);
        }
        tensor.number(2, kind);
        tensor.text(8, name);
        tensor.bytes(9, bytes);
        self.tensors.message(5, &tensor);
        name.to_owned()
    }

    /// Adds an operation and returns the name of its one output.
    pub fn node(&mut self, op: &str, inputs: &[&str], output: &str) -> String {
        self.add(Node { op, inputs, outputs: &[output], ..Node::default() });
        output.to_owned()
    }

    /// Adds an operation with attributes and returns the name of its one output.
    pub fn node_with(
        &mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, Attribute)],
    ) -> String {
        self.add(Node { op, inputs, outputs: &[output], attributes, ..Node::default() });
        output.to_owned()
    }

    /// Adds an operation of any kind. It bears the name of its last output.
    pub fn add(&mut self, node: Node) {
        let mut message = Message::default();
        for input in node.inputs {
            message.text(1, input);
        }
        for output in node.outputs {
            message.text(2, output);
        }
        message.text(3, node.outputs.last().unwrap_or(&node.op));
        message.text(4, node.op);
        for (name, value) in node.attributes {
            message.message(5, &attribute(name, *value));
        }
        if !node.domain.is_empty() {
            message.text(7, node.domain);
            self.ml = true;
        }
        self.nodes.message(1, &message);
    }

    /// Ends the graph as a model from `input` (its name, and its dimensions after the batch) to `output` `[batch, 3]`,
    /// both f32.
    pub fn into_model(
        self,
        input: (&str, &[usize]),
        output: &str,
        properties: &[(String, String)],
    ) -> Vec<u8> {
        let mut graph = self.nodes;
        graph.text(2, "mes");
        graph.0.extend(self.tensors.0);
        graph.message(11, &value_info(input.0, input.1));
        graph.message(12, &value_info(output, &[3]));

        let mut model = Message::default();
        model.number(1, IR_VERSION);
        model.text(2, "mes-train");
        model.message(7, &graph);
        model.message(8, &opset("", OPSET));
        if self.ml {
            model.message(8, &opset(ML, ML_OPSET));
        }
        for (key, value) in properties {
            let mut pair = Message::default();
            pair.text(1, key);
            pair.text(2, value);
            model.message(14, &pair);
        }
        model.0
    }
}

fn opset(domain: &str, version: u64) -> Message {
    let mut opset = Message::default();
    opset.text(1, domain);
    opset.number(2, version);
    opset
}

fn attribute(name: &str, value: Attribute) -> Message {
    let mut message = Message::default();
    message.text(1, name);
    let kind = match value {
        Attribute::Float(value) => {
            message.float(2, value);
            1
        }
        Attribute::Int(value) => {
            message.number(3, value as u64);
            2
        }
        Attribute::Text(value) => {
            message.text(4, value);
            3
        }
        Attribute::Floats(values) => {
            values.iter().for_each(|value| message.float(7, *value));
            6
        }
        Attribute::Ints(values) => {
            values.iter().for_each(|value| message.number(8, *value as u64));
            7
        }
        Attribute::Texts(values) => {
            values.iter().for_each(|value| message.text(9, value));
            8
        }
    };
    message.number(20, kind);
    message
}

/// Describes an array of floats with an open number of rows.
fn value_info(name: &str, dims: &[usize]) -> Message {
    let (mut batch, mut shape) = (Message::default(), Message::default());
    batch.text(2, "batch");
    shape.message(1, &batch);
    for &dim in dims {
        let mut size = Message::default();
        size.number(1, dim as u64);
        shape.message(1, &size);
    }
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

    fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
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
        let weights = graph.tensor("w", &[3, 2], &[1.0, 0.5, 0.0, -1.0, 2.0, 0.25]);
        let bias = graph.tensor("b", &[3], &[0.0, 10.0, -300.0]);
        let shape = graph.integers("shape", &[-1, 2]);
        let centred = graph.node("Sub", &["x", &mean], "c");
        let reshaped = graph.node("Reshape", &[&centred, &shape], "r");
        let transposed = [("transB", Attribute::Int(1)), ("alpha", Attribute::Float(2.0))];
        let logits = graph.node_with("Gemm", &[&reshaped, &weights, &bias], "logits", &transposed);
        let bytes = graph.into_model(("x", &[2]), &logits, &[("mes.v".into(), "1".into())]);

        let proto = Plan::decode(&bytes).expect("decodes");
        assert_eq!(proto.metadata_props[0].key, "mes.v");
        let plan = Plan::compile(proto, 2).expect("compiles");
        let found = plan.logits(&[1.0, -1.0, 2.0, 3.0]).expect("runs");
        assert_eq!(found, [[0.0, 10.0, -300.0], [6.0, 2.0, -294.0]]);
    }

    #[test]
    fn every_kind_of_attribute_reads_back() {
        let mut graph = Graph::default();
        let attributes = [
            ("i", Attribute::Int(-3)),
            ("f", Attribute::Float(0.5)),
            ("s", Attribute::Text("SOFTMAX")),
            ("is", Attribute::Ints(&[1, -2])),
            ("fs", Attribute::Floats(&[0.25, -4.0])),
            ("ss", Attribute::Texts(&["BRANCH_LEQ", "LEAF"])),
        ];
        let outputs = &["label", "p"];
        graph.add(Node { op: "Trees", domain: ML, inputs: &["x"], outputs, attributes: &attributes });
        let proto = Plan::decode(&graph.into_model(("x", &[30, 4]), "p", &[])).expect("decodes");
        let domains: Vec<_> =
            proto.opset_import.iter().map(|set| (set.domain.as_str(), set.version)).collect();
        assert_eq!(domains, [("", 17), ("ai.onnx.ml", 3)]);
        let node = &proto.graph.as_ref().expect("a graph").node[0];
        assert_eq!(
            (node.op_type.as_str(), node.domain.as_str(), &node.output[..]),
            ("Trees", ML, &["label".to_owned(), "p".to_owned()][..])
        );
        let [i, f, s, is, fs, ss] = &node.attribute[..] else { unreachable!("six attributes") };
        assert_eq!((i.i, f.f, &s.s[..]), (-3, 0.5, &b"SOFTMAX"[..]));
        assert_eq!((&is.ints[..], &fs.floats[..]), (&[1, -2][..], &[0.25, -4.0][..]));
        assert_eq!(ss.strings, [b"BRANCH_LEQ".to_vec(), b"LEAF".to_vec()]);
    }
}
