"""What the demo shows: a Belgian company with six bank accounts, and Ponto's public catalogue of institutions.

Plain Python without Odoo. The simulated Ponto is filled by these functions, and `scripts/demo` enters the company's
partners into Odoo.
"""

from .catalogue import catalogue
from .company import demo

__all__ = ['SEEDS', 'catalogue', 'demo']

SEEDS = {'demo': demo}
"""What the simulated Ponto can be filled with, by name."""
