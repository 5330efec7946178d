"""Colours as eyes see them: contrast, colour blindness, and how far apart two of them are.

Contrast as WCAG 2.2 defines it; colour blindness by the matrices of Machado, Oliveira and Fernandes
(2009), "A physiologically-based model for simulation of color vision deficiency", at full severity;
differences by CIEDE2000 (Sharma, Wu and Dalal 2005).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Linear = NDArray[np.float64]

# How linear RGB is seen without the long-, the middle- and the short-wave cones.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]),
    "deuteranopia": np.array([
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]),
    "tritanopia": np.array([
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ]),
}  # fmt: skip

_TO_XYZ = np.array([
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
])  # fmt: skip
_WHITE = np.array([0.95047, 1.0, 1.08883])


def rgb(colour: str) -> Linear:
    """The parts of #rrggbb, from 0 to 1, as they are written."""
    return np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])


def linear(parts: Linear) -> Linear:
    """From parts as they are written to amounts of light."""
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def mixed(colour: str, share: float, ground: Linear) -> Linear:
    """What a colour of this opacity gives on a ground, as browsers mix them."""
    return share * rgb(colour) + (1 - share) * ground


def contrast(one: Linear, other: Linear) -> float:
    """The ratio of two colours' luminances, from 1 to 21."""
    dark, light = sorted(float(linear(c) @ _TO_XYZ[1]) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def seen(colour: str, blindness: str) -> Linear:
    """A colour in CIELAB, as it is seen."""
    light = np.clip(BLINDNESS[blindness] @ linear(rgb(colour)), 0, 1)
    x, y, z = (_TO_XYZ @ light) / _WHITE
    fx, fy, fz = (np.cbrt(t) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def difference(one: Linear, other: Linear) -> float:
    """CIEDE2000: about 1 is just noticeable side by side, and black to white is 100."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - np.sqrt(mean7 / (mean7 + 25**7)))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (
        np.degrees(np.arctan2(b, stretch * a)) % 360 if c else 0.0
        for a, b, c in ((a1, b1, c1), (a2, b2, c2))
    )
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    angle = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = 1 - 0.17 * _cos(angle - 30) + 0.24 * _cos(2 * angle)
    t += 0.32 * _cos(3 * angle + 6) - 0.20 * _cos(4 * angle - 63)
    away = (lightness - 50) ** 2
    s_l = 1 + 0.015 * away / np.sqrt(20 + away)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    twist = np.radians(60 * np.exp(-(((angle - 275) / 25) ** 2)))
    r_t = -2 * np.sqrt(chroma**7 / (chroma**7 + 25**7)) * np.sin(twist)
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, hue / s_h
    return float(np.sqrt(d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h))


def _cos(degrees: float) -> float:
    return float(np.cos(np.radians(degrees)))
