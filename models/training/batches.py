"""Batches of windows as tensors."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from models.training.encode import UNKNOWN, Example


class Batch(NamedTuple):
    """Tensors for the network and its loss; n sentences in all.

    ``span_ends`` holds for each sentence the flattened positions of source start and end, cue
    start and end, or -1 where unknown (n, 4).
    """

    ids: Tensor
    mask: Tensor
    owner: Tensor
    markers: Tensor
    allowed: Tensor
    teacher: Tensor
    weights: Tensor
    span_ends: Tensor


def collate(rows: Sequence[Example]) -> Batch:
    """Pad windows to the longest of them and gather their sentences' targets."""
    length = max(len(row.window.ids) for row in rows)
    total = sum(len(row.window.pieces) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    owner = torch.full((len(rows), length), total, dtype=torch.long)
    markers: list[int] = []
    ends: list[list[int]] = []
    allowed, teacher, weights = [], [], []
    for y, row in enumerate(rows):
        size = len(row.window.ids)
        ids[y, :size] = torch.tensor(row.window.ids)
        mask[y, :size] = 1
        for piece in row.window.pieces:
            owner[y, piece.first : piece.last] = len(markers)
            target = row.article.targets[piece.segment]
            markers.append(y * length + piece.first)
            allowed.append(target.allowed)
            teacher.append(target.teacher)
            weights.append(target.weight)
            whole = piece.offset == 0 and piece.last - piece.first - 1 == len(
                row.article.segments[piece.segment]
            )
            base = y * length + piece.first
            ends.extend(
                [-1, -1] if span == UNKNOWN else [base + span[0], base + span[1]]
                for span in ((target.source, target.cue) if whole else (UNKNOWN, UNKNOWN))
            )
    return Batch(
        ids,
        mask,
        owner,
        torch.tensor(markers),
        torch.tensor(allowed),
        torch.tensor(teacher),
        torch.tensor(weights),
        torch.tensor(ends).reshape(-1, 4),
    )


def shuffled(rows: list[Example], size: int, rng: random.Random) -> list[list[Example]]:
    """Batches of windows of like length, in random order."""
    rng.shuffle(rows)
    pools = [rows[i : i + 32 * size] for i in range(0, len(rows), 32 * size)]
    batches = []
    for pool in pools:
        pool.sort(key=lambda row: len(row.window.ids))
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    rng.shuffle(batches)
    return batches
