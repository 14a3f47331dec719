import type { DetectionHead } from '../format/index.ts';
import type { Outputs } from '../session/session.ts';
import type { Candidate, DecodeContext } from './candidate.ts';
import { decodeFastestDet } from './heads/fastestdet.ts';
import { decodeNanodet } from './heads/nanodet.ts';
import { decodeRows } from './heads/rows.ts';
import { decodeSsd } from './heads/ssd.ts';
import { decodeUltraface } from './heads/ultraface.ts';
import { decodeYolov5 } from './heads/yolov5.ts';
import { decodeYolov8 } from './heads/yolov8.ts';
import { decodeYolox } from './heads/yolox.ts';
import { decodeYunet } from './heads/yunet.ts';

type Decode<Head> = (outputs: Outputs, context: DecodeContext, head: Head) => Candidate[];

const DECODERS: {
  readonly [Kind in DetectionHead['kind']]: Decode<Extract<DetectionHead, { readonly kind: Kind }>>;
} = {
  yolox: decodeYolox,
  yolov5: decodeYolov5,
  yolov8: decodeYolov8,
  fastestdet: decodeFastestDet,
  nanodet: decodeNanodet,
  ultraface: decodeUltraface,
  ssd: decodeSsd,
  yunet: decodeYunet,
  rows: decodeRows,
};

/** Boxes of a detector's outputs, not yet suppressed. */
export function decode(outputs: Outputs, head: DetectionHead, context: DecodeContext): Candidate[] {
  return (DECODERS[head.kind] as Decode<DetectionHead>)(outputs, context, head);
}
