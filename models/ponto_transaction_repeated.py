"""Lines that come from elsewhere, such as a file, after the feed, and repeat what is in the books already."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .matching import near, pair
from .ponto_transaction_suspects import DUPLICATE_DAYS
from .rights import check_may_book

# Two transactions of the database do not see what the other one creates. An import or a booking lasts so long at most.
SIDE_BY_SIDE = timedelta(minutes=30)
# So long after their creation lines are compared with what was booked at the same time.
LATE = timedelta(days=2)


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _mark_repeated(self, line):
        """Let this booked row wait under *To Review* because `line` seems to be the same payment once more."""
        self.write(
            {
                'hold_reason': 'repeated',
                'hold_values': {
                    'kind': 'repeated',
                    'line': line.payment_ref or line.name,
                    'date': fields.Date.to_string(line.date),
                },
                'suspect_line_id': line.id,
            }
        )

    def _leave_one_line(self):
        """Delete the line that repeats this row's own, or the own one where only the other is reconciled.

        A line that somebody has cancelled since then is none of the two, nor is one that is another row's by now.

        :raises UserError: both are reconciled
        """
        own = self.statement_line_id.filtered(lambda line: line.state != 'cancel')
        other = self.suspect_line_id._free_lines()
        if own.is_reconciled and other.is_reconciled:
            raise UserError(
                self.env._(
                    "Both lines of %(label)s are reconciled. Undo the reconciliation of the one that is superfluous.",
                    label=self.payment_ref,
                )
            )
        row = self.sudo()
        if other.is_reconciled or (other and not own):
            own.unlink()
            row._mark_booked(other.sudo())
        else:
            other.unlink()
            row._mark_kept()


class AccountBankStatementLine(models.Model):
    _inherit = 'account.bank.statement.line'

    @api.model_create_multi
    def create(self, vals_list):
        """Find what the new lines repeat, unless the feed itself makes them."""
        lines = super().create(vals_list)
        if not self.env.context.get('ponto_feed'):
            # Whatever the journal's source is by now: rows of a feed that has ended are in its books as well.
            lines.filtered(lambda line: not line.is_ponto_opening)._find_repeated()
        return lines

    def _note_deleted(self):
        """Where a line goes that repeats another, there is nothing to review about the other any more."""
        rows = self.env['ponto.transaction'].sudo()
        rows.search([('suspect_line_id', 'in', self.ids), ('hold_reason', '=', 'repeated')])._mark_kept()
        return super()._note_deleted()

    def _find_repeated(self, may_repeat=lambda line, row: True):
        """Let the booked rows that these lines from elsewhere seem to repeat wait for a person; return those rows.

        A line about which a question is open repeats nothing else meanwhile.

        :param may_repeat: `may_repeat(line, row)` returns whether the question is to be asked about the two
        """
        found = self.env['ponto.transaction'].sudo()
        for journal, lines in self.sudo().grouped('journal_id').items():
            lines = lines._free_lines()
            lines -= found.search([('suspect_line_id', 'in', lines.ids)]).suspect_line_id
            rows = lines._may_be_repeated(journal)
            pairs = pair(
                {row: row.statement_line_id._payment() for row in rows},
                {line: line._payment() for line in lines},
                near(DUPLICATE_DAYS),
                may_be=lambda row, line: row._may_be(line) and may_repeat(line, row),
            )
            for line, row in pairs.items():
                row._mark_repeated(line)
                found += row
        return found

    def _is_as_old_as(self, row):
        """Return whether this line may have been created while `row` was booked, so that neither saw the other."""
        return abs(self.create_date - row.statement_line_id.create_date) <= SIDE_BY_SIDE

    def _may_be_repeated(self, journal):
        """Return the booked rows of `journal` with the amount of one of these lines, on a day about theirs."""
        rows = self.env['ponto.transaction'].sudo()
        if not self:
            return rows
        days = timedelta(days=DUPLICATE_DAYS)
        return rows.search(
            [
                ('statement_line_id.journal_id', '=', journal.id),
                ('statement_line_id.state', '!=', 'cancel'),
                ('state', '=', 'booked'),
                ('hold_reason', '=', False),
                ('amount', 'in', list(set(self.mapped('amount')))),
                ('date', '>=', min(self.mapped('date')) - days),
                ('date', '<=', max(self.mapped('date')) + days),
            ]
        )


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    def _find_repeated_side_by_side(self):
        """Find what lines of the last days repeat that was booked in these journals while they were created.

        `create` compares new lines with what is in the books, and booking compares with the lines that are there. Only
        a file that is imported while booking runs is compared by neither.
        """
        lines = self.env['account.bank.statement.line'].sudo()
        lines = lines.search(
            [
                ('journal_id', 'in', self.ids),
                ('create_date', '>', fields.Datetime.now() - LATE),
                ('ponto_transaction_ids', '=', False),
                ('state', '!=', 'cancel'),
            ]
        )
        return lines._find_repeated(lambda line, row: line._is_as_old_as(row))

    def action_ponto_find_duplicates(self):
        """Look through these whole journals for lines that repeat those of the feed; show both side by side."""
        check_may_book(self.env)
        self.check_access('read')
        lines = self.env['account.bank.statement.line'].search(
            [('journal_id', 'in', self.ids), ('ponto_transaction_ids', '=', False), ('state', '!=', 'cancel')]
        )
        lines._find_repeated()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'account_online_ponto.ponto_transaction_action_duplicates'
        )
        # What a feed that has ended has brought is in the journal as well.
        action['domain'] = [
            ('hold_reason', 'in', ('duplicate', 'repeated')),
            '|',
            ('journal_id', 'in', self.ids),
            ('statement_line_id.journal_id', 'in', self.ids),
        ]
        return action
