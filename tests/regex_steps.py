"""A backtracking matcher in Python that counts its steps: the work that `re` does, without a clock.

It reads the tree into which `re` itself parses a pattern, and tries alternatives in the order in which `re` does. One
step is one comparison of a character or a place. What it does not know it refuses, so no pattern passes unseen.
"""

import re

# Python 3.10 names its parser otherwise. It has the names of all steps as well.
_parser = getattr(re, '_parser', None) or re.sre_parse
c = _parser

CATEGORIES = {
    c.CATEGORY_DIGIT: str.isdigit,
    c.CATEGORY_SPACE: str.isspace,
    c.CATEGORY_WORD: lambda char: char.isalnum() or char == '_',
}
INVERSE = {
    c.CATEGORY_NOT_DIGIT: c.CATEGORY_DIGIT,
    c.CATEGORY_NOT_SPACE: c.CATEGORY_SPACE,
    c.CATEGORY_NOT_WORD: c.CATEGORY_WORD,
}


# Some patterns take steps without end.
MOST_STEPS = 20_000


class TooManySteps(Exception):
    """It was given up after `MOST_STEPS`."""


class StepCounter:
    """Finds all matches of a compiled pattern, as `finditer` does; `steps` is what it took so far."""

    def __init__(self, pattern):
        self.tree = _parser.parse(pattern.pattern, pattern.flags)
        self.folds = bool(pattern.flags & re.IGNORECASE)
        self.is_ascii = bool(pattern.flags & re.ASCII)
        self.text = ''
        self.steps = 0

    def find_all(self, text):
        """Return the `(start, end)` of each match; TooManySteps where that takes too many."""
        self.text, self.steps = text, 0
        found, start = [], 0
        while start <= len(text):
            end = next(self._sequence(list(self.tree), start), None)
            if end is not None:
                found.append((start, end))
            start = end if end is not None and end > start else start + 1
        return found

    def _sequence(self, items, place):
        if not items:
            yield place
            return
        for end in self._item(*items[0], place):
            yield from self._sequence(items[1:], end)

    def _item(self, operation, argument, place):
        handler = getattr(self, f'_{str(operation).lower()}', None)
        if handler is not None:
            return handler(argument, place)
        return self._one(operation, argument, place)

    def _one(self, operation, argument, place):
        if self._fits(operation, argument, place):
            yield place + 1

    def _fits(self, operation, argument, place):
        """Return whether one character fits; the only place, with `_at`, where a step is done."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooManySteps
        if place >= len(self.text):
            return False
        char = self.text[place]
        forms = {char, char.lower(), char.upper()} if self.folds else {char}
        return any(_is_member(operation, argument, form, self.is_ascii) for form in forms if len(form) == 1)

    def _subpattern(self, argument, place):
        return self._sequence(list(argument[-1]), place)

    def _branch(self, argument, place):
        for alternative in argument[1]:
            yield from self._sequence(list(alternative), place)

    def _max_repeat(self, argument, place):
        least, most, items = argument
        if len(items) == 1 and str(items[0][0]).lower() in ('literal', 'not_literal', 'any', 'in'):
            end = place
            while end - place < most and self._fits(*items[0], end):
                end += 1
            yield from range(end, place + least - 1, -1)
            return
        if most > 0:
            for end in self._sequence(list(items), place):
                if end > place:
                    yield from self._max_repeat((max(least - 1, 0), most - 1, items), end)
        if least == 0:
            yield place

    def _min_repeat(self, argument, place):
        least, most, items = argument
        if least == 0:
            yield place
        if most > 0:
            for end in self._sequence(list(items), place):
                if end > place:
                    yield from self._min_repeat((max(least - 1, 0), most - 1, items), end)

    def _assert(self, argument, place):
        if self._looks(argument, place):
            yield place

    def _assert_not(self, argument, place):
        if not self._looks(argument, place):
            yield place

    def _looks(self, argument, place):
        direction, items = argument
        if direction < 0:
            place -= items.getwidth()[1]
        return place >= 0 and next(self._sequence(list(items), place), None) is not None

    def _at(self, argument, place):
        self.steps += 1
        places = {
            c.AT_BEGINNING: place == 0,
            c.AT_BEGINNING_STRING: place == 0,
            c.AT_END: place == len(self.text) or self.text[place:] == '\n',
            c.AT_END_STRING: place == len(self.text),
        }
        if places[argument]:
            yield place


def _is_member(operation, argument, char, is_ascii):
    if operation is c.LITERAL:
        return ord(char) == argument
    if operation is c.NOT_LITERAL:
        return ord(char) != argument
    if operation is c.ANY:
        return char != '\n'
    if operation is c.RANGE:
        return argument[0] <= ord(char) <= argument[1]
    if operation is c.CATEGORY:
        belongs = CATEGORIES[INVERSE.get(argument, argument)](char) and (char.isascii() or not is_ascii)
        return belongs != (argument in INVERSE)
    if operation is c.IN:
        is_negated = argument[0][0] is c.NEGATE
        return any(_is_member(*item, char, is_ascii) for item in argument[is_negated:]) != is_negated
    raise NotImplementedError(f'{operation} is unknown here: teach it to this matcher')
