"""The opening line once it is made: each row tells whether the line holds it, and so the line keeps itself right.

When the line is made, all rows that Ponto lists are known. The line holds those that are skipped and none of the others
(`in_opening`), whatever day they get later. A row that enters the books although the line holds it is taken out of the
line in the same step. Of a row that comes later and is dated before the line, nothing tells whether the bank booked it
late, or whether Ponto now lists older transactions than before: a person is asked (`before_opening`).

The side of the rows is `ponto_transaction_opening.py`.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_amount

from .ponto_account_difference import LINES, ROWS
from .problem import Problem


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    excessive_opening_line_id = fields.Many2one(
        LINES,
        compute='_compute_excessive_opening_line_id',
        compute_sudo=True,
        help="The journal's opening line, if it holds older transactions that are in the books as well.",
    )

    @api.depends('journal_id')
    def _compute_excessive_opening_line_id(self):
        lines = self.env[LINES].search(
            [
                ('journal_id', 'in', self.journal_id.ids),
                ('is_ponto_opening', '=', True),
                ('ponto_opening_excess', '!=', 0),
            ]
        )
        by_journal = {line.journal_id: line for line in lines}
        for account in self:
            account.excessive_opening_line_id = by_journal.get(account.journal_id, False)

    def action_show_opening_line(self):
        """Open the opening line of the account's journal."""
        self.ensure_one()
        self.check_access('read')
        line = self._opening_line()
        if not line:
            raise UserError(self.env._("The journal has no opening line any more."))
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'account.move',
            'res_id': line.move_id.id,
            'views': [(False, 'form')],
        }

    # -------------------------------------------------------------------------
    # Make it, and keep it right
    # -------------------------------------------------------------------------

    def _book_opening_line(self):
        """Make the line if the journal lacks one, and return it, or nothing.

        What lies before it stays out of the books from then on unless somebody asks for it: the line holds it.
        """
        account = self.sudo().with_company(self.company_id)
        account._exclude_others()
        vals = account._prepare_opening_line_vals()
        line = account.env[LINES].create(vals) if vals else account.env[LINES]
        if line.ponto_opening_journal_id:
            account._rows_out_of_opening().in_opening = 'no'
            account._book_counterpart(line)
        elif line:
            account._note_what_opening_holds()
            if not account.start_date:
                account.start_date = line.ponto_opening_from
        return line

    def _exclude_others(self):
        """Let a transaction that does the same at the same time fail, so that Odoo tries it again and it sees this one.

        A lock would not do: having waited for it, the other transaction would go on with what it saw at its beginning.
        """
        # Nothing changes but the time of the change.
        self.write({})
        self.flush_recordset()

    def _note_what_opening_holds(self):
        """Note on each row whether the opening line, just made, holds it (see `_opening_balance`)."""
        rows = self.env[ROWS].search([('account_id', '=', self.id)])
        held = rows.filtered_domain(Domain('state', '=', 'skipped') & ~Domain(self._gone_domain()))
        held.in_opening = 'yes'
        (rows - held).in_opening = 'no'

    def _lower_opening_line(self, rows):
        """Take out of the opening line those of `rows`, just booked, that it holds.

        A line that is reconciled or lies in a locked period is left alone: `ponto_opening_excess` says by how much it
        is too high.
        """
        held = rows.filtered(lambda row: row.in_opening == 'yes')
        line = self._opening_line() if held else self.env[LINES]
        if line:
            held.in_opening = 'no'
            line._lower_opening(held.statement_line_id)

    def _opening_problem(self):
        line = self.excessive_opening_line_id
        excess = line.ponto_opening_excess
        if not excess:
            return None
        return Problem(
            'opening',
            'danger',
            self.env._(
                "The opening line of %(journal)s holds %(amount)s of older transactions that are in the books as well."
                " It is reconciled or lies in a locked period, so Odoo has not touched it: change it from %(old)s to"
                " %(new)s.",
                journal=self.journal_id.display_name,
                amount=format_amount(self.env, excess, self.currency_id),
                old=format_amount(self.env, line.amount, self.currency_id),
                new=format_amount(self.env, line.amount - excess, self.currency_id),
            ),
            'show_opening_line',
        )


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    ponto_opening_from = fields.Date(
        readonly=True, copy=False, help="The opening line was made to hold what lies before this day."
    )
    ponto_opening_excess = fields.Monetary(
        readonly=True, copy=False, help="By how much the opening line is too high: these transactions are in the books."
    )
    ponto_opening_journal_id = fields.Many2one(
        'account.journal', readonly=True, copy=False, help="The journal that the account had before this balance."
    )

    def write(self, vals):
        """Whoever changes an opening line that is too high makes it right by as much."""
        before = {line: line.amount for line in self if line.ponto_opening_excess} if 'amount' in vals else {}
        res = super().write(vals)
        for line, amount in before.items():
            line.sudo().ponto_opening_excess += line.amount - amount
        return res

    def _lower_opening(self, lines):
        """Take `lines`, just booked, out of this opening line, with what could not be taken out before, if it is open.

        It is what the account held before its first transaction in the books. So it moves to the day of the earliest
        of `lines` where that lies before its own day. Otherwise Odoo's balance of the days between would lack it, for
        instance at the end of the year. That day is open, as a line was just booked on it. Where Odoo does not move
        it, it stays on its day.
        """
        self.ponto_opening_excess += sum(lines.mapped('amount'))
        if self._is_open(self.date):
            amount = {'amount': self.amount - self.ponto_opening_excess}
            day = min(lines.mapped('date'))
            is_moved = day < self.date and self._write_exactly({**amount, 'date': day})
            if not is_moved:
                # Whatever Odoo objects to, the excess tells what is to be done.
                self._write_exactly(amount)
