"""A function of one's own under Python's own pool: what `--task python` is
compared with.

usage: peer_pool.py FILE.py:FUNCTION PROCESSES [CHUNKSIZE] < ITEMS

An item is a line: an int or a float where it is one, else text. Prints
ITEM<TAB>RESULT in order, and the seconds of `Pool(PROCESSES).map` on stderr.
"""

import importlib.util
import os
import sys
import time
from multiprocessing import Pool


def value(text):
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            pass
    return text


def load(place):
    path, _, name = place.rpartition(":")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location(os.path.basename(path).removesuffix(".py"), path)
    module = importlib.util.module_from_spec(spec)
    # The processes look the function up by its module's name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def main():
    function, processes = load(sys.argv[1]), int(sys.argv[2])
    chunksize = int(sys.argv[3]) if len(sys.argv) > 3 else None
    texts = sys.stdin.read().splitlines()
    items = [value(text) for text in texts]
    start = time.perf_counter()
    with Pool(processes) as pool:
        results = pool.map(function, items, chunksize)
    seconds = time.perf_counter() - start
    sys.stdout.writelines(f"{text}\t{result}\n" for text, result in zip(texts, results))
    print(seconds, file=sys.stderr)


if __name__ == "__main__":
    main()
