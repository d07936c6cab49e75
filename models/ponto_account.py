import pytz

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from .error_sentences import failure_sentence


class PontoAccount(models.Model):
    """An online bank account that a Ponto integration may read, linked to at most one journal."""

    _name = 'ponto.account'
    _inherit = 'ponto.mirror'
    _description = "Online Bank Account"
    _order = 'link_id, id'
    _check_company_auto = True

    # What Ponto says
    name = fields.Char(compute='_compute_name')
    ponto_id = fields.Char(string="Ponto ID", required=True, readonly=True, copy=False)
    link_id = fields.Many2one('ponto.link', required=True, readonly=True, index=True, ondelete='restrict')
    integration_id = fields.Many2one(related='link_id.integration_id', store=True, index=True)
    company_id = fields.Many2one(related='link_id.company_id', store=True, index=True)
    institution_id = fields.Many2one(related='link_id.institution_id', store=True)
    reference = fields.Char(string="Account Number", readonly=True)
    reference_type = fields.Char(readonly=True)
    subtype = fields.Char(readonly=True)
    description = fields.Char(readonly=True)
    holder_name = fields.Char(string="Holder", readonly=True)
    product = fields.Char(readonly=True)
    internal_reference = fields.Char(readonly=True, help="The bank's own reference of the account.")
    currency_code = fields.Char(readonly=True)
    currency_id = fields.Many2one('res.currency', compute='_compute_currency_id', store=True)
    has_balance = fields.Boolean(readonly=True, help="Not every bank reports a balance.")
    current_balance = fields.Monetary(string="Bank Balance", readonly=True)
    balance_date = fields.Datetime(string="Balance as of", readonly=True)
    bank_data_at = fields.Datetime(readonly=True, help="When the bank last gave Ponto the balance.")
    authorized_at = fields.Datetime(readonly=True)
    authorization_expires_at = fields.Datetime(string="Authorized until", readonly=True)
    availability = fields.Char(readonly=True)
    deprecated = fields.Boolean(readonly=True)
    bank_error_code = fields.Char(readonly=True)
    bank_error_detail = fields.Char(readonly=True)

    # What Odoo does with it
    journal_id = fields.Many2one(
        'account.journal',
        readonly=True,
        copy=False,
        check_company=True,
        ondelete='restrict',
        domain="[('type', 'in', ('bank', 'credit')), ('company_id', '=', company_id)]",
    )
    start_date = fields.Date(
        copy=False, help="Transactions before this date stay out of the books. Empty: everything that Ponto has."
    )
    wanted_from = fields.Date(
        readonly=True, copy=False, help="Older transactions were asked for from this day on, and may still come in."
    )
    wanted_until = fields.Date(readonly=True, copy=False)
    date_basis = fields.Selection(
        [('execution', "Execution date"), ('value', "Value date")],
        string="Booked on",
        required=True,
        default='execution',
    )
    time_zone = fields.Selection(
        lambda self: [(zone, zone) for zone in pytz.common_timezones],
        required=True,
        default='Europe/Brussels',
        help="The bank's time zone: Ponto reports a bank's midnight in UTC.",
    )
    state = fields.Selection(
        [('new', "Not Linked"), ('active', "Synchronized"), ('error', "Failed"), ('withdrawn', "Not Authorized")],
        required=True,
        default='new',
        readonly=True,
        copy=False,
    )
    failure = fields.Json(readonly=True, copy=False, help="Why the last run failed, see `error_sentences`.")
    error_message = fields.Text(compute='_compute_error_message')
    failure_count = fields.Integer(readonly=True, copy=False)
    last_read_at = fields.Datetime(string="Last Fetch", readonly=True, copy=False)
    next_read_at = fields.Datetime(string="Next Fetch", readonly=True, copy=False, index=True)
    transaction_ids = fields.One2many('ponto.transaction', 'account_id')
    synchronization_ids = fields.One2many('ponto.synchronization', 'account_id')

    _ponto_id_uniq = models.UniqueIndex('(integration_id, ponto_id)', "This online account is already known.")
    _journal_uniq = models.UniqueIndex(
        '(journal_id) WHERE journal_id IS NOT NULL',
        "This journal already receives the transactions of another online account.",
    )

    # -------------------------------------------------------------------------
    # Computes and constraints
    # -------------------------------------------------------------------------

    @api.depends('reference', 'description', 'holder_name', 'currency_code')
    def _compute_name(self):
        for account in self:
            label = account.description or account.product or account.holder_name
            parts = [account.reference, label, account.currency_code]
            account.name = ' · '.join(part for part in parts if part) or account.ponto_id

    @api.depends('currency_code')
    def _compute_currency_id(self):
        currencies = (
            self.env['res.currency']
            .with_context(active_test=False)
            .search([('name', 'in', list(filter(None, self.mapped('currency_code'))))])
        )
        by_code = {currency.name: currency for currency in currencies}
        for account in self:
            account.currency_id = by_code.get(account.currency_code, False)

    @api.depends_context('lang')
    @api.depends('failure')
    def _compute_error_message(self):
        for account in self:
            account.error_message = failure_sentence(self.env, account.failure) or False

    @api.constrains('journal_id', 'company_id', 'currency_code')
    def _check_journal(self):
        for account in self.filtered('journal_id'):
            journal = account.journal_id
            # In a parent's journal core would choose the company of an entry by whoever happens to be at work.
            if journal.company_id != account.company_id:
                raise ValidationError(
                    self.env._(
                        "The journal %(journal)s belongs to %(other)s. Choose a journal of %(company)s.",
                        journal=journal.display_name,
                        other=journal.company_id.name,
                        company=account.company_id.name,
                    )
                )
            currency = journal._ponto_currency()
            if currency != account.currency_id:
                raise ValidationError(
                    self.env._(
                        "The account %(account)s is in %(currency)s but the journal %(journal)s is in %(other)s."
                        " Choose a journal in %(currency)s.",
                        account=account.reference or account.name,
                        currency=account.currency_code or '?',
                        journal=journal.display_name,
                        other=currency.name,
                    )
                )

    def _wanted_domain(self):
        """Return the domain of the days for which somebody has asked for older transactions."""
        if not self.wanted_from:
            return Domain.FALSE
        return Domain('date', '>=', self.wanted_from) & (
            Domain('date', '<=', self.wanted_until) if self.wanted_until else Domain.TRUE
        )

    @api.ondelete(at_uninstall=False)
    def _check_nothing_booked(self):
        if (
            self.env['ponto.transaction']
            .sudo()
            .search_count([('account_id', 'in', self.ids), ('state', 'in', ('booked', 'removed'))], limit=1)
        ):
            raise UserError(
                self.env._(
                    "This online account has transactions in the books. Odoo must remember them so that it never"
                    " imports them twice. Unlink its journal instead."
                )
            )

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_unlink_journal(self):
        """Stop receiving transactions; what is in the books stays, and linking again imports nothing twice."""
        self.check_access('write')
        journals = self.journal_id
        self.sudo()._set_unlinked()
        journals.sudo().bank_statements_source = 'undefined'

    # -------------------------------------------------------------------------
    # Named transitions: the only writers of `state`. What belongs to a state is left with it
    # -------------------------------------------------------------------------

    def _set_linked(self, journal, **vals):
        """This account's transactions are received in `journal` from now on; the next run reads them."""
        self._set_state('active', journal_id=journal.id, next_read_at=fields.Datetime.now(), **vals)

    def _set_unlinked(self):
        """No journal receives these accounts' transactions any more. One that Ponto withholds stays withheld."""
        for account in self:
            state = 'withdrawn' if account.state == 'withdrawn' else 'new'
            account._set_state(state, journal_id=False, **self._no_next_run())

    def _set_active(self):
        """Ponto has let Odoo read these feeds just now."""
        self._set_state('active')

    def _set_failed(self, failure, failure_count):
        """A run over these feeds has failed.

        :param failure: why, as `error_sentences.failure_of` returns it
        :param failure_count: how many runs have failed one after the other
        """
        self._set_state('error', failure=failure, failure_count=failure_count)

    def _set_withdrawn(self):
        """Ponto no longer lets Odoo read these accounts: nothing is tried until somebody gives the permission again."""
        self._set_state('withdrawn', **self._no_next_run())

    def _set_authorized(self):
        """Ponto lists these accounts again; those that have been withdrawn are read at once where they are linked."""
        for account in self.filtered(lambda account: account.state == 'withdrawn'):
            if account.journal_id:
                account._set_state('active', next_read_at=fields.Datetime.now())
            else:
                account._set_state('new')

    @api.model
    def _no_next_run(self):
        return {'next_read_at': False, 'pending_synchronization_ids': False}

    def _set_state(self, state, **companions):
        self._write_changes({'state': state, 'failure': False, 'failure_count': 0, **companions})

    def _is_authorized(self):
        """Return whether Ponto lets Odoo read this account, as far as is known."""
        return self.state != 'withdrawn' and self.integration_id.state == 'connected'

    # -------------------------------------------------------------------------
    # The account's rows
    # -------------------------------------------------------------------------

    def _inbox(self):
        """Return the inbox as the stages see it: as superuser, in the account's company."""
        return self.env['ponto.transaction'].sudo().with_company(self.company_id)

    def _rows(self, ponto_ids):
        """Return the account's inbox rows with these Ponto ids."""
        return self._inbox().search([('account_id', '=', self.id), ('ponto_id', 'in', ponto_ids)])

    # -------------------------------------------------------------------------
    # The account's history
    # -------------------------------------------------------------------------

    def _note_run(self, state, trigger, started_at, **vals):
        """Add a run that ends now to the history of this account, with `vals` of it, and return it."""
        return (
            self.env['ponto.synchronization']
            .sudo()
            .create(
                {
                    'account_id': self.id,
                    'journal_id': self.journal_id.id,
                    'state': state,
                    'trigger': trigger,
                    'started_at': started_at,
                    'ended_at': fields.Datetime.now(),
                    **vals,
                }
            )
        )

    def _last_run(self):
        """Return the newest history row of the account, by the order in which runs were made and not by any clock."""
        return self.env['ponto.synchronization'].sudo().search([('account_id', '=', self.id)], order='id desc', limit=1)

    def _last_done_run(self):
        """Return the newest run of the account that has not failed."""
        return (
            self.env['ponto.synchronization']
            .sudo()
            .search([('account_id', '=', self.id), ('state', '=', 'done')], limit=1)
        )
