# Modules of the standard library, imported when they are needed: that keeps the start
# short, and a file of the user may have the name of one (`json.py`, `token.py`).

import os
import sys

LIBRARY = {}
LIBRARY_PATH = sys.path[:]


def library(name):
    """The module, also if a file in the folder of the function has its name."""
    if name not in LIBRARY:
        path, before = sys.path[:], dict(sys.modules)
        folder = path[0] if path != LIBRARY_PATH else None
        for key, module in before.items():
            if os.path.dirname(getattr(module, "__file__", None) or "") == folder:
                del sys.modules[key]
        sys.path[:] = LIBRARY_PATH
        try:
            LIBRARY[name] = __import__(name)
        finally:
            sys.path[:] = path
            for key in set(sys.modules).difference(before):
                if folder is not None and os.path.exists(os.path.join(folder, key + ".py")):
                    # For the function this is the name of its neighbor.
                    del sys.modules[key]
            sys.modules.update(before)
    return LIBRARY[name]


