"""Records librosa's mel spectrograms and cepstral coefficients of noise, for packages/runtime/src/audio.

    python oracles/audio_features.py OUT

The clip's samples are (floor(256 * mulberry32(seed)) - 128) / 128; packages/test-utils has the same generator. OUT (JSON):
{"versions", "cases": [{"seed", "samples", "sampleRate", "features": as in the manifest, "shape", "values"}]}.
"""

import argparse
import json

import librosa
import numpy as np
import scipy

from image_resize import mulberry32

BASE = dict(
    frameLength=400, frameStep=160, fftSize=512, window="hann", spectrum="power",
    mel=dict(bands=20, low=0, high=8000, scale="slaney", triangles="hertz", normalization="area"),
    log=dict(base="decibel", floor=1e-10, floorMode="max"), layout="bands-frames",
)
CASES = [
    {},
    dict(padding="reflect"),
    dict(fftSize=400, padding="reflect", log=dict(base="10", floor=1e-10, floorMode="max")),
    dict(frameLength=325, fftSize=325, window="hamming", spectrum="magnitude", layout="frames-bands"),
    dict(window="hann-symmetric", mel=dict(bands=24, low=20, high=7600, scale="htk", triangles="hertz", normalization="none")),
    dict(window="hamming-symmetric", frameLength=401, log=dict(base="e", floor=1e-6, floorMode="add"), mean=-4.5, std=2.25),
    dict(padding="reflect", window="rectangular", dct=dict(coefficients=13, scaling="orthonormal")),
]


def librosa_features(samples, rate, f):
    name = f["window"].split("-")[0]
    window = scipy.signal.get_window({"rectangular": "boxcar"}.get(name, name), f["frameLength"], fftbins="-" not in f["window"])
    center, mel, log = f.get("padding") == "reflect", f["mel"], f["log"]
    # Without centring librosa's frames are as long as the transform; ours as long as the window.
    extra = 0 if center else f["fftSize"] - f["frameLength"]
    padded = window if center else np.pad(window, (0, extra))
    spectrum = np.abs(librosa.stft(
        np.pad(samples, (0, extra)), n_fft=f["fftSize"], hop_length=f["frameStep"], win_length=len(padded),
        window=padded, center=center, pad_mode="reflect", dtype=np.complex128))
    if f["spectrum"] == "power":
        spectrum = spectrum**2
    bank = librosa.filters.mel(
        sr=rate, n_fft=f["fftSize"], n_mels=mel["bands"], fmin=mel["low"], fmax=mel["high"], htk=mel["scale"] == "htk",
        norm="slaney" if mel["normalization"] == "area" else None, dtype=np.float64)
    values = bank @ spectrum
    values = values + log["floor"] if log["floorMode"] == "add" else np.maximum(values, log["floor"])
    values = {"e": np.log, "10": np.log10, "decibel": lambda x: 10 * np.log10(x)}[log["base"]](values)
    if "dct" in f:
        values = scipy.fft.dct(values, axis=0, type=2, norm="ortho")[: f["dct"]["coefficients"]]
    values = (values - f.get("mean", 0)) / f.get("std", 1)
    return values.T if f["layout"] == "frames-bands" else values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    cases = []
    for seed, changes in enumerate(CASES, 1):
        features, samples, rate = {**BASE, **changes}, 1600, 16000
        noise = (mulberry32(seed, samples).astype(np.float64) - 128) / 128
        values = librosa_features(noise, rate, features)
        cases.append(dict(
            seed=seed, samples=samples, sampleRate=rate, features=features, shape=list(values.shape),
            values=[float(f"{x:.9g}") for x in values.ravel()]))
    versions = dict(librosa=librosa.__version__, numpy=np.__version__, scipy=scipy.__version__)
    with open(parser.parse_args().out, "w") as file:
        json.dump(dict(versions=versions, cases=cases), file)


if __name__ == "__main__":
    main()
