"""How far a path agrees with the right one.

Node-F1 and Link-F1 are defined as for task graphs (X. Wu et al., Can graph learning improve planning in
LLM-based agents?, NeurIPS 2024): per request, then averaged over requests.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from itertools import pairwise


def node_f1(path: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """F1 in [0, 1] of the set of nodes; a node that stands twice counts once."""
    return set_f1(path, gold)


def link_f1(path: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """F1 in [0, 1] of the set of links, the ordered pairs of consecutive nodes."""
    return set_f1(list(pairwise(path)), list(pairwise(gold)))


def set_f1(found: Collection[Hashable], gold: Collection[Hashable]) -> float:
    """2|A ∩ B| / (|A| + |B|) of two collections as sets; 1 where both are empty."""
    own, right = set(found), set(gold)
    if not own and not right:
        return 1.0
    return 2 * len(own & right) / (len(own) + len(right))
