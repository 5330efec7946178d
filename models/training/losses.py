"""The loss: classes that the annotation leaves open, and ends of spans."""

from __future__ import annotations

import torch
from torch import Tensor

from models.training.batches import Batch
from service.network import Logits


def class_loss(
    logits: Tensor, allowed: Tensor, teacher: Tensor, weights: Tensor, smoothing: float
) -> Tensor:
    """Weighted mean of the negative log-probability of the admitted classes together.

    With one class admitted this is cross-entropy; with several it is the partial-label loss of
    Jin & Ghahramani (2002, Learning with multiple labels). Label smoothing (Szegedy et al. 2016)
    applies where one class is admitted. Where a teacher gave probabilities, it is the cross-entropy
    with those instead (Hinton et al. 2015, Distilling the knowledge in a neural network, at
    temperature 1).
    """
    log_p = logits.log_softmax(dim=1)
    partial = -(log_p + allowed.log()).logsumexp(dim=1)
    single = allowed.sum(dim=1) == 1
    smooth = torch.where(single, -log_p.mean(dim=1), partial)
    losses = (1 - smoothing) * partial + smoothing * smooth
    taught = teacher.sum(dim=1) > 0
    losses = torch.where(taught, -(teacher * log_p).sum(dim=1), losses)
    known = weights * (taught | (allowed.sum(dim=1) < allowed.shape[1]))
    return (losses * known).sum() / known.sum().clamp(min=1e-6)


def span_loss(span_ends: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy of each span end over the tokens of its sentence, the marker included."""
    scores = span_ends.flatten(0, 1)
    owner, count = batch.owner.flatten(), len(batch.markers)
    peak = scores.new_full((count + 1, 4), -torch.inf).scatter_reduce(
        0, owner.unsqueeze(1).expand(-1, 4), scores.detach(), "amax"
    )
    sums = scores.new_zeros(count + 1, 4).index_add(0, owner, (scores - peak[owner]).exp())
    normaliser = sums[:count].clamp(min=1e-30).log() + peak[:count]
    known = batch.span_ends >= 0
    picked = scores.gather(0, batch.span_ends.clamp(min=0))
    losses = (normaliser - picked)[known]
    return losses.mean() if losses.numel() else scores.sum() * 0


def total_loss(logits: Logits, batch: Batch, *, smoothing: float, span_weight: float) -> Tensor:
    """Sum of both losses."""
    classes = class_loss(logits.classes, batch.allowed, batch.teacher, batch.weights, smoothing)
    return classes + span_weight * span_loss(logits.span_ends, batch)
