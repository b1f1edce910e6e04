"""Texts made by chance, of pieces that mean something and of bytes that mean nothing."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

TEXTS = int(os.environ.get("CHANCE", "300"))
"""So many are tried."""


def mixed(luck: random.Random, pieces: Sequence[bytes], share: float, longest: int, most: int) -> bytes:
    """Give fewer than `most` parts: a piece for a `share` of them, else fewer than `longest` bytes."""
    return b"".join(
        luck.choice(pieces) if luck.random() < share else luck.randbytes(luck.randrange(longest))
        for _ in range(luck.randrange(most))
    )
