"""Is this the same payment? Two lists go in, pairs come out. Plain Python, without Odoo and without a database.

Two lists tell of the same payments, each in its own form: what is known, and what a bank lists now::

    known            listed
    a ────exact──── a'    stage 1: everything that both tell is the same, in a common form
    b ────same───── b'    stage 2: amount, days, text and counterpart are the same
    c ····near····· c'    stage 3: the amount is the same, the day about the same, and nothing contradicts
    d               e     no pair: `d` is gone, `e` is new

A stage compares only what the stages before have left over, and each payment is used once. So of two equal payments, of
which one is known, the other is new.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

# So many different sums of some payments are looked at, so that many payments cost little time.
MOST_SUMS = 10_000

_BREAK = re.compile(r'<br\s*/?>', re.IGNORECASE)
_WORD = re.compile(r'\w+')
# What banks write where a payer has given no end-to-end id.
_NO_ID = frozenset(('notprovided', 'nonref', 'none'))


def common_text(text):
    """Return a text in the form in which texts are compared: without white space, breaks, capitals and ligatures."""
    return ''.join(_plain(text).split())


def common_number(number):
    """Return an account number in the form in which numbers are compared: capital letters and digits."""
    return ''.join(filter(str.isalnum, number or '')).upper()


def _plain(text):
    return unicodedata.normalize('NFKC', _BREAK.sub(' ', text or '')).casefold()


@dataclass(frozen=True)
class Payment:
    """What a list tells of one payment, as it came; an empty value tells nothing.

    `amount` is signed, in `currency`, and rounded to it. `day` is the day on which it is booked; `days` are all days
    that are told, in one order in both lists. `texts` are what payer and bank have written, the payer's text first.
    `reference` is a structured communication in its one written form.
    """

    amount: float
    currency: str = ''
    day: date | None = None
    days: tuple[date | None, ...] = ()
    name: str = ''
    number: str = ''
    texts: tuple[str, ...] = ()
    reference: str = ''
    end_to_end_id: str = ''
    words: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        words = frozenset(word for text in (self.name, *self.texts) for word in _WORD.findall(_plain(text)))
        object.__setattr__(self, 'words', words)

    @property
    def content(self):
        """What the payment is, in a common form."""
        identifier = common_text(self.end_to_end_id).replace('_', '')
        return (
            self.amount,
            self.currency,
            self.days,
            common_number(self.number),
            common_text(self.texts[0] if self.texts else ''),
            '' if identifier in _NO_ID else identifier,
        )

    @property
    def full_content(self):
        """All that is told of the payment, in a common form."""
        return (*self.content, common_text(self.name), *map(common_text, self.texts[1:]))


class Stage(NamedTuple):
    """One way in which two payments may be the same.

    :param key: what both have in common
    :param distance: how far the known payment is from the listed one, by anything that sorts; None: it is another one
    """

    key: Callable[[Payment], Hashable]
    distance: Callable[[Payment, Payment], Any] = lambda known, listed: 0


def pair(known, listed, *stages, may_be=lambda key, listed_key: True):
    """Return `{key of a listed payment: key of the known payment that it is}`, each used once.

    :param known: `{key: Payment}`; of equally near ones the first is taken
    :param listed: `{key: Payment}`, in the same order
    :param stages: `Stage`s, the most faithful first
    :param may_be: `may_be(key, listed_key)` returns whether the two may be the same, whatever the payments tell
    """
    pairs = {}
    left = dict(known)
    for stage in stages:
        new = {key: payment for key, payment in listed.items() if key not in pairs}
        for _distance, key, listed_key in sorted(_alike(left, new, stage), key=lambda each: each[0]):
            if key in left and listed_key not in pairs and may_be(key, listed_key):
                pairs[listed_key] = key
                del left[key]
    return pairs


def candidates(known, listed, stage):
    """Return the keys of all known payments that `stage` could pair with a listed one; arguments as of `pair`."""
    return {key for _distance, key, _listed_key in _alike(known, listed, stage)}


def _alike(known, listed, stage):
    """Return `[(distance, key of the known payment, key of the listed one)]` of all that `stage` takes for the same."""
    alike = defaultdict(list)
    for key, payment in known.items():
        alike[stage.key(payment)].append((key, payment))
    return [
        (distance, key, listed_key)
        for listed_key, payment in listed.items()
        for key, known_payment in alike.get(stage.key(payment), ())
        if (distance := stage.distance(known_payment, payment)) is not None
    ]


def near(days):
    """Return the stage that takes for the same what has the same amount and lies at most so many `days` apart.

    The words and the counterpart tell which of several it is. Where they tell nothing, the nearer day does.
    """

    def distance(known, listed):
        if not known.day or not listed.day:
            return None
        gap = abs((known.day - listed.day).days)
        if gap > days or contradict(known, listed):
            return None
        return -likeness(known, listed), gap

    return Stage(lambda payment: (payment.amount, payment.currency), distance)


def contradict(one, other):
    """Return whether two payments cannot be the same because both name a counterpart or a reference, and another."""
    numbers = common_number(one.number), common_number(other.number)
    return _differ(*numbers) or _differ(one.reference, other.reference)


def likeness(one, other):
    """Return how much counterpart and words of two payments are alike, from 0 (not at all) to 2."""
    number = common_number(one.number)
    fewer = min(len(one.words), len(other.words))
    words = len(one.words & other.words) / fewer if fewer else 0
    return (bool(number) and number == common_number(other.number)) + round(words, 2)


def _differ(one, other):
    return bool(one and other and one != other)


EXACT = Stage(lambda payment: payment.full_content)
SAME = Stage(lambda payment: payment.content)


def parts(amount, payments, at_most=20):
    """Return the keys of the payments that add up to `amount`, such as the items of a batch; () without any.

    :param payments: `{key: Payment}`; only the first `at_most` with the sign of `amount` are tried
    """
    whole = _thousandths(amount)
    sums = {0: ()}
    tried = [(key, part) for key, payment in payments.items() if (part := _thousandths(payment.amount)) * whole > 0]
    for key, part in tried[:at_most]:
        for total, keys in list(sums.items()):
            if abs(total + part) <= abs(whole) and len(sums) < MOST_SUMS:
                sums.setdefault(total + part, (*keys, key))
        if whole in sums:
            return sums[whole]
    return ()


def _thousandths(amount):
    return round(amount * 1000)
