from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models import budget


class PontoBackfill(models.TransientModel):
    """Fetch older transactions: everything that Ponto has from a date on."""

    _name = 'ponto.backfill'
    _description = "Fetch Older Transactions"

    account_ids = fields.Many2many('ponto.account', required=True, readonly=True)
    date_from = fields.Date(string="From", required=True)
    date_to = fields.Date(string="Until", help="Empty: until the date from which transactions are in the books.")
    opening_message = fields.Char(compute='_compute_opening_message')

    @api.depends('account_ids')
    def _compute_opening_message(self):
        for wizard in self:
            # Ids of others may be guessed.
            accounts = wizard.account_ids._origin._filtered_access('read')
            lines = (
                self.env['account.bank.statement.line']
                .sudo()
                .search([('journal_id', 'in', accounts.sudo().journal_id.ids), ('is_ponto_opening', '=', True)])
            )
            wizard.opening_message = (
                self.env._(
                    "The opening line of %(journals)s already contains older transactions. It is lowered by those that"
                    " come in.",
                    journals=', '.join(lines.journal_id.mapped('display_name')),
                )
                if lines
                else False
            )

    @api.model
    def _open_for(self, accounts):
        earliest = min(filter(None, accounts.mapped('start_date')), default=False)
        wizard = self.create({'account_ids': accounts.ids, 'date_from': earliest or fields.Date.context_today(self)})
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Fetch Older Transactions"),
            'res_model': self._name,
            'res_id': wizard.id,
            'views': [(False, 'form')],
            'target': 'new',
        }

    def action_fetch(self):
        """Read the whole list of each account and book what lies in the range; nothing is imported twice.

        What is too much for one request the scheduled actions read and book.
        """
        self.ensure_one()
        self.env['ponto.transaction']._check_bookkeeper()
        self.account_ids.check_access('read')
        if self.date_to and self.date_to < self.date_from:
            raise UserError(self.env._("The range ends before it begins."))
        accounts = self.account_ids.sudo().filtered('journal_id')
        free = accounts.try_lock_for_update(allow_referencing=True)
        runs = free._apart(self._fetch_one, 'backfill')
        self.env.ref('account_online_ponto.ir_cron_book').sudo()._trigger()
        too_high = [problem.sentence for account in free if (problem := account._opening_problem())]
        return runs._notify(busy=accounts - free, left=free - runs.account_id, remarks=too_high)

    def _fetch_one(self, account):
        # As asked now: a later start date is not to be undone by it.
        until = self.date_to or (account.start_date and account.start_date - timedelta(days=1))
        account._request_full_read()
        account.write({'wanted_from': self.date_from, 'wanted_until': until})
        return account._book_into(account._read('backfill', budget.PAGES), budget.ROWS)
