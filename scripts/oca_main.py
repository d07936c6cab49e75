"""What `scripts/oca` does: OCA's module fills the books, the addon is installed and takes over, then the others come.

This process loads no Odoo; `oca_steps.py` runs in Odoo's shell.
"""

import ast
import os
import sys
from datetime import datetime, timedelta, timezone
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

from odoo_runs import OdooRuns

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from simulator.server import Server

CONF = str(Path(os.environ['OCA_WORK']) / 'odoo.conf')
OTHERS = [name for name in os.environ['OCA_OTHERS'].split(',') if name]
IBAN = 'BE68539007547034'
DAYS = 90
TODAY = datetime.now(timezone.utc).date()
LINES = """
    SELECT line.id, move.date::text, line.amount::text, line.payment_ref
      FROM account_bank_statement_line line JOIN account_move move ON move.id = line.move_id
     ORDER BY line.id
"""

runs = OdooRuns(
    os.environ['OCA_DATABASE'],
    Path(os.environ['OCA_WORK']),
    os.environ['OCA_LINKED'],
    Path(__file__).with_name('oca_steps.py'),
)
wrong = runs.wrong


def main():
    simulator, online = make_bank()
    with Server(simulator) as server:
        os.environ.update(OCA_URL=server.url, OCA_CREDENTIALS=f'{CLIENT_ID} {CLIENT_SECRET} {IBAN}')
        runs.odoo(CONF, '-i', 'account_statement_import_online_ponto')
        runs.step(CONF, 'fill')
        before = runs.query(LINES)
        if len(before) != len(online.transactions):
            wrong.append(f"OCA's module made {len(before)} lines of {len(online.transactions)} transactions")
        runs.odoo(CONF, '-i', 'account_online_ponto')
        runs.step(CONF, 'link')
        check_moved(before)
        simulator.add_transaction(online, 77, TODAY, remittance_information='After moving over')
        runs.step(CONF, 'fetch')
        come = [line[3] for line in set(runs.query(LINES)) - set(before)]
        if come != ['After moving over']:
            wrong.append(f'one new transaction made the lines {come}')
        beside = install_others()
    for sentence in wrong:
        print(f'WRONG: {sentence}')
    print(f'{len(before)} lines moved over, {"wrong" if wrong else "none lost, none doubled"}.')
    print(f"Installed beside the addon: {len(beside)} of OCA's modules.")
    sys.exit(1 if wrong else 0)


def make_bank():
    """A bank of which a quarter of a year is known: equal payments on one day, payments with and without a text."""
    simulator = Simulator(real_clock=True)
    bank = simulator.add_institution('Kadebank', bic='KADEBEBB')
    online = simulator.add_account(IBAN, institution=bank)
    first = TODAY - timedelta(days=DAYS)
    for number in range(2 * DAYS):
        simulator.add_transaction(
            online,
            (number % 7 + 1) * (10 if number % 3 else -10),
            first + timedelta(days=number // 2),
            remittance_information=f'Row {number // 2}' if number % 5 else None,
            counterpart_name='Immo Zuidpark BV' if number % 4 else None,
        )
    return simulator, online


def check_moved(before):
    after = runs.query(LINES)
    if after != before:
        gone, come = set(before) - set(after), set(after) - set(before)
        wrong.append(f'moving over changed the books: {len(gone)} lines lost {list(gone)[:2]}, {len(come)} doubled')
    states = dict(runs.query('SELECT state, count(*) FROM ponto_transaction GROUP BY state'))
    if states != {'booked': len(before)}:
        wrong.append(f'the transactions are not all known as booked: {states}')
    if runs.query("SELECT 1 FROM online_bank_statement_provider WHERE active"):
        wrong.append("OCA's import is still on")


def install_others():
    """Install the others beside the addon, and read on; return those that were there to install."""
    before, beside = runs.query(LINES), installable()
    runs.odoo(CONF, '-i', ','.join(beside))
    if runs.query(LINES) != before:
        wrong.append("installing OCA's other modules changed the books")
    runs.step(CONF, 'fetch')
    return beside


def installable():
    """Return those of the others that have all that they build on; name the rest."""
    folders = [Path(name) for name in os.environ['OCA_PATH'].split(',')]
    found = []
    for name in OTHERS:
        manifest = next(path for folder in folders if (path := folder / name / '__manifest__.py').exists())
        needs = ast.literal_eval(manifest.read_text())
        missing = [need for need in needs['depends'] if not any((folder / need).exists() for folder in folders)]
        packages = needs.get('external_dependencies', {}).get('python', ())
        missing += [package for package in packages if not (find_spec(package) or list(distributions(name=package)))]
        if missing:
            print(f'Left out: {name}, which needs {", ".join(missing)}.')
        else:
            found.append(name)
    return found


if __name__ == '__main__':
    main()
