from odoo import api, fields, models

from .error_sentences import failure_sentence
from .odoo_names import get_parameter

KEPT_DAYS = 400


class PontoSynchronization(models.Model):
    """One run over one account: the history. Written by the data path, never by users."""

    _name = 'ponto.synchronization'
    _description = "Bank Synchronization"
    _order = 'started_at desc, id desc'
    _rec_name = 'account_id'

    account_id = fields.Many2one('ponto.account', required=True, index=True, ondelete='cascade')
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    journal_id = fields.Many2one('account.journal', readonly=True)
    trigger = fields.Selection(
        [('cron', "Automatic"), ('manual', "By hand"), ('backfill', "Date range")], required=True
    )
    state = fields.Selection([('done', "Done"), ('error', "Failed")], required=True)
    started_at = fields.Datetime(required=True, index=True)
    ended_at = fields.Datetime(required=True)
    read_count = fields.Integer(string="Read", help="Transactions that Ponto listed.")
    new_count = fields.Integer(string="New", help="Transactions that were not known before.")
    changed_count = fields.Integer(string="Changed", help="Known transactions that the bank has changed.")
    booked_count = fields.Integer(string="Booked", help="Transactions that became statement lines.")
    held_count = fields.Integer(string="Held", help="Transactions that wait under To Review.")
    error_code = fields.Char()
    failure = fields.Json(help="Why the run failed, see `error_sentences`.")
    message = fields.Text(compute='_compute_message')

    @api.depends_context('lang')
    @api.depends('failure')
    def _compute_message(self):
        for run in self:
            run.message = failure_sentence(self.env, run.failure)

    @api.autovacuum
    def _gc_history(self):
        """Forget runs older than the system parameter says, in days; 400 by default, so that a year can be compared."""
        days = get_parameter(self.env, 'account_online_ponto.history_days')
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=int(days) if days.isdigit() else KEPT_DAYS)
        self.search([('started_at', '<', limit)], limit=10000).unlink()

    def _count(self, counts):
        """Add `counts` (`{field: number}`) of one more step to the run; on an empty recordset nothing is recorded."""
        for run in self:
            run.write(
                {'ended_at': fields.Datetime.now(), **{name: run[name] + number for name, number in counts.items()}}
            )
