// Runs beside the microphone and hands its samples to the page.

class Microphone extends AudioWorkletProcessor {
  process([channels]) {
    if (channels?.[0]) this.port.postMessage(channels[0].slice());
    return true;
  }
}

registerProcessor('microphone', Microphone);
