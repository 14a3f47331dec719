import {
  edgeFit,
  roofline,
  separableConvolutions,
  type Diagnostic,
  type InspectReport,
  type Model,
  type RooflineReport,
  type SeparableReport,
} from '@edgewise/compiler';
import { formatMs, formatPercent } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

/** What `inspect` tells people who design models. */
export interface Design {
  /** Ordinary convolutions, dearest first. */
  readonly separable: readonly SeparableReport[];
  readonly roofline: readonly RooflineReport[];
  readonly advice: readonly Diagnostic[];
}

/** Rows without --verbose. */
const CONVOLUTIONS_SHOWN = 6;

export function designOf(model: Model, report: InspectReport, bindings: ReadonlyMap<string, number>): Design {
  return {
    separable: separableConvolutions(model, bindings).toSorted((a, b) => (b.macs ?? 0) - (a.macs ?? 0)),
    roofline: roofline(report),
    advice: edgeFit(report),
  };
}

export function designText({ separable, roofline: devices, advice }: Design, verbose: boolean): string {
  return [
    ...(separable.length > 0 ? [separableTable(separable, verbose)] : []),
    renderTable(
      [
        { title: 'device, at best' },
        { title: 'float32', align: 'right' },
        { title: 'int8', align: 'right' },
        { title: 'peaks of' },
      ],
      devices.map(({ device, float32Ms, int8Ms, source }) => [
        device,
        timeText(float32Ms),
        timeText(int8Ms),
        source,
      ]),
    ),
    ...advice.map(({ message, hint = '' }) => `! ${message}\n  ${hint}\n`),
  ].join('\n');
}

function separableTable(separable: readonly SeparableReport[], verbose: boolean): string {
  const shown = verbose ? separable : separable.slice(0, CONVOLUTIONS_SHOWN);
  return renderTable(
    [
      { title: 'ordinary convolution' },
      { title: 'parameters', align: 'right' },
      { title: 'if separable', align: 'right' },
      { title: 'MACs', align: 'right' },
      { title: 'if separable', align: 'right' },
      { title: 'saves', align: 'right' },
    ],
    shown.map(({ node, parameters, separableParameters, macs, separableMacs }) => [
      node,
      parameters.toLocaleString('en'),
      separableParameters.toLocaleString('en'),
      macText(macs),
      macText(separableMacs),
      formatPercent(1 - separableParameters / parameters),
    ]),
  );
}

function macText(macs: number | null): string {
  return macs === null ? '?' : `${(macs / 1e6).toFixed(2)} M`;
}

function timeText(ms: number | null): string {
  return ms === null ? '?' : formatMs(ms);
}
