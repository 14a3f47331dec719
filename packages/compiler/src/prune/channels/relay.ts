import { elementCount, float32Tensor, type Model } from '../../ir/index.ts';
import { inferTypes } from '../../ops/index.ts';
import type { Sample } from '../../quantize/index.ts';
import { runTogether, type CalibrationData, type Watched } from '../run-together.ts';
import { behindWaist, waistsOf } from './waists.ts';

/** A waist is passed over where what it holds for all samples, in both models, takes more. */
const WAIST_MAX_BYTES = 2 ** 28;

/**
 * Runs a model beside the one that it is made of, layer after layer. What both make of the samples at a waist is kept and the next run
 * starts there: the model may change behind what was asked for last, but not before.
 */
export class Relay {
  readonly #float: Model;
  readonly #data: CalibrationData;
  readonly #places: ReadonlyMap<string, number>;
  readonly #dims: ReadonlyMap<string, readonly number[]>;
  /** Where the next run starts, and what the models made there; undefined for the start. */
  #waist: string | undefined;
  #ofFloat: readonly Sample[];
  #ofModel: readonly Sample[];

  /** @param changing values that become smaller in the model on the way */
  constructor(float: Model, data: CalibrationData, changing: ReadonlySet<string>) {
    this.#float = float;
    this.#data = data;
    this.#ofFloat = this.#ofModel = data.samples;
    this.#places = new Map(float.graph.nodes.map(({ outputs: [value = ''] }, place) => [value, place]));
    const { types } = inferTypes(float);
    const shapes = waistsOf(float).map((waist) => [waist, types.get(waist)!.shape as number[]] as const);
    const bytes = 2 * Float32Array.BYTES_PER_ELEMENT * data.samples.length;
    this.#dims = new Map(
      shapes.filter(([waist, dims]) => !changing.has(waist) && elementCount(dims) * bytes <= WAIST_MAX_BYTES),
    );
  }

  /**
   * Hands over values of both, sample by sample.
   * @param float the model before pruning, perhaps with more outputs
   * @param model the pruned one
   */
  async run(
    float: Watched,
    model: Watched,
    visit: (values: readonly (readonly Float32Array[])[]) => void,
  ): Promise<void> {
    await this.#advance(model);
    await runTogether(
      [this.#from(float, this.#ofFloat), this.#from(model, this.#ofModel)],
      this.#data,
      visit,
    );
  }

  async #advance({ model, values }: Watched): Promise<void> {
    const placeOf = (value: string): number => this.#places.get(value) ?? Infinity;
    const waist = [...this.#dims.keys()].findLast((each) =>
      values.every((value) => placeOf(each) <= placeOf(value)),
    );
    if (waist === undefined || waist === this.#waist) return;
    const dims = this.#dims.get(waist)!;
    const made: [Sample[], Sample[]] = [[], []];
    await runTogether(
      [
        this.#from({ model: this.#float, values: [waist] }, this.#ofFloat),
        this.#from({ model, values: [waist] }, this.#ofModel),
      ],
      this.#data,
      (found) => {
        for (const [at, [value]] of found.entries())
          made[at]!.push(new Map([[waist, float32Tensor(dims, value!)]]));
      },
    );
    [this.#ofFloat, this.#ofModel] = made;
    this.#waist = waist;
  }

  #from({ model, values }: Watched, samples: readonly Sample[]): Watched {
    return { model: this.#waist === undefined ? model : behindWaist(model, this.#waist), values, samples };
  }
}
