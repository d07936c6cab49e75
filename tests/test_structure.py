"""How the code is laid out, as far as no linter knows it."""

import re
from pathlib import Path

from odoo.tests import BaseCase, tagged

ADDON = Path(__file__).resolve().parent.parent
TESTS = ADDON / 'tests'
# Where code lies that Odoo loads, or that the demo runs.
ROOMS = ('models', 'wizard', 'controllers', 'ponto', 'demo')
MOST_LINES = 400


@tagged('post_install', '-at_install')
class TestStructure(BaseCase):
    def test_no_file_is_longer_than_a_reader_takes_in(self):
        lines = {
            str(path.relative_to(ADDON)): len(path.read_text().splitlines())
            for room in ROOMS
            for path in (ADDON / room).glob('**/*.py')
        }
        self.assertFalse({path: count for path, count in lines.items() if count > MOST_LINES})

    def test_every_test_is_imported_and_without_hypothesis_those_that_do_not_need_it(self):
        always, _if, drawn = (TESTS / '__init__.py').read_text().partition("if find_spec('hypothesis'):")
        imported = {
            needs: set(re.findall(r'from \. import (\w+)', text)) for needs, text in ((False, always), (True, drawn))
        }
        for path in TESTS.glob('test_*.py'):
            needs = bool(re.search(r'^(from|import) hypothesis\b', path.read_text(), re.MULTILINE))
            self.assertIn(path.stem, imported[needs], "needs hypothesis" if needs else "does not need hypothesis")
