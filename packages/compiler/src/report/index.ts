export { compareOutputs, compareTensors, type TensorDifference } from './diff.ts';
export { edgeFit } from './edge-fit.ts';
export {
  inspectModel,
  type BytesReport,
  type InspectOptions,
  type InspectReport,
  type NodeReport,
  type OperatorReport,
  type ValueReport,
} from './inspect.ts';
export { DEVICE_PROFILES, roofline } from './roofline.ts';
export type { DeviceProfile, RooflineReport } from './roofline.ts';
export { separableConvolutions } from './separable-convolutions.ts';
export type { SeparableReport } from './separable-convolutions.ts';
