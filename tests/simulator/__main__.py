"""`python tests/simulator [--port N] [--seed demo | --data DIR] [--control]`, without Odoo.

The package is imported under its own name, because importing it as part of `tests` would import Odoo's tests; so is
what it is filled with.
"""

import sys
from pathlib import Path

if __name__ == '__main__':
    tests = Path(__file__).resolve().parent.parent
    sys.path[:1] = [str(tests), str(tests.parent)]
    from demo import SEEDS
    from simulator.server import main

    main(SEEDS)
