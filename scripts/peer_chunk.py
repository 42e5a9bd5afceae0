"""A peer to be measured: one trivial item a message with Python's own pool.

usage: peer_chunk.py COUNT

Prints the seconds that the map took, without the pool's start and end.
"""

import sys
import time
from multiprocessing import Pool


def same(item):
    return item


def main():
    items = [str(number) for number in range(int(sys.argv[1]))]
    with Pool(2) as pool:
        pool.map(same, items[:100], chunksize=1)
        start = time.perf_counter()
        results = pool.map(same, items, chunksize=1)
        seconds = time.perf_counter() - start
    assert results == items
    print(seconds)


if __name__ == "__main__":
    main()
