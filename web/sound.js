// Sounds, if switched on: synthesised, so nothing is loaded.

import { preferences } from './preferences.js';

let context = null;

// Frequency in hertz, length in seconds, loudness from 0 to 1, and the shape of the wave.
const SOUNDS = {
  key: [[1_800, 0.02, 0.04, 'triangle']],
  slip: [[140, 0.09, 0.12, 'square']],
  go: [[660, 0.12, 0.15, 'sine'], [990, 0.25, 0.15, 'sine']],
  done: [[523, 0.12, 0.15, 'sine'], [659, 0.12, 0.15, 'sine'], [784, 0.3, 0.15, 'sine']],
};

export function play(name) {
  if (!preferences().sounds || typeof AudioContext === 'undefined') return;
  context ??= new AudioContext();
  // Browsers keep a page silent until the first interaction.
  if (context.state === 'suspended') context.resume().catch(() => {});
  let at = context.currentTime;
  for (const [frequency, length, loudness, type] of SOUNDS[name]) {
    const wave = new OscillatorNode(context, { frequency, type });
    const volume = new GainNode(context, { gain: loudness });
    volume.gain.exponentialRampToValueAtTime(0.0001, at + length);
    wave.connect(volume).connect(context.destination);
    wave.start(at);
    wave.stop(at + length);
    at += length;
  }
}
