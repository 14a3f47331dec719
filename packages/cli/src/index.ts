export { VERSION } from '@edgewise/compiler';
