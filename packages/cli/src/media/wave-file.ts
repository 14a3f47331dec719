// oxlint-disable-next-line import/default -- Node loads the CommonJS file, whose exports are the default one
import wavefile from 'wavefile';

export const WaveFile: typeof wavefile.WaveFile = wavefile.WaveFile;
