import type { DetectionHead } from '../format/index.ts';
import type { Outputs } from '../session/session.ts';
import type { Candidate, DecodeContext } from './candidate.ts';
import { decodeFastestDet } from './heads/fastestdet.ts';
import { decodeNanodet } from './heads/nanodet.ts';
import { decodeSsd } from './heads/ssd.ts';
import { decodeUltraface } from './heads/ultraface.ts';
import { decodeYolov5 } from './heads/yolov5.ts';
import { decodeYolov8 } from './heads/yolov8.ts';
import { decodeYolox } from './heads/yolox.ts';
import { decodeYunet } from './heads/yunet.ts';

/** Boxes of a detector's outputs, not yet suppressed. `first` names the output of heads with only one. */
export function decode(
  outputs: Outputs,
  first: string,
  head: DetectionHead,
  context: DecodeContext,
): Candidate[] {
  switch (head.kind) {
    case 'yolox':
      return decodeYolox(outputs, first, head, context);
    case 'yolov5':
      return decodeYolov5(outputs, first, context);
    case 'yolov8':
      return decodeYolov8(outputs, first, context);
    case 'fastestdet':
      return decodeFastestDet(outputs, first, context);
    case 'nanodet':
      return decodeNanodet(outputs, first, head, context);
    case 'ultraface':
      return decodeUltraface(outputs, head, context);
    case 'ssd':
      return decodeSsd(outputs, head, context);
    case 'yunet':
      return decodeYunet(outputs, head, context);
  }
}
