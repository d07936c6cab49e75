"""Text from outside costs time in proportion to its length: counted in steps, never in seconds."""

import ast
import re
import sys
from itertools import product
from math import inf
from pathlib import Path
from types import SimpleNamespace

from odoo.tests import BaseCase, tagged

from ..models import labels
from ..models.labels import account_number, clean_line, payment_reference, reference_key, remittance_text
from ..ponto.resources import Transaction
from ..ponto.values import one_line, to_json
from .regex_steps import StepCounter, TooManySteps

ROOT = Path(__file__).parents[1]
ROOMS = ('models', 'ponto', 'controllers', 'wizard')
TIMES = 14
# Twice the text: twice the steps, and what belongs to its ends.
TWICE, ENDS = 2.2, 60
# What the addon looks for in texts, to build texts out of that nearly hold it.
WORDS = (
    'Naam: ', 'Omschrijving:', '\nIBAN:', '/REMI/', '/TRTP/x', 'SVWZ+', 'EREF+', ',creditorid:', 'RF18 ', 'RF', '+++',
    '123/4567/89012', '2026-03-02T10:11:12.', 'charset=', 'certificate', '<br', '<br />', 'XXX', '#', '://', '..',
)  # fmt: skip
# Where people write the pattern: rules, of which core takes any regular expression.
OF_PEOPLE = frozenset(('models/account_reconcile_model.py',))
PUMPS = ' \n1x+/<'
CHARACTERS = ' \n\tx1+/<>,:=-*.\\\u202e\u200bé'


def package_patterns():
    """Return `{where: compiled pattern}` of all patterns in the addon, those in calls of `re` included."""
    package = __package__.rpartition('.')[0]
    patterns = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob('*.py')):
            where = f'{room}/{path.name}'
            module = sys.modules.get(f'{package}.{room}.{path.stem}')
            patterns.update(
                (f'{where}:{number}', item) for number, item in enumerate(_compiled(vars(module or object)))
            )
            patterns.update(_in_calls(where, ast.parse(path.read_text(encoding='utf-8'))))
    return patterns


def _compiled(value):
    if isinstance(value, re.Pattern):
        return [value]
    if isinstance(value, dict) and '__name__' in value:
        return [item for member in value.values() if not isinstance(member, dict) for item in _compiled(member)]
    if isinstance(value, tuple | list | frozenset):
        return [item for member in value for item in _compiled(member)]
    return []


def _in_calls(where, tree):
    for node in ast.walk(tree):
        function = getattr(node, 'func', None)
        if not isinstance(function, ast.Attribute) or getattr(function.value, 'id', None) != 're':
            continue
        if function.attr in ('compile', 'escape'):
            continue
        if not isinstance(node.args[0], ast.Constant) and where in OF_PEOPLE:
            continue
        if not isinstance(node.args[0], ast.Constant):
            raise AssertionError(f'{where}:{node.lineno}: compile this pattern at the top of the module')
        given = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
        names = [item.attr for item in given if isinstance(item, ast.Attribute) and hasattr(re, item.attr)]
        flags = sum(getattr(re, name) for name in names)
        at_start = r'\A' if function.attr in ('match', 'fullmatch') else ''
        yield f'{where} line {node.lineno}', re.compile(f'{at_start}(?:{node.args[0].value})', flags)


def hostile_texts(times):
    """Yield texts made of one thing so many times, beside another one, by turns with it, or in a row with it."""
    for thing in (*CHARACTERS, *WORDS):
        yield thing * times
    for char, word in product(CHARACTERS, (*WORDS, 'x')):
        yield word + char * times
        yield char * times + word
    for first, second in product(PUMPS, CHARACTERS):
        yield (first + second) * times
        yield first * times + second * times


def worst(pattern):
    """Return '' if no text of `hostile_texts` costs much more than twice when it is twice as long, else that text."""
    counter = StepCounter(pattern)
    for short, long in zip(hostile_texts(TIMES), hostile_texts(2 * TIMES), strict=True):
        steps = _steps(counter, short)
        if steps == inf or _steps(counter, long) > TWICE * steps + ENDS:
            return f'{short!r}: {steps} steps, twice as long {counter.steps}'
    return ''


def _steps(counter, text):
    try:
        counter.find_all(text)
    except TooManySteps:
        return inf
    return counter.steps


def events(function, *args):
    """Return how many calls, lines and returns of Python the function takes, itself included."""
    count = 0

    def trace(_frame, _event, _argument):
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*args)
    finally:
        sys.settrace(before)
    return count


@tagged('post_install', '-at_install')
class TestPatterns(BaseCase):
    def test_the_counting_matcher_finds_what_re_finds(self):
        for pattern in package_patterns().values():
            counter = StepCounter(pattern)
            for text in hostile_texts(6):
                expected = [match.span() for match in pattern.finditer(text)]
                found = counter.find_all(text)
                # An empty match right after another one is no matter of work.
                self.assertEqual(
                    [span for span in found if span[0] < span[1]],
                    [span for span in expected if span[0] < span[1]],
                    (pattern, text),
                )

    def test_the_counting_matcher_sees_work_that_grows_with_the_square(self):
        for pattern in (r'(?:^|\n)\s*(Naam|IBAN):', r'\s+$', r'(x+)+:', r'<.*>'):
            self.assertTrue(worst(re.compile(pattern)), pattern)

    def test_every_pattern_of_the_addon_takes_steps_in_proportion_to_the_text(self):
        patterns = package_patterns()
        self.assertGreater(len(patterns), 20)
        for where, pattern in patterns.items():
            self.assertEqual(worst(pattern), '', f'{where}: {pattern.pattern}')


@tagged('post_install', '-at_install')
class TestTexts(BaseCase):
    def row(self, text):
        names = ('remittance_information', 'description', 'additional_information', 'end_to_end_id')
        return SimpleNamespace(**dict.fromkeys(names, text))

    def setUp(self):
        super().setUp()
        self.patch(labels, 'MAX_TEXT', 200)

    def functions(self):
        return {
            'payment_reference': lambda text: payment_reference(self.row(text)),
            'remittance_text': lambda text: remittance_text(self.row(text)),
            'account_number': account_number,
            'reference_key': reference_key,
            'clean_line': clean_line,
        }

    def texts(self, length):
        return ['x' + thing * (length // len(thing)) + 'x' for thing in (*' \nx1/+\u200b', *WORDS)]

    def test_of_a_longer_text_than_the_books_take_the_rest_costs_nothing(self):
        for name, function in self.functions().items():
            for short, long in zip(self.texts(200), self.texts(4000), strict=True):
                self.assertLessEqual(events(function, long), events(function, short) * 1.1 + ENDS, (name, short[:20]))

    def test_no_pattern_is_given_more_of_a_text_than_the_books_take(self):
        given = []

        class Recorder:
            def __init__(self, pattern):
                self.pattern = pattern

            def __getattr__(self, name):
                def call(*args):
                    given.append(len(args[-1]))
                    return getattr(self.pattern, name)(*args)

                return call

        for name, value in list(vars(labels).items()):
            if isinstance(value, re.Pattern):
                self.patch(labels, name, Recorder(value))
        self.patch(labels, '_FORMS', tuple((Recorder(mark), *rest) for mark, *rest in labels._FORMS))
        for function in self.functions().values():
            for text in self.texts(1000):
                function(text)
        self.assertGreater(len(given), 100)
        self.assertLessEqual(max(given), labels.MAX_TEXT)

    def test_what_ponto_sends_is_parsed_in_proportion_to_its_length(self):
        for function in (
            lambda text: Transaction.from_api(
                {'id': 'x', 'attributes': dict.fromkeys(('amount', 'remittanceInformation', 'valueDate'), text)}
            ),
            lambda text: Transaction.from_api({'id': 'x', 'attributes': {'remittanceInformation': list(text)}}),
            lambda text: to_json({char: [text] for char in text}),
            one_line,
        ):
            for short, long in zip(self.texts(100), self.texts(200), strict=True):
                self.assertLessEqual(events(function, long), events(function, short) * TWICE + ENDS, short[:20])
