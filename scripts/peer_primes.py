"""A list of primes in Python: on threads, which share one interpreter
lock, and in processes, which do not.

usage: peer_primes.py threads|processes|loop N [COUNT]

Tests COUNT primes of eight digits (default 4) by the naive method, on N threads
or processes, and prints the seconds that it took.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool

PRIME = 15488801


def is_prime(n):
    for divisor in range(2, n):
        if n % divisor == 0:
            return False
    return True


def main():
    how, workers = sys.argv[1], int(sys.argv[2])
    numbers = [PRIME] * (int(sys.argv[3]) if len(sys.argv) > 3 else 4)
    start = time.perf_counter()
    if how == "threads":
        with ThreadPoolExecutor(workers) as pool:
            results = list(pool.map(is_prime, numbers))
    elif how == "processes":
        with Pool(workers) as pool:
            results = pool.map(is_prime, numbers, chunksize=1)
    else:
        results = [is_prime(number) for number in numbers]
    seconds = time.perf_counter() - start
    assert all(results)
    print(seconds)


if __name__ == "__main__":
    main()
