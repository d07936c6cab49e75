"""Give rows of the inbox what new fields say about them; the fields are renamed by then."""

from odoo.tools.sql import column_exists


def migrate(cr, version):
    if column_exists(cr, 'ponto_transaction', 'is_changed'):
        number_sweeps(cr)
        keep_what_was_booked(cr)


def number_sweeps(cr):
    """Rows that are listed carry their account's number; a walk that was going on begins anew, as the next sweep."""
    cr.execute("""
        UPDATE ponto_transaction AS row SET sweep_number = account.sweep_number
          FROM ponto_account AS account
         WHERE account.id = row.account_id
    """)
    cr.execute("""
        UPDATE ponto_account SET sweep_number = coalesce(sweep_number, 0) + 1, resume_after = NULL,
               last_full_read_at = NULL
         WHERE resume_after IS NOT NULL OR last_full_read_at IS NULL
    """)


def keep_what_was_booked(cr):
    """A booked row knows what Ponto said when its line was written: the line's own details, if the bank has changed it.

    A changed rank is not known any more: the lines of such days get their places anew.
    """
    cr.execute(
        "ALTER TABLE ponto_transaction ADD COLUMN booked_attributes jsonb, ADD COLUMN booked_rank double precision"
    )
    cr.execute("""
        UPDATE ponto_transaction AS row
           SET booked_attributes = CASE WHEN row.is_changed AND line.transaction_details IS NOT NULL
                                        THEN line.transaction_details ELSE row.attributes END,
               booked_rank = CASE WHEN row.is_changed THEN 0 ELSE row.rank END
          FROM account_bank_statement_line AS line
         WHERE line.id = row.statement_line_id AND row.state = 'booked'
    """)
    cr.execute("DROP INDEX IF EXISTS ponto_transaction__to_book_idx")
    cr.execute("ALTER TABLE ponto_transaction DROP COLUMN is_changed, DROP COLUMN change, DROP COLUMN hold_detail")
