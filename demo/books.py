"""What stands behind the rows of the demo's bank accounts: the documents that they pay, or the account they belong on.

So the right answer is known for each row. No record of Odoo here; scripts/demo_books.py enters them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Document:
    """An invoice, a bill or a credit note. `amount` is positive; `reference` is what its payments are to name."""

    kind: str
    """As Odoo's `move_type`: `out_invoice`, `in_invoice`, `out_refund` or `in_refund`."""
    party: str
    reference: str
    amount: Decimal
    date: date
    currency: str = 'EUR'
    is_discounted: bool = False
    """Two percent less within ten days."""
    paid_from: str = ''
    """The account of the demo from which its payment was made in Odoo."""
    batch: str = ''
    """The reference that it shares with other payments."""


@dataclass(frozen=True)
class Answer:
    """What is right for a row: `documents` that it pays, whole or in part, less what is booked on `account`; or only an
    account; or a transfer between own accounts, with the `other` row where there is one. Accounts are those of
    `ACCOUNTS`, and `transfer`."""

    documents: tuple = ()
    account: str = ''
    other: str = ''


ACCOUNTS = {
    'charges': ('657000', "Bank charges"),
    'salaries': ('455000', "Salaries to pay"),
    'social': ('454000', "Social security to pay"),
    'withholding': ('453000', "Withholding tax to pay"),
    'vat': ('451000', "VAT to pay"),
    'rent': ('610000', "Rent"),
    'energy': ('611100', "Energy and water"),
    'telecom': ('612100', "Telephone and internet"),
    'leasing': ('613100', "Leasing"),
    'insurance': ('614100', "Insurance"),
    'office': ('615100', "Payroll office"),
    'shops': ('616100', "Shop purchases"),
    'fuel': ('617100', "Fuel"),
    'travel': ('618100', "Travel and restaurant"),
    'tools': ('619100', "Tools"),
    'software': ('619200', "Software"),
    'sales': ('700900', "Showroom sales"),
    'interest': ('750900', "Interest"),
    'capital': ('489900', "Opening of the accounts"),
}
"""Key: code and name of an account that the rows without a document belong on."""


@dataclass(frozen=True)
class Rule:
    """A reconciliation rule: rows whose text fits the regular expression belong on an account of `ACCOUNTS`.

    With `gross`, a regular expression for an amount in the text, so much is on that account and the rest on charges.
    """

    name: str
    pattern: str
    account: str
    gross: str = ''
    is_automated: bool = True


RULES = (
    Rule("Bank charges", r'^(Beheerskosten|Kosten) (rekening|betaalverkeer)|^Foreign payment charge', 'charges'),
    Rule("Salaries", r'Loon \d\d/\d{4}', 'salaries'),
    Rule("Social security", 'RSZ - ONSS', 'social'),
    Rule("Withholding tax", 'Bedrijfsvoorheffing', 'withholding'),
    Rule("VAT", r'Inning - Ontvangsten BTW', 'vat'),
    Rule("Rent of the workshop", 'Huur atelier', 'rent'),
    Rule("Energy and water", 'Voorschot elektriciteit|Waterfactuur', 'energy'),
    Rule("Telephone and internet", 'Internet en telefonie|Mobiele abonnementen', 'telecom'),
    Rule("Card terminal", 'AFREKENING BETAALTERMINAL|TERM 0451882', 'sales', gross=r'BRUTO ([\d.,]+)'),
    Rule("Interest of the bank", 'Interest en getrouwheidspremie', 'interest'),
    Rule("Fuel", 'TANKSTATION', 'fuel'),
    Rule("Shops", 'SUPERMARKT DE LINDE|BUURTWINKEL|BAKKERIJ VAN HOVE|PAPIERWINKEL', 'shops'),
    Rule("Restaurant and parking", 'BRASSERIE DE BEURS|PARKING|NMBS', 'travel'),
    Rule("Tools", 'DOE-HET-ZELF|TOOLSHOP', 'tools'),
    Rule("Saw blades", 'SAWBLADES', 'tools', is_automated=False),
    Rule("Software", 'CLOUD SUITE', 'software', is_automated=False),
    Rule("Settlement of the card", 'Kaartafrekening', 'transfer'),
)
"""In their order. Leasing, insurance and the payroll office have none: their accounts are learned from bookings."""
