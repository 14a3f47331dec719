import { CompilerError } from '../diagnostics/index.ts';
import { elementCount, type Dim } from '../ir/index.ts';
import { asNumbers, stridedIndex, stridesOf } from './indexing.ts';
import { firstDtype, shapeOf, tensorType } from './inference.ts';
import { fromNumbers, type NdArray } from './nd-array.ts';
import type { NodeContext, OpDefinition } from './op-definition.ts';

/** One letter per axis. */
type Letters = readonly string[];

interface Equation {
  readonly terms: readonly Letters[];
  readonly output: Letters;
}

/** Reads `ij,jk->ik`; without an arrow the letters that occur once are the output, in alphabetical order. */
function parseEquation({ attributes, node }: NodeContext): Equation {
  const text = attributes.string('equation').replaceAll(/\s/g, '');
  const [left = '', right] = text.split('->');
  const terms = left.split(',').map((term) => term.split(''));
  const letters = terms.flat();
  const once = new Set(
    letters.filter((letter, i) => !letters.includes(letter, i + 1) && letters.indexOf(letter) === i),
  );
  const output = right?.split('') ?? [...once].toSorted();
  const sound = /^[A-Za-z,]*$/.test(left) && output.every((letter) => letters.includes(letter));
  if (sound && terms.length === node.inputs.length) return { terms, output };
  throw new CompilerError('unsupported', `Einsum with the equation "${text}" is not supported.`, {
    hint: 'Equations of single letters are; an ellipsis is not.',
  });
}

/** The extent of every letter; the first operand that has it decides. */
function extentsOf<D extends Dim>(
  terms: readonly Letters[],
  shapes: readonly (readonly D[])[],
): Map<string, D> {
  const extents = new Map<string, D>();
  for (const [index, term] of terms.entries()) {
    for (const [axis, letter] of term.entries()) {
      const dim = shapes[index]?.[axis];
      if (dim !== undefined && (!extents.has(letter) || extents.get(letter) === 1)) extents.set(letter, dim);
    }
  }
  return extents;
}

/** Strides of an operand along the letters; a letter that it has twice (a diagonal) steps along both axes. */
function letterStrides(array: NdArray, term: Letters, letters: Letters): number[] {
  const strides = stridesOf(array.dims);
  return letters.map((letter) =>
    term.reduce((sum, own, axis) => {
      const steps = own === letter && array.dims[axis] !== 1;
      return steps ? sum + (strides[axis] as number) : sum;
    }, 0),
  );
}

const einsum: OpDefinition = {
  domain: '',
  opType: 'Einsum',
  since: 12,
  inputs: [1, Infinity],
  infer(context) {
    const { terms, output } = parseEquation(context);
    const extents = extentsOf(
      terms,
      terms.map((_, index) => shapeOf(context, index) ?? []),
    );
    return [
      tensorType(
        firstDtype(context),
        output.map((letter) => extents.get(letter) ?? null),
      ),
    ];
  },
  evaluate(context) {
    const { terms, output } = parseEquation(context);
    const arrays = terms.map((_, index) => context.input(index));
    const extents = extentsOf(
      terms,
      arrays.map((array) => array.dims),
    );
    const summed = [...extents.keys()].filter((letter) => !output.includes(letter));
    const extentOf = (letter: string): number => extents.get(letter) as number;
    const [outer, inner] = [output.map(extentOf), summed.map(extentOf)];
    const bases = arrays.map((array, i) =>
      stridedIndex(outer, letterStrides(array, terms[i] as Letters, output)),
    );
    const steps = arrays.map((array, i) =>
      stridedIndex(inner, letterStrides(array, terms[i] as Letters, summed)),
    );
    const data = arrays.map(asNumbers);
    const out = new Float64Array(elementCount(outer));
    for (let o = 0; o < out.length; o++) {
      let sum = 0;
      for (let s = 0; s < elementCount(inner); s++) {
        let product = 1;
        for (let i = 0; i < data.length; i++) {
          product *= data[i]?.[(bases[i]?.[o] as number) + (steps[i]?.[s] as number)] as number;
        }
        sum += product;
      }
      out[o] = sum;
    }
    return [fromNumbers((arrays[0] as NdArray).dtype, outer, out)];
  },
  macs(context) {
    const { terms } = parseEquation(context);
    const extents = extentsOf(
      terms,
      context.inputs.map((input) => input?.dims ?? []),
    );
    return elementCount([...extents.values()]);
  },
};

/** Sums of products over named axes. */
export const einsumOps: readonly OpDefinition[] = [einsum];
