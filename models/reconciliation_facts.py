"""The facts from which reconciliation proposals are made. No records here.

An amount is a `Decimal`, positive when money comes in: a customer's open invoice has a positive residual, a bill that
is to be paid a negative one. So an item is paid by a transaction of its own sign.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Transaction:
    """What is left of a statement line to be reconciled. `partner_id` is the commercial partner."""

    id: int
    company_id: int
    journal_id: int
    currency_id: int
    amount: Decimal
    date: date
    balance: Decimal = Decimal(0)
    """The same in the company's currency."""
    text: str = ''
    details: str = ''
    """All that the bank said, for rules."""
    end_to_end_id: str = ''
    transaction_type: str = ''
    partner_id: int | None = None
    partner_name: str = ''
    account_number: str = ''
    is_partner_certain: bool = False
    """Its counterpart account is one of the partner's bank accounts: not only the name says who it is."""


@dataclass(frozen=True)
class OpenItem:
    """An open journal item. `document_id` is its journal entry; `keys` are the entry's references."""

    id: int
    document_id: int
    document: str
    company_id: int
    journal_id: int
    currency_id: int
    residual: Decimal
    due: date
    nature: str = 'document'
    """`document`: on a receivable or payable account; `payment`: made in Odoo, not yet seen at the bank; `transfer`: on
    the transfer account; `other`."""
    partner_id: int | None = None
    partner: str = ''
    company_residual: Decimal = Decimal(0)
    """The residual in the company's currency."""
    keys: frozenset = frozenset()
    batch: str = ''
    """The key of the reference that payments made together share."""
    discounted: Decimal | None = None
    """What is to be paid until `discount_date`, if core has a discount for early payment that is still to be had."""
    discount_date: date | None = None


@dataclass(frozen=True)
class Proposal:
    """What a transaction may be reconciled with: `counterparts` as `_reconcile_with` takes them, `facts` for the reason
    (models/reconciliation_reasons.py).
    """

    grade: str
    kind: str
    counterparts: tuple
    facts: dict = field(default_factory=dict, compare=False)


@dataclass
class Evidence:
    """All that was found for a batch of transactions, each by one query."""

    items: list = field(default_factory=list)
    companies: dict = field(default_factory=dict)
    """`{company id: ids of the companies whose items its transactions may pay}`"""
    own_journals: dict = field(default_factory=dict)
    """`{(company id, account number): journal id}` of the company's bank journals."""
    transfers: list = field(default_factory=list)
    """`Transaction`s of the companies' bank journals that may be halves of a transfer; those of the batch included."""
    rules: dict = field(default_factory=dict)
    """`{transaction id: [Proposal, …]}` of the rules that apply, in their order."""
    last_accounts: dict = field(default_factory=dict)
    """`{transaction id: Proposal}`"""
    fee_accounts: dict = field(default_factory=dict)
    """`{journal id: account id}` on which fees and differences of cents are booked."""
    transfer_accounts: dict = field(default_factory=dict)
    """`{company id: account id}` of the transfers between own accounts."""
