// What a TFLite file says of its first input and output. The format is tensorflow/lite/schema/schema.fbs, a FlatBuffer.

/** Numbers of fields in the tables of the schema. */
const MODEL = { subgraphs: 2 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2 };
const TENSOR = { shape: 0, type: 1, quantization: 4 };
const QUANTIZATION = { scale: 2, zeroPoint: 3 };
/** TensorType. @type {Readonly<Record<number, DType>>} */
const TYPES = { 0: 'float32', 3: 'uint8', 9: 'int8' };

/**
 * @typedef {'float32' | 'uint8' | 'int8'} DType
 * @typedef {object} TfliteTensor
 * @property {readonly number[]} shape
 * @property {DType} type
 * @property {number} scale a value is (q − zeroPoint) × scale; 1 and 0 for floats
 * @property {number} zeroPoint
 */

/** @param {Uint8Array} bytes @returns {{ input: TfliteTensor, output: TfliteTensor }} */
export function readTflite(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const model = view.getUint32(0, true);
  const subgraph = elements(view, model, MODEL.subgraphs).map((at) => at + view.getUint32(at, true))[0] ?? 0;
  const tensors = elements(view, subgraph, SUBGRAPH.tensors).map((at) => at + view.getUint32(at, true));
  const first = (/** @type {number} */ field) =>
    readTensor(view, tensors[integers(view, subgraph, field)[0] ?? 0] ?? 0);
  return { input: first(SUBGRAPH.inputs), output: first(SUBGRAPH.outputs) };
}

/** @param {DataView} view @param {number} tensor @returns {TfliteTensor} */
function readTensor(view, tensor) {
  const typeAt = fieldAt(view, tensor, TENSOR.type);
  const type = TYPES[typeAt === undefined ? 0 : view.getInt8(typeAt)];
  if (type === undefined) throw new Error('readTflite: the tensor is neither float32 nor of 8 bits');
  const shape = integers(view, tensor, TENSOR.shape);
  const at = fieldAt(view, tensor, TENSOR.quantization);
  const quantization = at === undefined ? undefined : at + view.getUint32(at, true);
  if (type === 'float32' || quantization === undefined) return { shape, type, scale: 1, zeroPoint: 0 };
  const [scaleAt = 0] = elements(view, quantization, QUANTIZATION.scale);
  const [zeroAt = 0] = elements(view, quantization, QUANTIZATION.zeroPoint, 8);
  return {
    shape,
    type,
    scale: view.getFloat32(scaleAt, true),
    zeroPoint: Number(view.getBigInt64(zeroAt, true)),
  };
}

/** Where a field of a table lies; undefined when it is left out. @param {DataView} view @param {number} table @param {number} field */
function fieldAt(view, table, field) {
  const layout = table - view.getInt32(table, true);
  const entry = 4 + 2 * field;
  const offset = entry < view.getUint16(layout, true) ? view.getUint16(layout + entry, true) : 0;
  return offset === 0 ? undefined : table + offset;
}

/** Where the elements of a vector lie. @param {DataView} view @param {number} table @param {number} field @param {number} [size] bytes of one */
function elements(view, table, field, size = 4) {
  const at = fieldAt(view, table, field);
  if (at === undefined) return [];
  const vector = at + view.getUint32(at, true);
  return Array.from({ length: view.getUint32(vector, true) }, (_, i) => vector + 4 + i * size);
}

/** @param {DataView} view @param {number} table @param {number} field */
function integers(view, table, field) {
  return elements(view, table, field).map((at) => view.getInt32(at, true));
}
