"""A peer to be measured: square roots of numbers with Python's own pool.

usage: peer_map.py COUNT

Prints the seconds that the map took, without the pool's start and end.
"""

import math
import sys
import time
from multiprocessing import Pool


def main():
    count = int(sys.argv[1])
    with Pool(2) as pool:
        pool.map(math.sqrt, range(100), chunksize=1)
        start = time.perf_counter()
        results = pool.map(math.sqrt, map(float, range(count)))
        seconds = time.perf_counter() - start
    assert len(results) == count
    print(seconds)


if __name__ == "__main__":
    main()
