"""What a person decides about transactions: each that waits under *To Review* has a way out."""

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .hold_reasons import hold_sentence
from .messages import success
from .ponto_transaction import DECIDED


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    @api.depends('state', 'hold_reason')
    def _compute_can_book(self):
        self.can_book = False
        for account, rows in self.filtered(lambda row: row.state in ('new', 'held')).grouped('account_id').items():
            if account.journal_id:
                (rows - rows.browse(row.id for row in rows._reasons_to_hold(account))).can_book = True

    # -------------------------------------------------------------------------
    # Into the books
    # -------------------------------------------------------------------------

    def action_book(self):
        """Book the selected rows now where their reason to be held is gone; tell what became of them."""
        self._check_bookkeeper()
        self._check_journal()
        counts = self.sudo().filtered(lambda row: row.state in ('new', 'held'))._book()
        return success(
            self.env._(
                "%(booked)s booked, %(held)s still to review.", booked=counts['booked_count'], held=counts['held_count']
            )
        )

    def _check_journal(self):
        """:raises UserError: no journal receives any of these rows"""
        if self and not self.journal_id:
            raise UserError(
                self.env._(
                    "No journal is linked to the online account %(account)s, so Odoo cannot book its transactions. Link"
                    " one with Fetch Accounts first.",
                    account=self.account_id[0].reference or self.account_id[0].name,
                )
            )

    def action_import_anyway(self):
        """Book what somebody has compared and found to be right: suspected duplicates, what Ponto does not list any
        more, and what the opening line does not hold.
        """
        self._check_bookkeeper()
        self.sudo().filtered(lambda row: row.hold_reason == 'before_opening')._keep_out_of_opening()
        rows = self.sudo().filtered(lambda row: row.hold_reason in ('duplicate', 'missing'))
        rows.filtered(lambda row: not row.suspect_line_id).is_checked = True
        rows._note_different()
        return self.action_book()

    def _keep_out_of_opening(self):
        """Let these rows into the books, even before the start date; the opening line does not hold them."""
        self.write({'in_opening': 'no', 'is_wanted': True})

    def action_is_in_opening(self):
        """Say that the opening line holds these rows: they stay out of the books, or come in and lower the line where
        somebody has asked for older transactions.
        """
        self._check_bookkeeper()
        rows = self.sudo().filtered(lambda row: row.hold_reason == 'before_opening')
        rows.in_opening = 'yes'
        rows._apply_dates()
        rows.filtered(lambda row: row.state == 'held')._book()

    def action_import_skipped(self):
        """Book transactions that lie before the start date."""
        self._check_bookkeeper()
        self.sudo().filtered(lambda row: row.state == 'skipped')._want()
        return self.action_book()

    def action_import_again(self):
        """Bring back transactions whose statement line somebody has deleted, or that somebody has set aside."""
        self._check_bookkeeper()
        self.sudo().filtered(lambda row: row.state in ('removed', 'aside'))._queue()
        return self.action_book()

    # -------------------------------------------------------------------------
    # In the books already, or never
    # -------------------------------------------------------------------------

    def action_same_as_suspect(self):
        """Tie each row to the line that it seems to repeat, or leave it out like the row that it seems to be."""
        self._check_bookkeeper()
        for row in self.filtered(lambda row: row.hold_reason == 'repeated'):
            row._leave_one_line()
        for row in self.sudo().filtered(lambda row: row.state == 'held'):
            earlier = row.suspect_line_id.ponto_transaction_ids or row.earlier_id
            if row.suspect_line_id and not earlier:
                row._check_suspect()
                row._tie(row.suspect_line_id)
            elif earlier and earlier.state not in DECIDED:
                # Somebody has brought it back meanwhile.
                row._book()
            elif earlier and (not earlier._is_listed() or earlier.account_ponto_id != row.account_ponto_id):
                row._take_over(earlier)

    def _check_suspect(self):
        """:raises UserError: somebody has cancelled the entry of the line that this row seems to be"""
        if not self.suspect_line_id._free_lines():
            raise UserError(
                self.env._(
                    "%(entry)s has been cancelled. Post it again if it is the journal entry of %(label)s.",
                    entry=self.suspect_line_id.move_id.display_name,
                    label=self.payment_ref,
                )
            )

    def action_choose_line(self):
        """Ask which line of the journal this row is."""
        return self._open_settlement('line')

    def action_enter_amount(self):
        """Ask for the amount in the journal's currency with which this row enters the books."""
        return self._open_settlement('amount')

    def action_set_aside(self):
        """Ask why these rows are not to enter the books."""
        return self._open_settlement('aside')

    def _open_settlement(self, way):
        self._check_bookkeeper()
        if way != 'aside':
            self._check_journal()
        return self.env['ponto.settlement']._open_for(self, way)

    def _take_over(self, earlier):
        """Take the place of `earlier`, a row that Ponto now lists under this row's id: its line becomes this row's.

        The line then follows what Ponto says now. If `earlier` was removed from the books or set aside, this row is
        as well.
        """
        line, said = earlier.statement_line_id, earlier.booked_attributes
        state, reason = earlier.state, earlier.aside_reason
        self._take_over_answers(earlier)
        if earlier.account_id == self.account_id:
            earlier.unlink()
        else:
            # Should its own account ever be read again, it must not come back.
            earlier._remove()
        if state == 'removed':
            self._remove()
        elif state == 'aside':
            self._set_aside(reason)
        else:
            self._tie(line)
            self.booked_attributes = said
            self._book()

    def _take_over_answers(self, earlier):
        """Note what people have said of `earlier`, the same payment, and whether the opening line holds it."""
        self.write(
            {
                'in_opening': earlier.in_opening or self.in_opening,
                'is_wanted': earlier.is_wanted or self.is_wanted,
                'different_line_ids': [Command.link(line.id) for line in earlier.different_line_ids],
            }
        )

    def _enter(self, amount):
        """Book a held row with `amount` in the journal's currency; its own amount becomes the line's foreign one."""
        self.ensure_one()
        account = self.account_id
        obstacle = self._obstacle(account.journal_id) or self._day_obstacle(account, self.date)
        if obstacle:
            raise UserError(hold_sentence(self.env, **obstacle))
        row = self.with_company(account.company_id)
        [vals] = row._prepare_statement_lines_vals()
        vals['amount'] = amount
        if self.currency_id and self.currency_id != account.journal_id._ponto_currency():
            vals.update(foreign_currency_id=self.currency_id.id, amount_currency=self.amount)
        lines = row.env['account.bank.statement.line'].with_context(ponto_feed=True)
        row._tie(lines.create(vals).with_env(row.env))

    # -------------------------------------------------------------------------
    # Withdrawn by the bank
    # -------------------------------------------------------------------------

    def action_keep(self):
        """Let the lines of withdrawn rows stand, and both of what seems to be in the journal twice: all are right."""
        self._check_bookkeeper()
        rows = self.sudo().filtered(lambda row: row.hold_reason in ('withdrawn', 'repeated'))
        lines = rows.filtered(lambda row: row.hold_reason == 'repeated')._note_different()
        rows._mark_kept()
        lines._find_repeated()
        rows.account_id.link_id._take_back()

    def action_delete_line(self):
        """Delete the lines of withdrawn rows; what they were reconciled with is open again."""
        self._check_bookkeeper()
        rows = self.filtered(lambda row: row.hold_reason == 'withdrawn')
        lines = rows.statement_line_id
        lines.filtered('is_reconciled').action_undo_reconciliation()
        lines.unlink()
        rows.sudo().account_id.link_id._take_back()
