"""A peer to be measured: square roots from file to file with Python's own pool.

usage: peer_sqrt.py INPUT OUTPUT
"""

import math
import sys
from multiprocessing import Pool


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="ascii") as lines:
        numbers = [float(line) for line in lines]
    with Pool(2) as pool:
        roots = pool.map(math.sqrt, numbers)
    with open(target, "w", encoding="ascii") as out:
        out.writelines(f"{root}\n" for root in roots)


if __name__ == "__main__":
    main()
