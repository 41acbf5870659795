"""Reference log-mel features, computed by PyTorch's own short-time Fourier transform in float64.

Run with Debian's python3-torch; the result is committed beside this file, PyTorch is not:
    /usr/bin/python3 test/support/golden/logMel.py > test/support/golden/logMel.json
The sound is a formula, so that both sides start alike without a file of sound.
"""
import json
import math

import torch

torch.set_default_dtype(torch.float64)
CASES = {
    "window as long as its transform": dict(sampleRate=8000, window=256, hop=80, bands=12, length=700),
    "window shorter than its transform": dict(sampleRate=8000, window=200, hop=100, bands=10, length=810),
    "a range of pitch": dict(sampleRate=16000, window=400, hop=160, bands=8, length=1000, range=[300, 4000]),
}


def sound(length):
    """A tone that rises, and a linear congruential noise; rounded to float32, as the engine holds it."""
    state, values = 12345, []
    for i in range(length):
        state = (state * 48271) % 2147483647
        values.append(0.5 * math.sin(0.0004 * i * i + 0.2 * i) + 0.05 * (2 * state / 2147483647 - 1))
    return torch.tensor(values, dtype=torch.float32).double()


def filters(size, rate, bands, low, high):
    """Triangles over frequency whose corners are evenly spaced in mel."""
    to_mel = lambda hertz: 2595 * math.log10(1 + hertz / 700)
    corners = torch.linspace(to_mel(low), to_mel(high), bands + 2)
    corners = 700 * (10 ** (corners / 2595) - 1)
    slopes = corners[None, :] - torch.linspace(0, rate / 2, size // 2 + 1)[:, None]
    widths = corners.diff()
    down, up = -slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]
    return torch.minimum(down, up).clamp(min=0)


def log_mel(sampleRate, window, hop, bands, length, range=None):
    size = 2 ** math.ceil(math.log2(window))
    spectrum = torch.stft(
        sound(length), size, hop, window, torch.hann_window(window), center=True, return_complex=True
    )
    low, high = range or (0, sampleRate / 2)
    power = filters(size, sampleRate, bands, low, high).T @ spectrum.abs() ** 2
    return power.clamp(min=1e-10).log()


def case(config):
    features = log_mel(**config)
    return {"config": config, "shape": list(features.shape), "features": [round(v, 7) for v in features.flatten().tolist()]}


print(json.dumps({name: case(config) for name, config in CASES.items()}))
