// The workload's network as an ONNX model, which is what ONNX Runtime runs. Only the fields of onnx.proto that it needs.
import type { Tensor } from "@recurra/core";
import type { Gate } from "../data.ts";
import type { Job } from "../system.ts";

/** The part of protobufjs (fetched with the peers) that is used here. */
export interface Protobuf {
  Root: { fromJSON(json: object): { lookupType(name: string): MessageType } };
}
interface MessageType {
  fromObject(object: object): unknown;
  encode(message: unknown): { finish(): Uint8Array };
}

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });

/** Names and numbers of onnx.proto (Apache-2.0), IR version 8. */
const schema = {
  nested: {
    Model: {
      fields: { irVersion: field("int64", 1), graph: field("Graph", 7), opsetImport: repeated("Opset", 8) },
    },
    Opset: { fields: { version: field("int64", 2) } },
    Graph: {
      fields: {
        node: repeated("Node", 1),
        name: field("string", 2),
        initializer: repeated("TensorData", 5),
        input: repeated("ValueInfo", 11),
        output: repeated("ValueInfo", 12),
      },
    },
    Node: {
      fields: {
        input: repeated("string", 1),
        output: repeated("string", 2),
        opType: field("string", 4),
        attribute: repeated("Attribute", 5),
      },
    },
    Attribute: { fields: { name: field("string", 1), i: field("int64", 3), type: field("int32", 20) } },
    TensorData: {
      fields: {
        dims: repeated("int64", 1),
        dataType: field("int32", 2),
        name: field("string", 8),
        rawData: field("bytes", 9),
      },
    },
    ValueInfo: { fields: { name: field("string", 1), type: field("ValueType", 2) } },
    ValueType: { fields: { tensorType: field("TensorType", 1) } },
    TensorType: { fields: { elemType: field("int32", 1), shape: field("Shape", 2) } },
    Shape: { fields: { dim: repeated("Dimension", 1) } },
    Dimension: { fields: { dimValue: field("int64", 1) } },
  },
};

const FLOAT = 1; // TensorProto.DataType
const INT = 2; // AttributeProto.AttributeType

/**
 * LSTM, then MatMul and Add for a dense layer. Inputs: X [T, B, I], and for a stream's step initial_h and initial_c
 * [1, B, H]; outputs: output [T, 1, B, H] (or [T, 1, B, O]), and for a step h and c [1, B, H].
 */
export function onnxModel(protobuf: Protobuf, { workload, data }: Job): Uint8Array {
  const { T, B, I, H, step = false, output: O } = workload;
  // ONNX's order of the gates is i, o, f, c.
  const gates: readonly Gate[] = ["i", "o", "f", "g"];
  const stacked = (name: string) => concat(gates.map((gate) => data.parameters[`0.${name}.${gate}`]!.data));
  const initializer = [
    tensor("W", [1, 4 * H, I], stacked("W")),
    tensor("R", [1, 4 * H, H], stacked("U")),
    // ONNX adds a second bias, of the recurrent product.
    tensor("Bias", [1, 8 * H], concat([stacked("b"), new Float32Array(4 * H)])),
  ];
  const node = [
    {
      opType: "LSTM",
      input: ["X", "W", "R", "Bias", "", ...(step ? ["initial_h", "initial_c"] : [])],
      output: [O ? "hidden" : "output", ...(step ? ["h", "c"] : [])],
      attribute: [{ name: "hidden_size", i: H, type: INT }],
    },
  ];
  if (O) {
    initializer.push(tensor("dense.W", [H, O], transposed(data.parameters["1.W"]!)));
    initializer.push(tensor("dense.b", [O], data.parameters["1.b"]!.data));
    node.push({ opType: "MatMul", input: ["hidden", "dense.W"], output: ["product"], attribute: [] });
    node.push({ opType: "Add", input: ["product", "dense.b"], output: ["output"], attribute: [] });
  }
  const state = [1, B, H];
  const graph = {
    name: workload.name,
    node,
    initializer,
    input: [value("X", [T, B, I]), ...(step ? [value("initial_h", state), value("initial_c", state)] : [])],
    output: [value("output", [T, 1, B, O ?? H]), ...(step ? [value("h", state), value("c", state)] : [])],
  };
  const Model = protobuf.Root.fromJSON(schema).lookupType("Model");
  return Model.encode(Model.fromObject({ irVersion: 8, opsetImport: [{ version: 14 }], graph })).finish();
}

function tensor(name: string, dims: number[], data: Float32Array) {
  return {
    name,
    dims,
    dataType: FLOAT,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}

function value(name: string, dims: number[]) {
  const dim = dims.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: FLOAT, shape: { dim } } } };
}

function concat(arrays: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    result.set(array, at);
    at += array.length;
  }
  return result;
}

function transposed({ shape, data }: Tensor): Float32Array {
  const [rows = 0, columns = 0] = shape;
  return data.map((_, index) => data[(index % rows) * columns + Math.floor(index / rows)]!);
}
