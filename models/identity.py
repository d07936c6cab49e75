"""Which account is which: pure functions over two lists, the accounts that are lost and those that Ponto lists anew.

Ponto may list one real account under another id: after a renewed consent, through another integration, after a bank has
merged, or when it replaces its connection to a bank. Nothing but what the account tells says so.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache

# What an account tells of itself beside its number. What one of two does not tell is no contradiction.
NAMED = ('subtype', 'product', 'description', 'holder')


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What an account tells of itself, in a common form; '' or None where it tells nothing.

    `number` is sanitized; `institution` is any value that is equal for the same institution.
    """

    number: str = ''
    currency: str = ''
    institution: object = None
    subtype: str = ''
    product: str = ''
    description: str = ''
    holder: str = ''
    internal_reference: str = ''

    def kin(self):
        """Return what two listings of one account share at least.

        With a number that is the number and the currency, whatever the institution: banks merge and move. Without one,
        as with cards, it is the subtype and the currency. Then the institution must be the same as well for the traits
        alone to be enough.
        """
        return (self.number, self.currency) if self.number else (None, self.currency, self.subtype)


def recognize(lost, listed, content=None):
    """Tell which of the `lost` accounts are which of the `listed` ones, each at most once.

    The comparators go from the surest to the weakest. One decides only about a pair that it finds for neither of the
    two a second time; what stays undecided is for a person. Accounts with a number tell most by their traits. Two cards
    of one holder may tell the same of themselves: their transactions decide first, and no trait decides against them.

    :param lost: `{key: Traits}`
    :param listed: `{key: Traits}`
    :param content: `content(lost key, listed key)` compares the transactions of two accounts: True (the same account),
        False (another one) or None (nothing to compare). Asked only where the traits may leave a doubt
    :return: `({listed key: lost key}, {listed key: [lost keys]})`: what is sure, and what a person must be asked
    """
    content = cache(content or (lambda old, new: None))
    by_traits = [
        _by_traits(comparator, lost, listed)
        for comparator in (_are_equal, _share_reference, _share_names, _contradict_nowhere)
    ]
    same, questions = {}, {}
    groups = defaultdict(lambda: ([], []))
    for place, accounts in enumerate((lost, listed)):
        for key, traits in accounts.items():
            groups[traits.kin()][place].append(key)
    for (number, *_rest), (old_keys, new_keys) in groups.items():
        pairs = [(old, new) for new in new_keys for old in old_keys]
        for is_same in (*by_traits, content) if number else (content, *by_traits):
            found = _unique_pairs([pair for pair in pairs if is_same(*pair)])
            if not number:
                found = [pair for pair in found if content(*pair) is not False]
            same.update({new: old for old, new in found})
            pairs = _without(pairs, found)
        for old, new in pairs:
            if not number or content(old, new) is not False:
                questions.setdefault(new, []).append(old)
    return same, questions


def differ(one, other):
    """Return whether both accounts tell something of which the other says otherwise."""
    return not _contradict_nowhere(one, other)


def _by_traits(comparator, lost, listed):
    """Return `is_same(lost key, listed key)`: whether their traits alone say so, by `comparator`."""

    def is_same(old, new):
        one, other = lost[old], listed[new]
        return (bool(one.number) or one.institution == other.institution) and comparator(one, other)

    return is_same


def _are_equal(one, other):
    return _share_reference(one, other) and all(getattr(one, name) == getattr(other, name) for name in NAMED)


def _share_reference(one, other):
    """A bank's own reference is kept by some and made anew with each consent by others."""
    return (
        bool(one.internal_reference)
        and one.internal_reference == other.internal_reference
        and (not (one.subtype and other.subtype) or one.subtype == other.subtype)
    )


def _share_names(one, other):
    return all(getattr(one, name) == getattr(other, name) for name in NAMED)


def _contradict_nowhere(one, other):
    return all(
        not getattr(one, name) or not getattr(other, name) or getattr(one, name) == getattr(other, name)
        for name in NAMED
    )


def _unique_pairs(pairs):
    """Return those of these pairs whose members are in no other of them."""
    return [
        (old, new)
        for old, new in pairs
        if sum(pair[0] == old for pair in pairs) == sum(pair[1] == new for pair in pairs) == 1
    ]


def _without(pairs, found):
    """Return the pairs of which no member is in one that is found."""
    old_keys, new_keys = {old for old, _new in found}, {new for _old, new in found}
    return [(old, new) for old, new in pairs if old not in old_keys and new not in new_keys]
