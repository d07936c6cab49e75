"""Runs of Odoo's commands on one database, for scripts that look at it from outside. This process loads no Odoo."""

import contextlib
import os
import re
import subprocess
import sys

import psycopg2


class OdooRuns:
    """Odoo's commands on `database`; what is wrong gathers in `wrong`, as sentences.

    :param work: a folder for the log
    :param addons: the folder that the addon is linked in; of Python's own warnings only those about it are wrong
    :param steps: the file with the functions that `step` runs
    """

    def __init__(self, database, work, addons, steps):
        self.database, self.work, self.addons, self.steps = database, work, addons, steps
        self.wrong = []

    def odoo(self, conf, *arguments):
        """Run Odoo once with the configuration file `conf`; any warning in its log is wrong."""
        self._run(conf, arguments, stdin=subprocess.DEVNULL)

    def step(self, conf, name):
        """Run a function of the steps in Odoo's shell; it finds its name in ODOO_STEP."""
        with self.steps.open() as source:
            self._run(conf, ['shell'], stdin=source, ODOO_STEP=name)

    def query(self, statement):
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def _run(self, conf, arguments, stdin, **environment):
        command, *options = arguments if arguments[0] == 'shell' else ('server', *arguments, '--stop-after-init')
        log = self.work / 'odoo.log'
        process = subprocess.run(
            [sys.executable, '-m', 'odoo', command, '-d', self.database, '--no-http', f'--logfile={log}', *options],
            env={**os.environ, 'ODOO_RC': conf, **environment},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        name = environment.get('ODOO_STEP') or ' '.join(options)
        text = log.read_text() if log.exists() else ''
        log.unlink(missing_ok=True)
        if process.returncode:
            sys.exit(f'{text[-6000:]}\n{process.stdout[-6000:]}\n{name} failed.')
        self.wrong.extend(f'{name}: in the log: {entry.strip()[:800]}' for entry in self._warnings(text))
        if 'Traceback' in process.stdout:
            self.wrong.append(f'{name}: {process.stdout[-3000:]}')

    def _warnings(self, text):
        """Return the warnings and errors of a log; of Python's own warnings only those about the addon."""
        for entry in re.split(r'\n(?=\d{4}-\d\d-\d\d )', text):
            if re.match(r'\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ', entry) and (
                'py.warnings' not in entry or self.addons in entry
            ):
                yield entry
