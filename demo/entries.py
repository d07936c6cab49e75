"""How the rows of a bank account look: transfers, card payments, references, and the days they are booked on."""

import calendar
import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from .identifiers import creditor_reference, structured_communication
from .parties import DEBIT_CARD

MONTHS = 5


@dataclass
class Entry:
    """A row to be: `arrival` is the moment at which Ponto gets to know it, which gives Ponto's order."""

    account: str
    amount: Decimal
    execution_date: object
    arrival: datetime
    attributes: dict = field(default_factory=dict)


class Writer:
    """Makes the rows of bank accounts; the same calls in the same order make the same rows.

    :param until: Ponto knows nothing later than this moment
    """

    def __init__(self, until):
        self.until = until
        self.random = random.Random('Atelier Lindeboom')
        self.invoice = 1_000
        self.sequence = 0

    def entry(self, account, amount, day, *, delay=0, value_day=None, **attributes):
        """A row of this day; one in thirty arrives days late, as banks do it."""
        self.sequence += 1
        delay = delay or (self.random.choice((2, 3, 6)) if self.random.random() < 1 / 30 else 0)
        moment = time(self.random.choice((2, 8)), self.random.randrange(20), tzinfo=timezone.utc)
        arrival = datetime.combine(day + timedelta(days=delay), moment) + timedelta(milliseconds=self.sequence % 1000)
        if value_day:
            attributes['value_date'] = value_day
        return Entry(account, Decimal(str(amount)), day, arrival, attributes)

    def between(self, lowest, highest):
        return Decimal(self.random.randrange(int(lowest * 100), int(highest * 100) + 1)).scaleb(-2)

    def day(self, first, day=None):
        """A day of the month, at random unless given; at the weekend the Monday after, as banks book."""
        chosen = first.replace(day=day or self.random.randint(1, calendar.monthrange(first.year, first.month)[1]))
        return chosen + timedelta(days=max(0, 7 - chosen.weekday()) if chosen.weekday() > 4 else 0)

    def reference(self, habit, ours=True):
        """Remittance attributes of the next invoice, in the way this party writes it."""
        self.invoice += 1
        if habit == 'ogm':
            return {
                'remittance_information': structured_communication(2026_000_000 + self.invoice * 7),
                'remittance_information_type': 'structured',
            }
        if habit == 'rf':
            return {
                'remittance_information': creditor_reference(f'2026{self.invoice:05d}'),
                'remittance_information_type': 'structured',
            }
        if habit == 'nothing':
            return {'remittance_information': None}
        label = self.random.choice(('Factuur', 'factuur nr', 'Facture', 'Betaling fact.'))
        return {'remittance_information': f'{label} {"VF" if ours else "F"}2026/{self.invoice:05d}'}

    def transfer(self, account, amount, day, name, number, **attributes):
        code = 'PMNT-RCDT-ESCT' if Decimal(str(amount)) > 0 else 'PMNT-ICDT-ESCT'
        attributes = {
            'description': 'Overschrijving',
            'counterpart_name': name,
            'counterpart_reference': number,
            'bank_transaction_code': code,
            'end_to_end_id': f'E2E{self.sequence:09d}',
            **attributes,
        }
        return self.entry(account, amount, day, **attributes)

    def card_payment(self, account, amount, day, shop, card=DEBIT_CARD, **attributes):
        attributes = {
            'description': 'Betaling met bankkaart',
            'counterpart_name': shop,
            'additional_information': f'{shop} {day:%d/%m/%Y} KAART {card}',
            'bank_transaction_code': 'PMNT-CCRD-POSD',
            'card_reference': card,
            'card_reference_type': 'MASKEDPAN',
            **attributes,
        }
        return self.entry(account, amount, day, **attributes)


def months(until):
    """First days of the last months, the oldest first, the month of `until` included."""
    index = until.year * 12 + until.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(index - MONTHS + 1, index + 1)]


def days(first):
    return [first.replace(day=day) for day in range(1, calendar.monthrange(first.year, first.month)[1] + 1)]


def brussels_midnight(day):
    """Midnight in Brussels as UTC, by the Union's rule for summer time (this machine may lack a time zone database)."""
    starts, ends = (_last_sunday(day.year, month) for month in (3, 10))
    hours = 2 if starts < day <= ends else 1
    return datetime.combine(day, time(), timezone.utc) - timedelta(hours=hours)


def _last_sunday(year, month):
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
