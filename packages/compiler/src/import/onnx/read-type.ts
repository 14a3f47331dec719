import { CompilerError } from '../../diagnostics/index.ts';
import { dataTypeFromCode, dimFromParam, type DataType, type Dim, type Shape } from '../../ir/index.ts';
import type { ValueInfo, ValueType } from '../../ir/index.ts';
import type {
  TensorShapeProto,
  TensorShapeProto_Dimension,
  TypeProto,
  ValueInfoProto,
} from './proto/onnx_pb.ts';
import { readPairs } from './read-pairs.ts';

/** A `ValueInfoProto`; denotations are dropped. @param file for messages */
export function readValueInfo(proto: ValueInfoProto, file: string | undefined): ValueInfo {
  const type = readType(proto.type, proto.name, file);
  return {
    name: proto.name,
    ...(type === undefined ? {} : { type }),
    ...(proto.docString ? { doc: proto.docString } : {}),
    ...(proto.metadataProps.length > 0 ? { metadata: readPairs(proto.metadataProps) } : {}),
  };
}

/** A `TypeProto`; undefined when it says nothing, as in the inputs of many subgraphs. @param value names it in messages */
export function readType(
  proto: TypeProto | undefined,
  value: string,
  file: string | undefined,
): ValueType | undefined {
  const fail = (problem: string): CompilerError =>
    new CompilerError('bad-file', `the type of '${value}' ${problem}`, {
      at: file === undefined ? { value } : { file, value },
    });
  return convert(proto);

  function convert(type: TypeProto | undefined): ValueType | undefined {
    switch (type?.value.case) {
      case 'tensorType':
      case 'sparseTensorType': {
        const kind = type.value.case === 'tensorType' ? 'tensor' : 'sparse-tensor';
        const { elemType, shape } = type.value.value;
        if (elemType === 0) return undefined;
        return {
          kind,
          dtype: readDataType(elemType),
          ...(shape === undefined ? {} : { shape: readShape(shape) }),
        };
      }
      case 'sequenceType':
        return { kind: 'sequence', element: required(convert(type.value.value.elemType)) };
      case 'optionalType':
        return { kind: 'optional', element: required(convert(type.value.value.elemType)) };
      case 'mapType': {
        const { keyType, valueType } = type.value.value;
        return { kind: 'map', key: readDataType(keyType), value: required(convert(valueType)) };
      }
      case 'opaqueType':
        throw fail(
          `is opaque (${type.value.value.domain}.${type.value.value.name}), which Edgewise cannot hold`,
        );
      case undefined:
        return undefined;
    }
  }

  function required(type: ValueType | undefined): ValueType {
    if (type === undefined) throw fail('has no element type');
    return type;
  }

  function readDataType(code: number): DataType {
    const dtype = dataTypeFromCode(code);
    if (dtype === undefined) throw fail(`has the unknown data type ${code}`);
    return dtype;
  }

  function readShape(shape: TensorShapeProto): Shape {
    return shape.dim.map(readDim);
  }

  /** Negative sizes are what some exporters write for an unknown one. */
  function readDim({ value: dim }: TensorShapeProto_Dimension): Dim {
    if (dim.case === 'dimParam') return dim.value === '' ? null : dimFromParam(dim.value);
    if (dim.case === undefined || dim.value < 0n) return null;
    if (dim.value > Number.MAX_SAFE_INTEGER) throw fail(`has the dimension ${dim.value}`);
    return Number(dim.value);
  }
}
