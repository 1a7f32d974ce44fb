"""Kernels of the exemplar fill."""

from typing import Any, Final

import numpy as np

from pochoir.animation._compiling import compiled

RADIUS: Final = 3
"""Patches reach so many pixels to each side of their centre."""


@compiled
def refine(picture: Any, allowed: Any, targets: Any, matches: Any, costs: Any, row_weight: Any, reach: int) -> None:
    """Move each match to the best source within ``reach`` pixels, in place, and fill in its cost."""
    height, width = allowed.shape
    for n in range(targets.shape[0]):
        y, x = targets[n, 0], targets[n, 1]
        at_y, at_x = matches[n, 0], matches[n, 1]
        least = np.float32(1e30)
        best_y, best_x = -1, -1
        span = reach
        while best_y < 0:  # widen the search where the carried match is not a source
            for dy in range(-span, span + 1):
                for dx in range(-span, span + 1):
                    sy, sx = at_y + dy, at_x + dx
                    if sy < 0 or sx < 0 or sy >= height or sx >= width or not allowed[sy, sx]:
                        continue
                    cost = _difference(picture, y, x, sy, sx, row_weight * (y - sy) ** 2, least)
                    if cost < least:
                        least, best_y, best_x = cost, sy, sx
            span = 2 * span + 2
        matches[n, 0], matches[n, 1], costs[n] = best_y, best_x, least


@compiled
def _difference(picture: Any, y: int, x: int, sy: int, sx: int, start: Any, least: Any) -> Any:
    total = np.float32(start)
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            for c in range(3):
                d = picture[y + dy, x + dx, c] - picture[sy + dy, sx + dx, c]
                total += d * d
        if total >= least:
            return total
    return total


@compiled
def vote(
    picture: Any, base: Any, hole: Any, targets: Any, matches: Any, costs: Any, confidence: Any, spread_of_costs: float
) -> None:
    """Set each pixel of the hole to the weighted mean of what the patches over it say."""
    height, width = hole.shape
    total = np.zeros((height, width, 4), np.float32)
    for n in range(targets.shape[0]):
        y, x, sy, sx = targets[n, 0], targets[n, 1], matches[n, 0], matches[n, 1]
        weight = max(np.exp(-costs[n] / (2 * spread_of_costs)), 1e-12) * confidence[y, x]
        for dy in range(-RADIUS, RADIUS + 1):
            for dx in range(-RADIUS, RADIUS + 1):
                if hole[y + dy, x + dx]:
                    for c in range(3):
                        total[y + dy, x + dx, c] += weight * base[sy + dy, sx + dx, c]
                    total[y + dy, x + dx, 3] += weight
    for y in range(height):
        for x in range(width):
            if hole[y, x] and total[y, x, 3] > 0:
                for c in range(3):
                    picture[y, x, c] = total[y, x, c] / total[y, x, 3]


@compiled
def vote_gradients(gradients: Any, base: Any, targets: Any, matches: Any, confidence: Any) -> None:
    """Fill in the mean difference to the right and the lower neighbour that the patches over each pixel show."""
    total = np.zeros(gradients.shape[:3], np.float32)
    for n in range(targets.shape[0]):
        y, x, sy, sx = targets[n, 0], targets[n, 1], matches[n, 0], matches[n, 1]
        weight = confidence[y, x]
        for dy in range(-RADIUS, RADIUS + 1):
            for dx in range(-RADIUS, RADIUS + 1):
                at_y, at_x, from_y, from_x = y + dy, x + dx, sy + dy, sx + dx
                if dx < RADIUS:
                    _add_step(gradients[at_y, at_x, 0], base[from_y, from_x], base[from_y, from_x + 1], weight)
                    total[at_y, at_x, 0] += weight
                if dy < RADIUS:
                    _add_step(gradients[at_y, at_x, 1], base[from_y, from_x], base[from_y + 1, from_x], weight)
                    total[at_y, at_x, 1] += weight
    for y in range(gradients.shape[0]):
        for x in range(gradients.shape[1]):
            for k in range(2):
                if total[y, x, k] > 0:
                    gradients[y, x, k] /= total[y, x, k]


@compiled
def _add_step(gradient: Any, here: Any, there: Any, weight: Any) -> None:
    for c in range(3):
        gradient[c] += weight * (there[c] - here[c])


@compiled
def relax(picture: Any, votes: Any, hole: Any, gradients: Any, pull: Any, rounds: int) -> None:
    """Solve the screened Poisson equation inside the hole by successive over-relaxation, in place."""
    height, width = hole.shape
    for _ in range(rounds):
        for y in range(height):
            for x in range(width):
                if not hole[y, x]:
                    continue
                for c in range(3):
                    total, count = pull * votes[y, x, c], pull
                    if x + 1 < width:
                        total += picture[y, x + 1, c] - gradients[y, x, 0, c]
                        count += np.float32(1.0)
                    if x > 0:
                        total += picture[y, x - 1, c] + gradients[y, x - 1, 0, c]
                        count += np.float32(1.0)
                    if y + 1 < height:
                        total += picture[y + 1, x, c] - gradients[y, x, 1, c]
                        count += np.float32(1.0)
                    if y > 0:
                        total += picture[y - 1, x, c] + gradients[y - 1, x, 1, c]
                        count += np.float32(1.0)
                    picture[y, x, c] += np.float32(1.7) * (total / count - picture[y, x, c])
