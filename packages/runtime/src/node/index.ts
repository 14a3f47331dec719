export { VERSION } from '../index.ts';
