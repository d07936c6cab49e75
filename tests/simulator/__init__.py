"""A simulated Ponto: one WSGI app, in process for tests (`Simulator.send`) and on a socket (`python tests/simulator`).

Nothing here imports Odoo. It imitates what Ponto documents; where that says nothing, the code says what was decided.
"""

from .app import Simulator
from .connect import Connect
from .state import ACCOUNT_DETAILS, ACCOUNT_TRANSACTIONS, MISSING, WITH_UNSETTLED
from .world import CLIENT_ID, CLIENT_SECRET

__all__ = [
    'ACCOUNT_DETAILS',
    'ACCOUNT_TRANSACTIONS',
    'CLIENT_ID',
    'CLIENT_SECRET',
    'MISSING',
    'WITH_UNSETTLED',
    'Connect',
    'Simulator',
]
