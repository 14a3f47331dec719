import type { ConvNetPart, EncoderPart } from '@edgewise/compiler';

export type Prunable = EncoderPart | ConvNetPart;

/** What the compiler can prune, and of what kind of model, without loading the compiler for a help text. */
const ENCODERS: Readonly<Record<EncoderPart, true>> = {
  vocabulary: true,
  layers: true,
  heads: true,
  neurons: true,
};
const CONV_NETS: Readonly<Record<ConvNetPart, true>> = { channels: true };

export const ENCODER_PARTS: readonly EncoderPart[] = Object.keys(ENCODERS) as EncoderPart[];
export const CONV_NET_PARTS: readonly ConvNetPart[] = Object.keys(CONV_NETS) as ConvNetPart[];
export const PRUNABLE_NAMES: readonly Prunable[] = [...ENCODER_PARTS, ...CONV_NET_PARTS];
