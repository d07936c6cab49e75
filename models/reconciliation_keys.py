"""References in the text of a payment, compared with those of documents. No records here."""

import re
from functools import lru_cache

from .labels import MIN_REFERENCE, structured_communication

# Longer than any reference that is printed on a document.
MAX_KEY = 40
MAX_PARTS = 8
# What a bank adds to a text ends somewhere; a reference stands before.
MAX_TEXT = 2000

_PART = re.compile(r'[a-z]+|[0-9]+')


@lru_cache(maxsize=4096)
def keys_in(text):
    """Return `{key: [(start, end), …]}`: all that may be a reference in `text`, and at which of its parts it stands.

    A key is what `labels.reference_key` makes of a reference. Its parts, runs of letters or of digits, stand whole in
    the text, so that `INV/2026/00012` is not found in `INV/2026/000123`. It has a digit. Nobody changes the answer.
    """
    parts = _PART.findall((text or '').lower()[:MAX_TEXT])
    keys = {}
    for start in range(len(parts)):
        key = ''
        for end in range(start, min(start + MAX_PARTS, len(parts))):
            key += parts[end]
            if len(key) > MAX_KEY:
                break
            if len(key) >= MIN_REFERENCE and not key.isalpha():
                keys.setdefault(key, []).append((start, end + 1))
    return keys


def named_keys(text, known):
    """Return the keys among `known` that `text` names: a key that is only a part of a longer one there is left out.

    `INV/2026/0001 2 pieces` names both INV/2026/0001 and INV/2026/00012, if both are known: nobody can tell.
    """
    spans = {key: places for key, places in keys_in(text).items() if key in known}
    everything = [(place, key) for key, places in spans.items() for place in places]
    return {key for place, key in everything if not any(_is_part(place, key, *other) for other in everything)}


def _is_part(place, key, other_place, other_key):
    """Return whether the reference `key` is only seen as a part of `other_key`."""
    if place == other_place or not (other_place[0] <= place[0] and place[1] <= other_place[1]):
        return False
    more_digits = other_place[0] == place[0] and other_key.removeprefix(key).isdigit()
    return not more_digits


def is_structured(key):
    """Return whether `key` has check digits: a Belgian structured communication or an ISO 11649 reference."""
    return bool(structured_communication(key.upper()))


def is_weak(key):
    """Return whether `key` may be anything, such as a date or a telephone number: digits without check digits."""
    return key.isdigit() and not is_structured(key)


def name_key(name):
    """Return the words of a name in any order, for comparison: `Peeters An` is `An PEETERS`."""
    return frozenset(word for word in re.findall(r'\w+', (name or '').casefold()) if len(word) > 1)
