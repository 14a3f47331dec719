import type { Diagnostic } from '../diagnostics/index.ts';
import type { Graph, Node } from '../ir/index.ts';
import { subgraphsOf } from './captured-names.ts';
import { operatorName, type Rule } from './edit.ts';
import { GraphIndex } from './graph-index.ts';

export interface RewriteOptions {
  /** Edits after which rewriting stops with a warning. Default: 100 and 20 per node, far more than rules need. */
  readonly maxEdits?: number;
}

export interface RewriteResult {
  /** Applied edits. */
  readonly edits: number;
  /** Applied edits by rule and reason, in order of application. */
  readonly log: readonly { readonly rule: string; readonly reason: string }[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Applies the rules to the graph, and to the subgraphs in it, until none matches. Edits the graph in place. */
export function rewriteGraph(
  graph: Graph,
  rules: readonly Rule[],
  options: RewriteOptions = {},
): RewriteResult {
  const run: Run = { log: [], diagnostics: [], maxEdits: options.maxEdits ?? 100 + 20 * countNodes(graph) };
  rewriteScope(graph, undefined, rulesByOperator(rules), run);
  return { edits: run.log.length, log: run.log, diagnostics: run.diagnostics };
}

interface Run {
  readonly log: { rule: string; reason: string }[];
  readonly diagnostics: Diagnostic[];
  readonly maxEdits: number;
}

type RuleTable = ReadonlyMap<string, readonly Rule[]>;

function rewriteScope(graph: Graph, outer: GraphIndex | undefined, rules: RuleTable, run: Run): void {
  const index = new GraphIndex(graph, outer);
  // The queue follows an edit to its neighbours only; a rule that looks further gets its turn in the next round.
  while (run.log.length < run.maxEdits && rewriteRound(index, rules, run));
  index.commit();
  for (const node of graph.nodes)
    for (const subgraph of subgraphsOf(node)) rewriteScope(subgraph, index, rules, run);
}

/** Visits every node and what edits touch; true when something changed and another round may find more. */
function rewriteRound(index: GraphIndex, rules: RuleTable, run: Run): boolean {
  const before = run.log.length;
  const queue = [...index.nodes].toReversed();
  const queued = new Set(queue);
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    queued.delete(node);
    if (!index.has(node)) continue;
    const touched = applyFirst(node, index, rules, run);
    if (touched === undefined) continue;
    if (run.log.length >= run.maxEdits) {
      run.diagnostics.push(tooManyEdits(run));
      return false;
    }
    for (const next of index.has(node) ? [...touched, node] : touched) {
      if (queued.has(next)) continue;
      queued.add(next);
      queue.push(next);
    }
  }
  return run.log.length > before;
}

/** The first rule that matches wins; undefined when none does. */
function applyFirst(node: Node, index: GraphIndex, rules: RuleTable, run: Run): readonly Node[] | undefined {
  const candidates = [...(rules.get(operatorName(node)) ?? []), ...(rules.get('*') ?? [])];
  for (const rule of candidates) {
    const edit = rule.match(node, index);
    const touched = edit && index.apply(edit);
    if (edit === undefined || touched === undefined) continue;
    run.log.push({ rule: rule.name, reason: edit.reason });
    return touched;
  }
  return undefined;
}

/** Nodes of the graph and of the subgraphs in it. */
function countNodes(graph: Graph): number {
  return graph.nodes.reduce(
    (count, node) => subgraphsOf(node).reduce((sum, inner) => sum + countNodes(inner), count + 1),
    0,
  );
}

function rulesByOperator(rules: readonly Rule[]): RuleTable {
  const table = new Map<string, Rule[]>();
  for (const rule of rules) {
    for (const operator of rule.operators) {
      const entry = table.get(operator);
      if (entry === undefined) table.set(operator, [rule]);
      else entry.push(rule);
    }
  }
  return table;
}

function tooManyEdits(run: Run): Diagnostic {
  const last = [...new Set(run.log.slice(-20).map(({ rule }) => rule))].join(', ');
  return {
    severity: 'warning',
    code: 'rewrite-limit',
    message: `rewriting stopped after ${run.log.length} edits; the last ones came from ${last}`,
    hint: 'two rules probably undo each other; please report the model',
  };
}
