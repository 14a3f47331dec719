import type { Diagnostic } from '../diagnostics/index.ts';
import type { InspectReport } from './inspect.ts';

/** MobileNetV2 has 3.5 M parameters and 0.3 G multiply-accumulates, DistilBERT 66 M and, at 128 tokens, 5.5 G. */
const MOST_PARAMETERS = 100e6;
const MOST_MACS = 8e9;

type Family = 'image' | 'text' | 'other';

const ALTERNATIVES: Readonly<Record<Family, string>> = {
  image:
    'Made for devices: MobileNetV2 or V3 and EfficientNet-Lite (classification), YOLOX-Nano, NanoDet and YOLO11n (detection), YuNet and UltraFace (faces).',
  text: 'Made for devices: MiniLM-L6 (sentence embeddings), DistilBERT, TinyBERT and MobileBERT (classification).',
  other:
    'Made for devices: DS-CNN and KWT-1 (keywords), Silero VAD (speech), MobileNet-like networks otherwise.',
};

/** Warns when a model was never meant for the edge: quantization saves a quarter, not the order of magnitude that is too much. */
export function edgeFit(
  report: Pick<InspectReport, 'parameters' | 'totals' | 'inputs'>,
): readonly Diagnostic[] {
  const { parameters, totals } = report;
  const macs = totals.macs ?? 0;
  const reasons = [
    ...(parameters > MOST_PARAMETERS ? [`${(parameters / 1e6).toFixed(0)} M parameters`] : []),
    ...(macs > MOST_MACS ? [`${(macs / 1e9).toFixed(1)} G multiply-accumulates a run`] : []),
  ];
  if (reasons.length === 0) return [];
  return [
    {
      severity: 'warning',
      code: 'not-for-the-edge',
      message: `With ${reasons.join(' and ')} this model was not made for devices; no quantization makes up for it.`,
      hint: ALTERNATIVES[familyOf(report)],
    },
  ];
}

function familyOf({ inputs }: Pick<InspectReport, 'inputs'>): Family {
  if (inputs.some(({ dtype }) => dtype === 'int64' || dtype === 'int32')) return 'text';
  return inputs.some(({ shape }) => shape?.length === 4) ? 'image' : 'other';
}
