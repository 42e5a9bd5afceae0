"""π by Monte Carlo: an item is a seed, its result an estimate from a hundred
thousand points. The mean of many is better than each; see `mean`."""

import random
import sys

POINTS = 100_000


def estimate(seed):
    """How many of the points fall into the quarter of a circle, times four."""
    points = random.Random(seed)
    inside = 0
    for _ in range(POINTS):
        x, y = points.random(), points.random()
        inside += x * x + y * y <= 1.0
    return 4.0 * inside / POINTS


def mean(lines):
    """The mean of the second column: what `coordinator` writes, put together."""
    values = [float(line.split("\t")[1]) for line in lines]
    return sum(values) / len(values)


if __name__ == "__main__":
    print(mean(sys.stdin))
