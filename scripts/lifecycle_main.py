"""What `scripts/lifecycle` does: a simulated Ponto on a socket, Odoo's commands, and a look at the books after each.

This process loads no Odoo; `lifecycle_steps.py` runs in Odoo's shell.
"""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg2

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from simulator.server import Server

ADDON = 'account_online_ponto'
DATABASE = os.environ['LIFECYCLE_DATABASE']
WORK = Path(os.environ['LIFECYCLE_WORK'])
ADDONS = os.environ['LIFECYCLE_ADDONS']
OLD, NEW = str(WORK / 'old.conf'), os.environ['LIFECYCLE_NEW_CONF']
STEPS = Path(__file__).with_name('lifecycle_steps.py')

# What the books are: names, dates, amounts and texts of all entries, and which line belongs to which.
BOOKS = """
    SELECT move.name, move.date::text, line.amount::text, line.payment_ref, line.partner_name, line.account_number,
           line.sequence, line.internal_index, line.transaction_details::text, journal.code,
           (SELECT sum(item.amount_residual)::text FROM account_move_line item WHERE item.move_id = move.id)
      FROM account_bank_statement_line line
      JOIN account_move move ON move.id = line.move_id
      JOIN account_journal journal ON journal.id = line.journal_id
     ORDER BY journal.code, line.internal_index
"""

# What the addon knows of Ponto's transactions.
INBOX = 'SELECT ponto_id, state, hold_reason, statement_line_id FROM ponto_transaction ORDER BY account_id, ponto_id'
CONNECTIONS = """
    SELECT account.ponto_id, account.state, account.start_date::text, account.journal_id, integration.state
      FROM ponto_account account JOIN ponto_integration integration ON integration.id = account.integration_id
     ORDER BY account.ponto_id
"""

wrong = []


def main():
    simulator = Simulator(real_clock=True)
    bank = simulator.add_institution("Kadebank", bic='KADEBEBB')
    online = [simulator.add_account(f'BE{number:014}', institution=bank) for number in range(2)]
    for account in online:
        for number in range(120):
            simulator.add_transaction(
                account,
                number - 40,
                f'2026-{number // 28 + 1:02}-{number % 28 + 1:02}',
                remittance_information=f'Row {number}',
            )
    simulator.add_transaction(online[0], -11, '2026-06-01', extra={'currency': 'USD'})
    with Server(simulator) as server:
        os.environ['LIFECYCLE_URL'] = server.url
        os.environ['LIFECYCLE_CREDENTIALS'] = f'{CLIENT_ID} {CLIENT_SECRET}'
        odoo(OLD, '-i', ADDON)
        step(OLD, 'fill')
        before, known = books(), query(INBOX) + query(CONNECTIONS)
        odoo(NEW, '-u', ADDON)
        compare('The upgrade', before)
        if query(INBOX) + query(CONNECTIONS) != known:
            wrong.append('the upgrade changed what the addon knows of accounts and transactions')
        step(NEW, 'read_on')
        compare('Reading on with nothing new', before)
        simulator.add_transaction(online[0], 500, '2026-06-02', remittance_information="After the upgrade")
        step(NEW, 'read_on')
        if len(books()) != len(before) + 1:
            wrong.append(f'one new transaction made {len(books()) - len(before)} lines')
        before = books()
        step(NEW, 'uninstall')
        compare('The uninstallation', before)
        check_nothing_left()
        odoo(NEW, '-i', ADDON)
        step(NEW, 'link_again')
        check_nothing_doubled(before)
        wrong.extend(
            f'a run failed: {row}' for row in query("SELECT * FROM ponto_synchronization WHERE state = 'error'")
        )
    for sentence in wrong:
        print(f'WRONG: {sentence}')
    print(f'{len(before)} lines: {"wrong" if wrong else "the same after each step"}.')
    sys.exit(1 if wrong else 0)


def odoo(conf, *arguments):
    """Run Odoo once with the version of the addon that `conf` names; any warning in its log is wrong."""
    run(conf, arguments, stdin=subprocess.DEVNULL)


def step(conf, name):
    """Run the function `name` of `lifecycle_steps.py` in Odoo's shell."""
    with STEPS.open() as source:
        run(conf, ['shell'], stdin=source, LIFECYCLE_STEP=name)


def run(conf, arguments, stdin, **environment):
    command, *options = arguments if arguments[0] == 'shell' else ('server', *arguments, '--stop-after-init')
    log = WORK / 'odoo.log'
    process = subprocess.run(
        [sys.executable, '-m', 'odoo', command, '-d', DATABASE, '--no-http', f'--logfile={log}', *options],
        env={**os.environ, 'ODOO_RC': conf, **environment},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    name = environment.get('LIFECYCLE_STEP') or ' '.join(options)
    text = log.read_text() if log.exists() else ''
    log.unlink(missing_ok=True)
    if process.returncode:
        sys.exit(f'{text[-6000:]}\n{process.stdout[-6000:]}\n{name} failed.')
    wrong.extend(f'{name}: in the log: {entry.strip()[:800]}' for entry in warnings(text))
    if 'Traceback' in process.stdout:
        wrong.append(f'{name}: {process.stdout[-3000:]}')


def warnings(text):
    """Return the warnings and errors of a log; of Python's own warnings only those about the addon."""
    for entry in re.split(r'\n(?=\d{4}-\d\d-\d\d )', text):
        if re.match(r'\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) ', entry) and (
            'py.warnings' not in entry or ADDONS in entry
        ):
            yield entry


def books():
    return query(BOOKS)


def query(statement):
    with contextlib.closing(psycopg2.connect(dbname=DATABASE)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def compare(what, before):
    after = books()
    if after != before:
        gone, come = set(before) - set(after), set(after) - set(before)
        wrong.append(
            f'{what} changed the books: {len(gone)} lines gone {list(gone)[:2]}, {len(come)} come {list(come)[:2]}'
        )


def check_nothing_doubled(before):
    """With the inbox Odoo has forgotten what somebody had removed: that row comes in again, and nothing else."""
    come = [line[3] for line in set(books()) - set(before)]
    if come != ['Row 100'] or not set(before) <= set(books()):
        wrong.append(f'linking after a new installation changed the books: {come} come')


def check_nothing_left():
    left = query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'ponto%'")
    left += query("SELECT name FROM ir_model_data WHERE module = 'account_online_ponto'")
    left += query("SELECT code FROM account_journal WHERE bank_statements_source = 'ponto'")
    if left:
        wrong.append(f'after the uninstallation there is still {left[:5]}')


if __name__ == '__main__':
    main()
