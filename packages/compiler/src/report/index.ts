export { compareOutputs, compareTensors, type TensorDifference } from './diff.ts';
export {
  inspectModel,
  type BytesReport,
  type InspectOptions,
  type InspectReport,
  type NodeReport,
  type OperatorReport,
  type ValueReport,
} from './inspect.ts';
