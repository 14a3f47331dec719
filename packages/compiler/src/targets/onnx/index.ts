export { EXPAND_EDGEWISE_DEFAULTS, expandEdgewise } from './expand-edgewise.ts';
export type { ExpandEdgewiseOptions } from './expand-edgewise.ts';
