import { describe, expect, it } from 'vitest';
import { table } from '../../test/search-table.ts';
import { CompilerError } from '../diagnostics/index.ts';
import { searchBudget, type SearchOptions } from './search-budget.ts';

describe('searchBudget', () => {
  it('measures all against candidate 0 and hands over the chosen artifact', async () => {
    const log: string[] = [];
    const result = await searchBudget(table(log));
    expect(result.chosen).toBe('<int8>');
    expect(result.candidates.map(({ recipe, meetsBudget }) => [recipe.name, meetsBudget])).toEqual([
      ['original', true],
      ['float', true],
      ['int8', true],
      ['slow8', false],
      ['int4', false],
    ]);
    expect(log.slice(0, 4)).toEqual([
      'build original',
      'measure original against nothing',
      'build float',
      'measure float against 0.8',
    ]);
  });

  it('never ships candidate 0', async () => {
    const result = await searchBudget(table([], { budget: { downloadBytes: 1 } }));
    expect(result.choice).toMatchObject({ met: false, name: 'int4' });
  });

  it('keeps predictions in the cache, and nothing that belongs to a time', async () => {
    const store = new Map<string, unknown>([['int4', 'damaged']]);
    const written: string[] = [];
    const cache = {
      get: (key: string) => Promise.resolve(store.get(key)),
      set: (key: string, value: unknown) => {
        written.push(key);
        return Promise.resolve(void store.set(key, value));
      },
    };
    const controller = new AbortController();
    const onEvent: SearchOptions<string>['onEvent'] = (event) => {
      if (event.type === 'measured' && event.recipe === 'int8') controller.abort(new Error('stopped'));
    };
    const interrupted = searchBudget(table([], { cache, signal: controller.signal, onEvent }));
    await expect(interrupted).rejects.toThrow('stopped');
    const log: string[] = [];
    const result = await searchBudget(table(log, { cache }));
    expect(log.filter((line) => line.startsWith('measure'))).toEqual([
      'measure original against nothing, knowing 1 0',
      'measure float against 0.8, knowing 1 0',
      'measure int8 against 0.8, knowing 1 0',
      'measure slow8 against 0.8',
      'measure int4 against 0.8',
    ]);
    expect(result.choice.name).toBe('int8');
    expect(written).toEqual(['original', 'float', 'int8', 'slow8', 'int4']);
    for (const value of store.values()) expect(value).toEqual([1, 0]);
  });

  it('goes on without a recipe that this model refuses, but not without candidate 0', async () => {
    const refuse = (refused: string): Partial<SearchOptions<string>> => ({
      build: ({ name }) => {
        if (name === refused) throw new CompilerError('unsupported', `no ${name}`);
        return Promise.resolve({ artifact: name, contentHash: name, shippable: name !== 'original' });
      },
    });
    const result = await searchBudget(table([], refuse('int8')));
    expect(result.refused.map(({ recipe, error }) => [recipe.name, error.message])).toEqual([
      ['int8', 'no int8'],
    ]);
    expect(result.choice.name).toBe('float');
    await expect(searchBudget(table([], refuse('original')))).rejects.toThrow('no original');
  });

  it('measures what two recipes make alike once', async () => {
    const log: string[] = [];
    const build: SearchOptions<string>['build'] = ({ name }) => {
      const contentHash = name === 'slow8' ? 'int8' : name;
      return Promise.resolve({ artifact: name, contentHash, shippable: name !== 'original' });
    };
    const { candidates, refused } = await searchBudget(table(log, { build }));
    expect(candidates.map(({ recipe }) => recipe.name)).toEqual(['original', 'float', 'int8', 'int4']);
    expect(refused.map(({ recipe, error }) => [recipe.name, error.message])).toEqual([
      ['slow8', 'the same candidate as int8'],
    ]);
    expect(log.join()).not.toContain('measure slow8');
  });
});
