"""Response-time histograms with logarithmic buckets, three per octave.

Two histograms merge by addition, and percentiles are accurate to a few percent. Bucket i counts values in
(FIRST_MS * GROWTH**(i-1), FIRST_MS * GROWTH**i] milliseconds; the first also counts all lower values, the last all higher.
"""

import math
from collections.abc import Sequence

FIRST_MS = 0.5
GROWTH = 2 ** (1 / 3)
#: The last bound is above the longest check, 300 s.
BUCKETS = 60
_LOG_GROWTH = math.log(GROWTH)


def bucket(milliseconds: float) -> int:
    """Return the 0-based bucket of a response time."""
    if milliseconds <= FIRST_MS:
        return 0
    return min(BUCKETS - 1, math.ceil(math.log(milliseconds / FIRST_MS) / _LOG_GROWTH - 1e-9))


def upper_bound(index: int) -> float:
    """Return the highest response time that bucket `index` counts, in milliseconds."""
    return float(FIRST_MS * GROWTH**index)


def percentile(histogram: Sequence[int], fraction: float) -> float | None:
    """Return the response time in milliseconds below which `fraction` (0 to 1) of the values lie; None if there are none.

    The value is interpolated on the logarithmic scale within its bucket.
    """
    total = sum(histogram)
    if not total:
        return None
    wanted = fraction * total
    seen = 0
    for index, count in enumerate(histogram):
        if count and seen + count >= wanted:
            inside = (wanted - seen) / count
            return float(upper_bound(index) / GROWTH ** (1 - inside))
        seen += count
    return upper_bound(BUCKETS - 1)
