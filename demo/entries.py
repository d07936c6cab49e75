"""How the rows of a bank account look: transfers, card payments, references, and the days they are booked on."""

import calendar
import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

from .books import Answer, Document
from .identifiers import creditor_reference, structured_communication
from .parties import BOUGHT, DEBIT_CARD

MONTHS = 5
# Of so many documents, some are not paid as they should be: which one, and how.
EVERY = 60
TWO_AT_ONCE, PART, LESS_A_FEE, UNNAMED, NAMED_WRONG, BY_END_TO_END_ID, TOO_MUCH, TWO_UNNAMED = (
    5,
    15,
    25,
    35,
    45,
    50,
    55,
    58,
)
# Of so many bills one is paid from Odoo.
FROM_ODOO = 4


@dataclass
class Entry:
    """A row to be: `arrival` is the moment at which Ponto gets to know it, which gives Ponto's order; `answer` is what
    is right for it in the books. The answer is found again by `attributes['internal_reference']`."""

    account: str
    amount: Decimal
    execution_date: object
    arrival: datetime
    attributes: dict = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)


class Writer:
    """Makes the rows of bank accounts; the same calls in the same order make the same rows.

    :param until: Ponto knows nothing later than this moment
    """

    def __init__(self, until):
        self.until = until
        self.random = random.Random('Atelier Lindeboom')
        self.invoice = 1_000
        self.sequence = 0

    def entry(self, account, amount, day, *, delay=0, value_day=None, answer=None, **attributes):
        """A row of this day; one in thirty arrives days late, as banks do it."""
        self.sequence += 1
        delay = delay or (self.random.choice((2, 3, 6)) if self.random.random() < 1 / 30 else 0)
        moment = time(self.random.choice((2, 8)), self.random.randrange(20), tzinfo=timezone.utc)
        arrival = datetime.combine(day + timedelta(days=delay), moment) + timedelta(milliseconds=self.sequence % 1000)
        if value_day:
            attributes['value_date'] = value_day
        attributes['internal_reference'] = f'AL{self.sequence:07d}'
        return Entry(account, Decimal(str(amount)), day, arrival, attributes, answer or Answer())

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

    def payment(self, account, amount, day, name, number, habit, *, ours=True, **attributes):
        """The payment of a document, in the way this party writes it, and now and then not as it should be.

        :param ours: it pays an invoice to a customer, else a bill of a supplier
        """
        text = self.reference(habit, ours)
        amount, turn = Decimal(str(amount)), self.invoice % EVERY
        document = self.document(name, text, abs(amount), day, ours=ours, account=account)
        answer = Answer((document,))
        if turn == TWO_AT_ONCE:
            text, answer = self._two_at_once(name, habit, abs(amount), day, ours=ours, account=account)
        elif turn == TWO_UNNAMED:
            _named, answer = self._two_at_once(name, habit, abs(amount), day, ours=ours, account=account)
            text = {'remittance_information': None}
        elif turn == TOO_MUCH:
            answer = Answer((replace(document, amount=abs(amount) - 10, paid_from=''),))
        elif turn == PART:
            answer = Answer((replace(document, amount=abs(amount) + 150, paid_from=''),))
        elif turn == LESS_A_FEE:
            fee = min(Decimal('2.50'), (abs(amount) / 25).quantize(Decimal('0.01')))
            answer = Answer((replace(document, amount=abs(amount) + fee, paid_from=''),), 'charges')
        elif turn == UNNAMED or (turn == BY_END_TO_END_ID and ours):
            text = {'remittance_information': None}
        elif turn == NAMED_WRONG:
            text = self.wrong_reference(habit)
        elif turn == BY_END_TO_END_ID:
            text = {'remittance_information': None, 'end_to_end_id': document.reference}
        return self.transfer(account, amount, day, name, number, answer=answer, **{**attributes, **text})

    def document(self, name, text, amount, day, *, ours=True, account='', **more):
        """The document behind a payment of `amount`; every fourth bill is paid from Odoo, by `account`."""
        reference = (text['remittance_information'] or f'VF2026/{self.invoice:05d}').split(' ')[-1]
        kind = 'out_invoice' if ours else 'in_invoice'
        paid_from = '' if ours or self.invoice % FROM_ODOO else account
        issued = day - timedelta(days=3 + self.invoice % 25)
        return Document(kind, name, reference, amount, issued, paid_from=paid_from, **more)

    def _two_at_once(self, name, habit, amount, day, *, ours, account):
        first_amount = (amount / 3).quantize(Decimal('0.01'))
        documents = [
            replace(self.document(name, self.reference(habit, ours), part, day, ours=ours), paid_from='')
            for part in (first_amount, amount - first_amount)
        ]
        return {'remittance_information': ' en '.join(document.reference for document in documents)}, Answer(
            tuple(documents)
        )

    def wrong_reference(self, habit):
        """A reference, right by its check digits, of which there is no document."""
        if habit == 'rf':
            return {'remittance_information': creditor_reference(f'2019{self.invoice:05d}')}
        if habit == 'ogm':
            return {'remittance_information': structured_communication(2019_000_000 + self.invoice * 7)}
        return {'remittance_information': f'Factuur 2019/{self.invoice:05d}'}

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


def halves(*entries):
    """The two rows of a transfer, each with the other as its answer."""
    for entry, other in (entries, entries[::-1]):
        entry.answer = Answer(account='transfer', other=other.attributes['internal_reference'])
        yield entry


def shopping(shop):
    """What is bought in a shop, as an answer."""
    return Answer(account=BOUGHT[shop])
