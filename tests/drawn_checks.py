"""What must hold at every moment of a drawn history, recomputed from the records one by one.

The models sum the same in queries, and derive what is left from what they have summed.
"""

from datetime import timedelta

# What no record makes up: the model derives these reasons from what is left.
OF_THE_REST = ('ahead', 'uncounted', 'opening', 'before')
# What waits to be booked, or was set aside by a person.
WAITING = ('held', 'new', 'aside', 'ahead', 'uncounted')


def parts_of_difference(account):
    """Return `{code of a reason: amount}`: what the records of `account` tell of a difference of the balances."""
    day, journal = account._balance_day(), account.journal_id
    lines = account.env['account.bank.statement.line'].search([('journal_id', '=', journal.id)])
    lines = lines.filtered(lambda line: line.state == 'posted' and line.date <= day)
    opening = lines.filtered('is_ponto_opening')
    rows = account.transaction_ids
    listed = rows.filtered(lambda row: not row.missing_since)
    first_day = min((row.date for row in listed if row.date), default=None)
    own = listed.filtered(lambda row: row.currency_id == account.currency_id)
    counted = own.filtered(lambda row: row.date and row.date <= day and not (opening and row.in_opening == 'yes'))
    booked = own.filtered(lambda row: row.state == 'booked')
    journals = journal + account._opening_line().ponto_opening_journal_id
    gone = rows.filtered(lambda row: row.missing_since and first_day and row.date and row.date >= first_day)
    entries = account.env['account.move.line'].search(
        [('account_id', '=', journal.default_account_id.id), ('parent_state', '=', 'posted'), ('date', '<=', day)]
    )
    return {
        **{
            state: sum(row.amount for row in counted if row.state == state)
            for state in ('held', 'new', 'removed', 'aside', 'skipped')
        },
        'elsewhere': sum(row.amount for row in counted & booked if row.statement_line_id.journal_id not in journals),
        'bent': sum(
            row.amount * (row.date <= day) - sum((row.statement_line_id & lines).mapped('amount'))
            for row in booked
            if row.statement_line_id.journal_id == journal
        ),
        'gone': -sum((gone.statement_line_id & lines).mapped('amount')),
        'foreign': -sum((lines - opening - rows.statement_line_id).mapped('amount')),
        'entries': -sum(item.balance for item in entries if not item.move_id.statement_line_ids),
    }


class DrawnChecks:
    """Checks for a test case: what is told of an account is what its records tell, and no payment is there twice."""

    def check_told(self, account):
        """Check each reason of a difference by itself, and that Health is clean only if nothing is unexplained."""
        if not account.journal_id:
            return
        difference = account.balance_difference
        told = {reason.code: reason.amount for reason in account._difference_reasons()}
        parts = parts_of_difference(account) if difference else {}
        rest = difference - sum(parts.values())
        self.assertEqual(
            {code: round(amount, 2) for code, amount in told.items() if code not in OF_THE_REST},
            {code: amount for code, amount in ((code, round(part, 2)) for code, part in parts.items()) if amount},
        )
        self.assertAlmostEqual(sum(told.get(code, 0) for code in OF_THE_REST), rest, 2)
        waiting = sum(amount for code, amount in {**parts, **told}.items() if code in WAITING)
        self.check_health(account, bool(round(difference - waiting, 2)))

    def check_health(self, account, is_unexplained):
        account._note_differences()
        since = account.unexplained_since
        # What nothing explains is told once it has lasted for a day.
        account.unexplained_since = since and since - timedelta(days=2)
        codes = {problem.code for problem in account._problems()}
        to_review = account.transaction_ids.filtered('hold_reason')
        self.assertEqual('difference' in codes, is_unexplained)
        self.assertEqual(bool(codes & {'held', 'withdrawn_rows'}), bool(to_review))
        self.assertTrue(account.needs_attention or not (is_unexplained or to_review))
        account.unexplained_since = since

    def check_once(self, account, excepted=()):
        """Check that no two lines stand for one payment of the bank, unless a person is asked about it, or has decided.

        The internal reference, which Odoo does not look at, tells which rows are of one payment.

        :param excepted: internal references of payments that the bank has changed: nobody can tell what they were
        """
        booked = account.transaction_ids.filtered('statement_line_id')
        for reference, rows in booked.grouped(lambda row: row.attributes['internalReference']).items():
            silent = rows.filtered(
                # One under the account's former id may be recognized yet as an equal payment.
                lambda row: (
                    row.account_ponto_id == account.ponto_id
                    and not (row.hold_reason or row.is_doubtful or row.is_checked or row.different_line_ids)
                )
            )
            if reference not in excepted:
                self.assertLessEqual(len(silent), 1, rows.mapped(lambda row: (row.ponto_id, row.date, row.amount)))
