"""A peer to be measured: a function in Python over the lines of a file, by
Python's own pool, an item a message.

usage: peer_python.py FILE.py:FUNCTION INPUT PROCESSES

Prints the seconds that the map took, without the pool's start and end, and on a
second line how many results there were. Items that are whole numbers come as such.
"""

import importlib
import os
import sys
import time
from multiprocessing import Pool


def item(line):
    return int(line) if line.isdigit() else line


def main():
    file, name = sys.argv[1].rsplit(":", 1)
    sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
    module = importlib.import_module(os.path.splitext(os.path.basename(file))[0])
    function = getattr(module, name)
    with open(sys.argv[2]) as lines:
        items = [item(line.rstrip("\n")) for line in lines]
    with Pool(int(sys.argv[3])) as pool:
        pool.map(function, items[:100], chunksize=1)
        start = time.perf_counter()
        results = pool.map(function, items, chunksize=1)
        seconds = time.perf_counter() - start
    print(seconds)
    print(len(results))


if __name__ == "__main__":
    main()
