"""Response-time histograms: logarithmic buckets, three to an octave, so that sums merge and percentiles stay within a few percent.

Bucket i counts values in (FIRST_MS * GROWTH**(i-1), FIRST_MS * GROWTH**i] milliseconds; the first takes all below it, the
last all above. Merging two histograms is adding them.
"""

import math
from collections.abc import Sequence

FIRST_MS = 0.5
GROWTH = 2 ** (1 / 3)
#: The last bound lies above the longest check, 300 s.
BUCKETS = 60
_LOG_GROWTH = math.log(GROWTH)


def bucket(milliseconds: float) -> int:
    """The 0-based bucket of one response time."""
    if milliseconds <= FIRST_MS:
        return 0
    return min(BUCKETS - 1, math.ceil(math.log(milliseconds / FIRST_MS) / _LOG_GROWTH - 1e-9))


def upper_bound(index: int) -> float:
    """The highest response time that bucket `index` counts, in milliseconds."""
    return float(FIRST_MS * GROWTH**index)


def percentile(histogram: Sequence[int], fraction: float) -> float | None:
    """The response time in milliseconds below which `fraction` (0 to 1) of the counted ones lie; None where none was counted.

    Interpolated on the logarithmic scale inside the bucket that holds it.
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
