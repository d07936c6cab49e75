"""What `scripts/lifecycle` does: a simulated Ponto on a socket, Odoo's commands, and a look at the books after each.

This process loads no Odoo; `lifecycle_steps.py` runs in Odoo's shell.
"""

import os
import sys
from pathlib import Path

from odoo_runs import OdooRuns

from simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from simulator.server import Server

ADDON = 'account_online_ponto'
DATABASE = os.environ['LIFECYCLE_DATABASE']
WORK = Path(os.environ['LIFECYCLE_WORK'])
OLD, NEW = str(WORK / 'old.conf'), os.environ['LIFECYCLE_NEW_CONF']

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

runs = OdooRuns(DATABASE, WORK, os.environ['LIFECYCLE_ADDONS'], Path(__file__).with_name('lifecycle_steps.py'))
wrong = runs.wrong


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
        runs.odoo(OLD, '-i', ADDON)
        runs.step(OLD, 'fill')
        before, known = books(), runs.query(INBOX) + runs.query(CONNECTIONS)
        runs.odoo(NEW, '-u', ADDON)
        compare('The upgrade', before)
        if runs.query(INBOX) + runs.query(CONNECTIONS) != known:
            wrong.append('the upgrade changed what the addon knows of accounts and transactions')
        runs.step(NEW, 'read_on')
        compare('Reading on with nothing new', before)
        runs.step(NEW, 'find_duplicates')
        if runs.query(INBOX) + runs.query(CONNECTIONS) != known:
            wrong.append('after the upgrade Odoo asks again what somebody had answered')
        simulator.add_transaction(online[0], 500, '2026-06-02', remittance_information="After the upgrade")
        runs.step(NEW, 'read_on')
        if len(books()) != len(before) + 1:
            wrong.append(f'one new transaction made {len(books()) - len(before)} lines')
        before = books()
        runs.step(NEW, 'uninstall')
        compare('The uninstallation', before)
        check_nothing_left()
        runs.odoo(NEW, '-i', ADDON)
        runs.step(NEW, 'link_again')
        check_nothing_doubled(before)
        wrong.extend(
            f'a run failed: {row}' for row in runs.query("SELECT * FROM ponto_synchronization WHERE state = 'error'")
        )
    for sentence in wrong:
        print(f'WRONG: {sentence}')
    print(f'{len(before)} lines: {"wrong" if wrong else "the same after each step"}.')
    sys.exit(1 if wrong else 0)


def books():
    return runs.query(BOOKS)


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
    left = runs.query("SELECT tablename FROM pg_tables WHERE tablename LIKE 'ponto%'")
    left += runs.query("SELECT name FROM ir_model_data WHERE module = 'account_online_ponto'")
    left += runs.query("SELECT code FROM account_journal WHERE bank_statements_source = 'ponto'")
    if left:
        wrong.append(f'after the uninstallation there is still {left[:5]}')


if __name__ == '__main__':
    main()
