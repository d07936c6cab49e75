"""From 19.0.1.0.0: each transaction tells whether the opening line holds it."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Note it on the transactions of each journal with an opening line, as far as can be known.

    The line holds what was known and skipped when it was made. Of what came later and was skipped a person is asked.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    lines = env['account.bank.statement.line'].search(
        [('is_ponto_opening', '=', True), ('ponto_opening_from', '=', False), ('ponto_opening_journal_id', '=', False)]
    )
    for line in lines:
        line.ponto_opening_from = line.date
        journal = line.journal_id.id
        accounts = env['ponto.account'].search(
            ['|', ('journal_id', '=', journal), ('transaction_ids.statement_line_id.journal_id', '=', journal)]
        )
        note_what_it_holds(line, accounts.transaction_ids)


def note_what_it_holds(line, rows):
    known = rows.filtered(lambda row: row.create_date <= line.create_date)
    held = known.filtered(lambda row: row.state == 'skipped' and not row.missing_since)
    held.in_opening = 'yes'
    (known - held).in_opening = 'no'
    (rows - known).filtered(lambda row: row.state == 'skipped')._apply_dates()
