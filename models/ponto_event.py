from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.tools.translate import LazyTranslate

from .moments import noted
from .turns import in_turns

_lt = LazyTranslate(__name__)

# Events after which there may be something to read.
NEWS = {
    'pontoConnect.synchronization.succeededWithoutChange',
    'pontoConnect.synchronization.failed',
    'pontoConnect.account.detailsUpdated',
    'pontoConnect.account.transactionsCreated',
    'pontoConnect.account.transactionsUpdated',
}
# Events that take away the reason for which reading may have failed until now.
RELIEFS = {'pontoConnect.account.reauthorized', 'pontoConnect.organization.unblocked'}
INTEGRATION_REVOKED = 'pontoConnect.integration.revoked'
ACCOUNT_REVOKED = 'pontoConnect.integration.accountRevoked'
# Summary and note of what the responsible people are told.
TOLD = {
    INTEGRATION_REVOKED: (
        _lt("Permission ended at Ponto"),
        _lt("Somebody has ended Odoo's permission at Ponto. No more transactions come in until you connect again."),
    ),
    ACCOUNT_REVOKED: (
        _lt("Account withdrawn at Ponto"),
        _lt("Odoo may no longer read %(accounts)s. Use Fetch Accounts to give the permission again."),
    ),
    'pontoConnect.integration.accountAdded': (
        _lt("New account at Ponto"),
        _lt("Odoo may now read another account. Use Fetch Accounts to link it to a journal."),
    ),
    'pontoConnect.organization.blocked': (
        _lt("Organization blocked by Ponto"),
        _lt("Ponto has blocked your organization, so no transactions come in. Ponto's support tells you why."),
    ),
}
KEPT_DAYS = 60
AGAIN_AFTER = timedelta(minutes=1)


class PontoEvent(models.Model):
    """A notice from Ponto Connect. The webhook controller has verified it, and the runner applies it once."""

    _name = 'ponto.event'
    _description = "Notice from Ponto"
    _order = 'id desc'
    _rec_name = 'type'

    ponto_id = fields.Char(required=True, readonly=True)
    type = fields.Char(required=True, readonly=True)
    organization_id = fields.Char(readonly=True)
    account_id = fields.Char(readonly=True)
    created_at = fields.Datetime(readonly=True, help="When Ponto made the notice; it may have come later, and again.")
    is_applied = fields.Boolean(readonly=True)

    _ponto_id_uniq = models.UniqueIndex('(ponto_id)', "This notice has been received already.")
    _to_apply_idx = models.Index('(id) WHERE is_applied IS NOT TRUE')

    @api.model
    def _receive(self, vals):
        """Keep the notice `vals` and wake the runner; a notice that is known already changes nothing."""
        if self.search_count([('ponto_id', '=', vals['ponto_id'])], limit=1):
            return
        try:
            with self.env.cr.savepoint():
                self.create(vals)
        except psycopg2.errors.UniqueViolation:
            # It has come twice at the same moment.
            return
        self.env.ref('account_online_ponto.ir_cron_synchronize')._trigger()

    @api.model
    def _apply_all(self):
        """Apply the notices that wait, the oldest first, each committed; never raises.

        :return: whether time was left for all
        """
        return in_turns(
            self.env, self.search([('is_applied', '=', False)], order='id'), lambda event: event._apply_one()
        )

    def _apply_one(self):
        """Apply the notice. One about an account that another worker is busy with is tried again a minute later."""
        if self.is_applied:
            return
        self.is_applied = self._apply()
        if not self.is_applied:
            self.env.ref('account_online_ponto.ir_cron_synchronize')._trigger(at=fields.Datetime.now() + AGAIN_AFTER)

    def _apply(self):
        """Return whether the notice could be applied now."""
        integrations = self._integrations()
        accounts = integrations.account_ids
        if accounts._lock_turn() != accounts:
            return False
        concerned = accounts.filtered(lambda account: account.ponto_id == self.account_id)
        feeds = (concerned if self.account_id else accounts).filtered('journal_id')
        if self.type in NEWS:
            # After a failure there is a reason to wait, which news do not take away.
            feeds.filtered(lambda account: account.state == 'active').next_read_at = fields.Datetime.now()
        elif self.type in RELIEFS:
            feeds.filtered(lambda account: account.state in ('active', 'error')).next_read_at = fields.Datetime.now()
        elif self.type == INTEGRATION_REVOKED:
            integrations._set_refused()
            accounts._set_withdrawn()
            self._tell(accounts)
        elif self.type == ACCOUNT_REVOKED:
            concerned._set_withdrawn()
            self._tell(concerned)
        elif self.type in TOLD:
            self._tell(accounts)
        return True

    def _integrations(self):
        """Return the connections that the notice is about.

        Notices may come late. One that ends a permission ends no permission that was given after it, and says nothing
        new of a connection that somebody has ended in Odoo.
        """
        integrations = self.env['ponto.integration'].search(
            [('connection', '=', 'connect'), ('organization_id', '=', self.organization_id)]
        )
        if not self.organization_id:
            return integrations.browse()
        if self.type in (INTEGRATION_REVOKED, ACCOUNT_REVOKED):
            made_at = self.created_at or self.create_date
            integrations = integrations.filtered(
                lambda integration: (
                    integration.state != 'draft'
                    and not (noted(integration.consented_at) and integration.consented_at > made_at)
                )
            )
        return integrations

    def _tell(self, accounts):
        """Leave an activity with the people responsible for these accounts, in their language."""
        for link in accounts.link_id:
            user = link._responsible()
            env = self.with_context(lang=user.lang).env
            summary, note = map(env._, TOLD[self.type])
            names = ', '.join(account.reference or account.name for account in accounts if account.link_id == link)
            link.activity_schedule(
                'mail.mail_activity_data_warning', user_id=user.id, summary=summary, note=note % {'accounts': names}
            )

    @api.autovacuum
    def _gc_events(self):
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEPT_DAYS)
        self.search([('create_date', '<', limit)], limit=10000).unlink()
