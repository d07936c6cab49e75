"""`python tests/simulator [--port N] [--seed demo | --data DIR] [--control]`, without Odoo.

The package is imported under its own name, because importing it as part of `tests` would import Odoo's tests.
"""

import sys
from pathlib import Path

if __name__ == '__main__':
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from simulator.server import main

    main()
