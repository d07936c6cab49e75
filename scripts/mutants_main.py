"""What `scripts/mutants` does: python scripts/mutants_main.py ADDON DATABASE [WORD ...], in a copy of the addon.

For each change of tests/mutants.txt: make it, run its tests until one fails, take it back. A test that fails without
the change as well says nothing of it, and is left out.

Most changes are made in a process that has loaded Odoo already (pytest_plugins/changed_lines.py). The others, and those
that no test has noticed there, are made in the file, and Odoo is loaded anew.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

# A change may let a test wait for what never comes.
SECONDS = 900
ENTRY = re.compile(r'^(\S+): (.*)\n- (.*)\n\+ ?(.*)\n\? (.*)$', re.MULTILINE)
# A line of pytest's summary: the file and the test in it.
FAILED = re.compile(r'^(?:SUB)?(?:FAILED|ERROR)\S* .*?(\w+)\.py::([\w:]+)', re.MULTILINE)


class Mutant(NamedTuple):
    """`old` stands once in `file` and becomes `new`, which breaks `rule`; one of `tests` should fail then."""

    file: str
    rule: str
    old: str
    new: str
    tests: str


class Tests:
    """Runs tests on the copy, and remembers which of them fail without any change."""

    def __init__(self, addon, database):
        self.addon = addon
        self.database = database
        self.fails_anyway = {}

    def command(self, *arguments):
        return [
            sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider',
            '-c', self.addon / 'pyproject.toml', '--rootdir', self.addon,
            '--odoo-http', '--odoo-extra', 'http-interface=127.0.0.1', '--odoo-database', self.database, *arguments,
        ]  # fmt: skip

    def answers(self, mutants):
        """Yield for each of `mutants` the test that notices it in a process that has loaded Odoo already, else None."""
        files = sorted({self.path(name.partition('::')[0]) for mutant in mutants for name in mutant.tests.split()})
        changes = [[mutant.file, mutant.old, mutant.new, mutant.tests.split()] for mutant in mutants]
        plugins = self.addon / 'scripts' / 'pytest_plugins'
        environment = {
            **os.environ,
            'CHANGED_LINES': json.dumps(changes),
            'PYTHONPATH': f'{plugins}:{os.environ["PYTHONPATH"]}',
        }
        command = self.command('-s', '-p', 'no:terminal', '-p', 'changed_lines', *files)
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            found = (json.loads(line.split(' ', 1)[1]) for line in process.stdout if line.startswith('ANSWER '))
            for _mutant in mutants:
                yield next(found, None) or None

    def run(self, names):
        """Return the first of these tests that fails, as `file::class::test`, None if all pass."""
        left_out = [name for name, fails in self.fails_anyway.items() if fails]
        command = self.command(
            '-q',
            '-x',
            '--tb=line',
            *map(self.path, names),
            *(f'--deselect=tests/{name.replace("::", ".py::", 1)}' for name in left_out),
        )
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return 'a test that does not end'
        if done.returncode in (0, 5):  # all passed, or all were left out
            return None
        failed = FAILED.search(done.stdout)
        return f'{failed[1]}::{failed[2]}' if failed else 'the tests cannot be run'

    def path(self, name):
        file, separator, test = name.partition('::')
        return f'{self.addon / "tests" / file}.py{separator}{test}'

    def notice(self, mutant):
        """Return the test that fails with the change and passes without it, None if there is none."""
        path = self.addon / mutant.file
        text = path.read_text()
        while True:
            path.write_text(text.replace(mutant.old, mutant.new))
            try:
                test = self.run(mutant.tests.split())
            finally:
                path.write_text(text)
            if test is None or '::' not in test:
                return test
            if test not in self.fails_anyway:
                self.fails_anyway[test] = self.run([test]) is not None
            if not self.fails_anyway[test]:
                return test


def main(addon, database, words):
    addon = Path(addon)
    mutants = [Mutant(*entry) for entry in ENTRY.findall((addon / 'tests' / 'mutants.txt').read_text())]
    wanted = [each for each in mutants if not words or any(word in each.rule + each.file for word in words)]
    stale = [each for each in wanted if (addon / each.file).read_text().count(each.old) != 1]
    tests, left, survivors = Tests(addon, database), [], []
    fresh = [each for each in wanted if each not in stale]
    started = time.monotonic()
    for each, by in zip(fresh, tests.answers(fresh), strict=True):
        left += [each] if by is None else []
        started = tell(each, by or 'not yet noticed', started)
    for each in left:
        by = tests.notice(each)
        survivors += [each] if by is None else []
        started = tell(each, by or 'SURVIVED', started)
    for heading, some in (('Not in its file, or more than once', stale), ('Noticed by no test', survivors)):
        for each in some:
            print(f'{heading}: {each.file}: {each.rule}\n- {each.old}\n+ {each.new}')
    for test in (name for name, fails in tests.fails_anyway.items() if fails):
        print(f'Fails without any change, and was left out: {test}')
    print(
        f'{len(wanted) - len(stale)} changes in {len({each.file for each in wanted})} files, {len(survivors)} survivors'
    )
    return 1 if survivors or stale else 0


def tell(mutant, by, started):
    """Print what became of a change, with the seconds since `started`; return the present moment."""
    now = time.monotonic()
    print(f'{now - started:4.0f} s  {mutant.file}: {mutant.rule}: {by}', flush=True)
    return now


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:3], sys.argv[3:]))
