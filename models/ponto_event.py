import logging

import psycopg2.errors

from odoo import api, fields, models

_logger = logging.getLogger(__name__)

# Events after which there may be something to read.
NEWS = {
    'pontoConnect.synchronization.succeededWithoutChange', 'pontoConnect.synchronization.failed',
    'pontoConnect.account.detailsUpdated', 'pontoConnect.account.transactionsCreated',
    'pontoConnect.account.transactionsUpdated', 'pontoConnect.account.reauthorized',
}
KEPT_DAYS = 60


class PontoEvent(models.Model):
    """A notice from Ponto Connect, verified by the webhook controller; applied by the runner, once."""
    _name = 'ponto.event'
    _description = "Notice from Ponto"
    _order = 'id desc'
    _rec_name = 'type'

    ponto_id = fields.Char(required=True, readonly=True)
    type = fields.Char(required=True, readonly=True)
    organization_id = fields.Char(readonly=True)
    account_id = fields.Char(readonly=True)
    is_applied = fields.Boolean(readonly=True)

    _ponto_id_uniq = models.UniqueIndex('(ponto_id)', "This notice has been received already.")
    _to_apply_idx = models.Index('(id) WHERE is_applied IS NOT TRUE')

    @api.model
    def _receive(self, vals):
        """Keep the notice `vals` and wake the runner; a notice that is known already changes nothing."""
        try:
            with self.env.cr.savepoint():
                self.create(vals)
        except psycopg2.errors.UniqueViolation:
            return
        self.env.ref('account_online_ponto.ir_cron_synchronize')._trigger()

    @api.model
    def _cron_apply(self):
        """Apply the notices that wait, the oldest first, each committed; never raises.

        What another worker is busy with waits for the next run.
        """
        for event in self.search([('is_applied', '=', False)], order='id'):
            try:
                if event.try_lock_for_update():
                    event.is_applied = event._apply()
                self.env['ir.cron']._commit_progress()
            except Exception:  # the other notices, and the accounts that are due, must go on
                self.env.cr.rollback()
                _logger.warning("Notice %s from Ponto could not be applied yet", event.id, exc_info=True)

    def _apply(self):
        """Return whether the notice could be applied now."""
        integrations = self.env['ponto.integration'].search(
            [('api', '=', 'connect'), ('organization_id', '=', self.organization_id)])
        accounts = integrations.account_ids
        if self.account_id:
            accounts = accounts.filtered(lambda account: account.ponto_id == self.account_id)
        if accounts.try_lock_for_update(allow_referencing=True) != accounts:
            return False
        if self.type in NEWS:
            accounts.filtered('journal_id').write({'next_read_at': fields.Datetime.now()})
        elif self.type == 'pontoConnect.integration.revoked':
            integrations.state = 'refused'
            accounts._write_changes({'state': 'withdrawn'})
            self._tell(accounts, self.env._("Permission ended at Ponto"), self.env._(
                "Somebody has ended Odoo's permission at Ponto. No more transactions come in until you connect again."))
        elif self.type == 'pontoConnect.integration.accountRevoked':
            accounts._write_changes({'state': 'withdrawn'})
            self._tell(accounts, self.env._("Account withdrawn at Ponto"), self.env._(
                "Odoo may no longer read %(accounts)s. Use Fetch Accounts to give the permission again.",
                accounts=', '.join(account.reference or account.name for account in accounts)))
        elif self.type == 'pontoConnect.integration.accountAdded':
            self._tell(integrations.account_ids, self.env._("New account at Ponto"), self.env._(
                "Odoo may now read another account. Use Fetch Accounts to link it to a journal."))
        elif self.type == 'pontoConnect.organization.blocked':
            self._tell(accounts, self.env._("Organization blocked by Ponto"), self.env._(
                "Ponto has blocked your organization, so no transactions come in. Ponto's support tells you why."))
        elif self.type == 'pontoConnect.organization.unblocked':
            accounts.filtered('journal_id').write({'next_read_at': fields.Datetime.now()})
        return True

    def _tell(self, accounts, summary, note):
        """Leave an activity with the people responsible for these accounts."""
        for link in accounts.link_id:
            link.activity_schedule(
                'mail.mail_activity_data_warning', user_id=link._responsible().id, summary=summary, note=note)

    @api.autovacuum
    def _gc_events(self):
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS)
        self.search([('is_applied', '=', True), ('create_date', '<', limit)], limit=10000).unlink()
