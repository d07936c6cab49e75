"""From 19.0.1.0.0: what rows of the inbox remember of deleted entries and of lines that they are not."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    note_removed(cr)
    keep_comparisons(cr)


def note_removed(cr):
    """Rows are noted as removed at once now when their entries are deleted; it was done before the next booking."""
    rows = api.Environment(cr, SUPERUSER_ID, {})['ponto.transaction']
    rows.search([('state', '=', 'booked'), ('statement_line_id', '=', False)])._remove()


def keep_comparisons(cr):
    """Where somebody had compared a row, it was never compared again: the lines of that time are not asked about."""
    cr.execute("""
        INSERT INTO ponto_transaction_different_line_rel
                    (ponto_transaction_id, account_bank_statement_line_id)
             SELECT row.id, line.id
               FROM ponto_transaction AS row
               JOIN ponto_account AS account ON account.id = row.account_id
          LEFT JOIN account_bank_statement_line AS own ON own.id = row.statement_line_id
               JOIN account_bank_statement_line AS line
                 ON line.journal_id = coalesce(own.journal_id, account.journal_id)
                AND line.amount = row.amount
                AND line.id IS DISTINCT FROM own.id
               JOIN account_move AS move ON move.id = line.move_id AND abs(move.date - row.date) <= 3
              WHERE row.is_checked
        ON CONFLICT DO NOTHING
    """)
