import process from 'node:process';
import { VERSION } from './index.ts';

process.stdout.write(`edgewise ${VERSION}\n`);
