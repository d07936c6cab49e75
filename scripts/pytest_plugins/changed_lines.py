"""Tells which test notices the change of a line, without loading Odoo anew for each change.

Odoo is loaded once. Then a process is forked off for each change. It gives the function, or the constant of a module,
that the line belongs to its changed form, and runs the tests. What cannot be changed in a process that runs, such as a
field, is left to the caller.

`scripts/mutants_main.py` names the changes in the environment variable CHANGED_LINES, as JSON: a list of `[file, old
text, new text, [test, …]]`. For each of them one line goes to the standard output: `ANSWER` and JSON of the test that
fails with the change and passes without it, `null` if there is none, or `false` if the change cannot be made here.
"""

import ast
import inspect
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from odoo import sql_db
from odoo.modules.registry import Registry
from odoo.tests.common import get_db_name

PACKAGE = 'odoo.addons.account_online_ponto'
# A change may let a test wait for what never comes.
SECONDS = 600


def pytest_runtestloop(session):
    threading.current_thread().testing = True
    Registry(get_db_name())
    changes = Changes(session)
    for change in json.loads(os.environ['CHANGED_LINES']):
        # No process may use a connection of another one.
        sql_db.close_all()
        print('ANSWER', json.dumps(changes.notice(*change)), flush=True)
    return True


class Changes:
    def __init__(self, session):
        self.session = session
        self.fails_anyway = {}

    def notice(self, file, old, new, tests):
        path = Path(self.session.config.rootpath, file)
        source = path.read_text()
        changed = source.replace(old, new)
        make = prepare(module_of(file), source, changed, path)
        if make is None:
            return False
        wanted = [item for item in self.session.items if any(is_named(item, test) for test in tests)]
        while wanted:
            failed = in_a_fork(make, wanted)
            if failed is None or failed >= len(wanted):
                return None if failed is None else 'a test that does not end'
            item = wanted[failed]
            if item not in self.fails_anyway:
                self.fails_anyway[item] = in_a_fork(None, [item]) is not None
            if not self.fails_anyway[item]:
                return name_of(item)
            wanted.remove(item)
        return None


def name_of(item):
    return '::'.join(filter(None, (item.path.stem, item.cls and item.cls.__name__, item.name)))


def is_named(item, test):
    return f'{name_of(item)}::'.startswith(f'{test}::')


def in_a_fork(make, items):
    """Return the place of the first item that fails once `make()` was called, None if all pass."""
    pid = os.fork()
    if not pid:
        place = len(items)
        try:
            signal.alarm(SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            if make:
                make()
            place = first_failure(items)
        finally:
            os._exit(255 if place is None else min(place, 254))
    status = os.WEXITSTATUS(answer) if os.WIFEXITED(answer := os.waitpid(pid, 0)[1]) else 254
    return None if status == 255 else status


def first_failure(items):
    watch = Watch()
    items[0].config.pluginmanager.register(watch)
    for place, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
        reports = runtestprotocol(item, log=False, nextitem=following)
        if watch.has_failed or any(report.failed for report in reports):
            return place
    return None


class Watch:
    """Sees the failures within a test (`subTest`), which are reported on their own."""

    has_failed = False

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report):
        self.has_failed |= report.failed


# -------------------------------------------------------------------------
# The change in the module that is loaded
# -------------------------------------------------------------------------


def module_of(file):
    return sys.modules.get(f'{PACKAGE}.{file.removesuffix(".py").replace("/", ".")}')


def prepare(module, source, changed, path):
    """Return a callable that makes the change in the loaded `module`, None if that is not possible."""
    pairs = list(differing(ast.parse(source).body, ast.parse(changed).body))
    if module is None or len(pairs) != 1:
        return None
    [(before, after, owner)] = pairs
    if isinstance(before, ast.FunctionDef):
        return function_change(module, before, owner, compile(changed, path, 'exec'))
    if isinstance(before, ast.Assign) and isinstance(before.targets[0], ast.Name) and not owner:
        return constant_change(module, before.targets[0].id, after.value, path)
    return None


def differing(before, after, owner=''):
    """Yield `(statement, changed statement, class or '')` of the functions and other statements that differ."""
    for one, other in zip(before, after, strict=False):
        if ast.dump(one) == ast.dump(other):
            continue
        if isinstance(one, ast.ClassDef) and not owner and type(one) is type(other):
            yield from differing(one.body, other.body, one.name)
        else:
            yield one, other, owner


def function_change(module, function, owner, code):
    names = [owner, function.name] if owner else [function.name]
    found = module
    for name in names:
        found = inspect.getattr_static(found, name)
    found = getattr(found, '__func__', getattr(found, 'fget', found))
    found = inspect.unwrap(found)
    for name in names:
        code = next(each for each in code.co_consts if inspect.iscode(each) and each.co_name == name)
    if not inspect.isfunction(found) or code.co_freevars != found.__code__.co_freevars:
        return None

    def make():
        found.__code__ = code

    return make


def constant_change(module, name, value, path):
    old = getattr(module, name)

    def make():
        new = eval(compile(ast.Expression(value), path, 'eval'), vars(module))
        for each in [each for each in sys.modules.values() if getattr(each, '__name__', '').startswith(PACKAGE)]:
            if vars(each).get(name) is old:
                setattr(each, name, new)

    return make
