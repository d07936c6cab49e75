"""The demo's second company, which lets out workshops: its bank is left for a person to connect."""

from datetime import timedelta
from decimal import Decimal

from .entries import months
from .identifiers import belgian_iban

COMPANY = 'Lindeboom Verhuur BV'
BANK = 'Argenta'
CLIENT_ID = '0b6f7a52-93c1-4d0e-8a64-71d5e2c9af30'
CLIENT_SECRET = 'demo-secret-of-the-second-company'  # noqa: S105 opens a simulated Ponto only
IBAN = belgian_iban(979, 640_1285)
OPENING_BALANCE = Decimal('18250.00')

TENANTS = (
    ('Fietsen Ruelens', belgian_iban(737, 552_0931), '845.00', 'Huur atelier 2'),
    ('Keramiek Nora', belgian_iban(1, 774_6120), '610.00', 'Huur atelier 4'),
    ('Bakkerij De Korenbloem BV', belgian_iban(363, 905_1172), '1290.00', 'Huur winkel'),
)
"""Name, account number, rent, and what they write on a payment."""


def letting(sim):
    """Add the second company's own integration with its account: rents, a loan and charges up to the clock."""
    institution = next(item for item in sim.institutions if item.name == BANK)
    account = sim.add_account(
        IBAN,
        institution=institution,
        integration=sim.add_integration(CLIENT_ID, CLIENT_SECRET),
        holder_name=COMPANY,
        description='Huurrekening',
        balance=OPENING_BALANCE,
    )
    for arrival, amount, attributes in sorted(_rows(sim.clock), key=lambda row: row[0]):
        moments = {'createdAt': arrival, 'updatedAt': arrival}
        sim.add_transaction(account, amount, arrival.date(), extra=moments, **attributes)
    sim.synchronize(account)
    return account


def _rows(until):
    for first in months(until):
        for place, (name, number, rent, text) in enumerate(TENANTS):
            yield from _row(until, first, 2 + place, rent, f'{text} {first:%m/%Y}', name, number)
        yield from _row(until, first, 10, '-1184.37', f'Aflossing krediet 979-5521903 {first:%m/%Y}', BANK)
        yield from _row(until, first, 28, '-4.50', 'Beheerskosten rekening')


def _row(until, first, day, amount, text, name=None, number=None):
    arrival = until.replace(year=first.year, month=first.month, day=day, hour=8, minute=5, second=0, microsecond=0)
    if arrival < until - timedelta(minutes=1):
        attributes = {'remittance_information': text, 'counterpart_name': name, 'counterpart_reference': number}
        yield arrival, amount, attributes
