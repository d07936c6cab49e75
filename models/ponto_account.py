import time
from collections import Counter
from datetime import date, timedelta

import pytz

from odoo import api, fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ..ponto.errors import PontoApiError
from .conversions import naive_utc

# A bank may list a transaction late, below known ones: each run reads back this far before the last successful read.
OVERLAP = timedelta(days=30)
# ... and this often the whole list, so that nothing stays missed wherever Ponto puts it.
FULL_WALK_EVERY = timedelta(days=7)
# A run reads so many pages of an account (of 100 rows) before it commits, so that a history of years is read in steps,
# and no further page after so many seconds: with Odoo's default limits a worker is ended after 120.
PAGES_AT_ONCE = 30
SECONDS_AT_ONCE = 20
# Statement lines are booked in batches of this size, so that a killed worker loses little work.
BOOKING_BATCH = 200


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
    currency_code = fields.Char(readonly=True)
    currency_id = fields.Many2one('res.currency', compute='_compute_currency_id', store=True)
    has_balance = fields.Boolean(readonly=True, help="Not every bank tells a balance.")
    current_balance = fields.Monetary(string="Bank Balance", readonly=True)
    available_balance = fields.Monetary(readonly=True)
    balance_date = fields.Datetime(string="Balance as of", readonly=True)
    bank_data_at = fields.Datetime(string="Bank Data as of", readonly=True, help="When Ponto last asked the bank.")
    authorized_at = fields.Datetime(readonly=True)
    authorization_expires_at = fields.Datetime(string="Authorized until", readonly=True)
    availability = fields.Char(readonly=True)
    deprecated = fields.Boolean(readonly=True)
    bank_error_code = fields.Char(readonly=True)
    bank_error_detail = fields.Char(readonly=True)
    bank_error_message = fields.Char(
        string="Bank's Refusal",
        compute='_compute_bank_error_message',
        help="Why Ponto's last attempt to ask the bank failed. What Ponto has can be read none the less.",
    )

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
    error_message = fields.Text(readonly=True, copy=False)
    failure_count = fields.Integer(readonly=True, copy=False)
    last_read_at = fields.Datetime(string="Last Fetch", readonly=True, copy=False)
    last_full_walk_at = fields.Datetime(readonly=True, copy=False)
    walk_cursor = fields.Char(
        readonly=True, copy=False, help="The row at which reading the whole list was left unfinished."
    )
    walk_number = fields.Integer(readonly=True, copy=False, help="Counts the walks through the whole list in steps.")
    next_read_at = fields.Datetime(string="Next Fetch", readonly=True, copy=False, index=True)
    transaction_ids = fields.One2many('ponto.transaction', 'account_id')
    synchronization_ids = fields.One2many('ponto.synchronization', 'account_id')

    _ponto_id_uniq = models.UniqueIndex('(integration_id, ponto_id)', "This online account is already known.")
    _journal_uniq = models.UniqueIndex(
        '(journal_id) WHERE journal_id IS NOT NULL', "This journal already receives another online account."
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

    @api.depends('bank_error_code', 'bank_error_detail')
    def _compute_bank_error_message(self):
        for account in self:
            if not account.bank_error_code:
                account.bank_error_message = False
            elif account.bank_error_code.startswith('authorization'):
                account.bank_error_message = self.env._(
                    "The bank no longer accepts the consent, so nothing new comes in. Use Reconnect."
                )
            else:
                account.bank_error_message = self.env._(
                    "Ponto could not ask the bank (%(detail)s). This is often over within hours; if it lasts for a day,"
                    " use Reconnect.",
                    detail=account.bank_error_detail or account.bank_error_code,
                )

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
            currency = journal.currency_id or journal.company_id.currency_id
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

    def write(self, vals):
        """A changed start date, zone or date basis is applied to the rows that are not in the books yet."""
        res = super().write(vals)
        rows = self.env['ponto.transaction'].sudo()
        if {'date_basis', 'time_zone'} & set(vals):
            rows.search([('account_id', 'in', self.ids), ('state', '!=', 'booked')])._apply_dates()
        elif {'start_date', 'wanted_from', 'wanted_until'} & set(vals):
            for account in self:
                rows.search([('account_id', '=', account.id), *account._misplaced_domain()])._apply_dates()
        return res

    def _misplaced_domain(self):
        """Return the domain of the account's rows that may be on the wrong side of its start date."""
        waiting, skipped = Domain('state', 'in', ('new', 'held')), Domain('state', '=', 'skipped')
        if not self.start_date:
            return skipped
        return (waiting & Domain('date', '<', self.start_date)) | (
            skipped & (Domain('date', '>=', self.start_date) | self._wanted_domain())
        )

    def _wanted_domain(self):
        """Return the domain of the days for which somebody has asked for older transactions."""
        if not self.wanted_from:
            return Domain.FALSE
        return Domain('date', '>=', self.wanted_from) & (
            Domain('date', '<=', self.wanted_until) if self.wanted_until else Domain.TRUE
        )

    def _is_wanted(self, day):
        """Return whether somebody has asked for the older transactions of `day`."""
        return bool(
            self.wanted_from and self.wanted_from <= day and not (self.wanted_until and day > self.wanted_until)
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
                    "This online account has transactions in the books, and Odoo must remember them to never import"
                    " them twice. Unlink its journal instead."
                )
            )

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_unlink_journal(self):
        """Stop receiving transactions; what is in the books stays, and linking again imports nothing twice."""
        self.check_access('write')
        journals = self.journal_id
        self.sudo().write({'journal_id': False, 'state': 'new', 'next_read_at': False})
        journals.sudo().bank_statements_source = 'undefined'

    # -------------------------------------------------------------------------
    # The data path: read, then book
    # -------------------------------------------------------------------------

    def _synchronize(self, trigger='manual', limit=None, at_most=None):
        """Read each account, then book what can be booked. Does not commit.

        :param limit: book at most so many transactions of each account; the next run books the rest
        :param at_most: read at most so many pages of each account; the next run reads the rest
        :return: one `ponto.synchronization` for each account
        :raises PontoError: when an account cannot be read
        """
        runs = self.env['ponto.synchronization']
        for account in self:
            runs += account._book_into(account._read(trigger, at_most), limit)
        return runs

    def _book_into(self, run, limit=None, domain=None):
        """Book what waits in the inbox of one account, count it in `run` and return `run`. Does not commit.

        :param limit: book at most so many
        :param domain: book these only
        """
        for batch in self._batches_to_book(limit, domain):
            run._count(batch._book())
        return run

    def _read(self, trigger, at_most=None):
        """Read the account's details and transactions, `at_most` so many pages, into the inbox; return the run."""
        self.ensure_one()
        account = self.sudo().with_company(self.company_id)
        started_at = fields.Datetime.now()
        account._read_details()
        counts = account._read_transactions(at_most)
        account.integration_id._record_success()
        account.write({'state': 'active', 'error_message': False, 'failure_count': 0})
        account._plan_read(account._next_read_after(fields.Datetime.now()))
        return (
            self.env['ponto.synchronization']
            .sudo()
            .create(
                {
                    'account_id': account.id,
                    'journal_id': account.journal_id.id,
                    'trigger': trigger,
                    'state': 'done',
                    'started_at': started_at,
                    'ended_at': fields.Datetime.now(),
                    **counts,
                }
            )
        )

    def _last_run(self):
        """Return the newest history row of the account."""
        return self.env['ponto.synchronization'].sudo().search([('account_id', '=', self.id)], limit=1)

    def _read_details(self):
        """Read balance and consent of the account."""
        resource = self.integration_id._client().get_account(account_id=self.ponto_id)
        self._write_changes(self._prepare_account_vals(resource))

    def _read_transactions(self, at_most=None):
        """Read Ponto's transactions into the inbox; booking is another step. Does not commit.

        Ponto lists newest first in an order of its own, which is not that of the dates, so nothing stops at a date or
        at a known id: reading goes on past every page that holds something new or changed, past everything of the last
        `OVERLAP` days, and every `FULL_WALK_EVERY` to the end of the list.

        :param at_most: read so many pages; the next call goes on where this one has stopped, after what is new on top
        :return: `{'read_count', 'new_count', 'changed_count'}`
        :raises PontoError: when a page cannot be read
        """
        self.ensure_one()
        account = self.sudo()
        counts = Counter(read_count=0, new_count=0, changed_count=0)
        if account.walk_cursor:
            whole = account._walk(counts, at_most=at_most) or account._go_on(counts, at_most)
        else:
            whole = account._walk(counts, full=account._full_walk_due(), at_most=at_most)
        if whole:
            account.last_full_walk_at = fields.Datetime.now()
        account.last_read_at = fields.Datetime.now()
        return dict(counts)

    def _go_on(self, counts, at_most):
        """Go on with the walk that an earlier run has left unfinished; return whether the list's end was reached."""
        try:
            return self._walk(counts, full=self._full_walk_due(), at_most=at_most, after=self.walk_cursor)
        except PontoApiError as error:
            # What Ponto answers when the row to go on from is gone is not documented; then the walk begins anew.
            if error.status not in (400, 404):
                raise
            self.walk_cursor = False
            return self._walk(counts, full=True, at_most=at_most)

    def _walk(self, counts, *, full=False, at_most=None, after=None):
        """Read pages into the inbox, add what they hold to `counts`, and return whether the whole list is known now.

        :param full: go on to the end of the list, else until nothing can be new
        :param at_most: stop after so many pages, or earlier if they take long; `walk_cursor` then says where to go on
        :param after: the row below which to begin; by default at the top
        """
        inbox = self.env['ponto.transaction'].sudo().with_company(self.company_id)
        pages = self.integration_id._client().iter_transaction_pages(account_id=self.ponto_id, after=after)
        end = time.monotonic() + SECONDS_AT_ONCE
        seen = [after] if after else []
        in_steps = bool(self.walk_cursor)
        # Above a walk to go on with there is only what has come since: it has read the overlap itself.
        on_top = in_steps and not after
        is_end = True
        for number, page in enumerate(pages, 1):
            new, changed = inbox._take_in(self, page.items)
            counts.update(read_count=len(page.items), new_count=new, changed_count=changed)
            seen += [item.id for item in page.items]
            if page.items and not (full or new or changed or (not on_top and self._in_overlap(page.items))):
                if in_steps or inbox._is_complete(self, seen):
                    self.walk_cursor = on_top and self.walk_cursor
                    is_end = False
                    break
                # A known row is gone, or has moved: only the whole list tells which, in however many steps.
                full = True
                self.last_full_walk_at = False
            if at_most and page.next_url and (number == at_most or time.monotonic() > end):
                if not in_steps:
                    in_steps = True
                    self.walk_number += 1
                self.walk_cursor = seen[-1]
                is_end = False
                break
        inbox._rank(self, seen, after, is_end)
        if in_steps:
            inbox._note_listed(self, seen)
        if is_end:
            self.walk_cursor = False
            is_end = inbox._note_missing(self, None if after else seen)
        return is_end

    def _full_walk_due(self):
        return not self.last_full_walk_at or self.last_full_walk_at + FULL_WALK_EVERY <= fields.Datetime.now()

    def _in_overlap(self, items):
        start = self.last_read_at - OVERLAP
        return any(
            moment and naive_utc(moment) >= start for item in items for moment in (item.execution_date, item.value_date)
        )

    def _batches_to_book(self, limit=None, domain=None):
        """Yield the rows that may be booked now in batches, the oldest first; held ones are tried again."""
        inbox = self.env['ponto.transaction'].sudo()
        inbox._note_removed(self)
        # The untried ones go first (`new` before `held`): many held ones must not keep them waiting.
        rows = inbox.search(
            [('account_id', '=', self.id), *(domain or inbox._to_book_domain())],
            limit=limit,
            order='is_changed desc, state desc, date, rank, id',
        )
        for start in range(0, len(rows), BOOKING_BATCH):
            yield rows[start : start + BOOKING_BATCH].with_company(self.company_id)

    # -------------------------------------------------------------------------
    # Accounts of a grant
    # -------------------------------------------------------------------------

    @api.model
    def _update_from_grant(self, integration, links, resources):
        """Create or update the accounts of `integration` from all account `resources` that Ponto lists for it.

        An account that Ponto lists under a new id after a renewed consent, or through a new integration after the old
        one has ended, is recognised by its id or by number, currency and institution, and stays the same record:
        nothing is imported again. One that is listed no more is marked as not authorized. One that another live
        integration of the company reads stays with that one.

        :param links: `{Ponto institution id or None: ponto.link}`
        :return: the accounts that this integration reads
        """
        known = self.search([('company_id', '=', integration.company_id.id)])
        elsewhere = known.filtered(lambda account: account.integration_id != integration and account._is_authorized())
        by_ponto_id = {account.ponto_id: account for account in known}
        listed = {resource.id for resource in resources}
        lost = {
            self._identity(account.institution_id, account): account
            for account in known - elsewhere
            if account.ponto_id not in listed
        }
        accounts = self.browse()
        for resource in resources:
            link = links[resource.institution_id or None]
            vals = self._prepare_account_vals(resource)
            identity = self._identity(link.institution_id, vals)
            account = by_ponto_id.get(resource.id) or (identity and lost.pop(identity, None)) or self.browse()
            if account in elsewhere:
                continue
            if account:
                if account.ponto_id != resource.id:
                    # Its rows have new ids as well.
                    account.last_full_walk_at = False
                account._write_changes({**vals, 'link_id': link.id})
                if account.state == 'withdrawn':
                    account.write(
                        {
                            'state': 'active' if account.journal_id else 'new',
                            'next_read_at': account.journal_id and fields.Datetime.now(),
                        }
                    )
            else:
                account = self.create({**vals, 'link_id': link.id, 'time_zone': link.institution_id._local_zone()})
            accounts += account
        (integration.account_ids - accounts)._write_changes({'state': 'withdrawn'})
        return accounts

    def _is_authorized(self):
        return self.state != 'withdrawn' and self.integration_id.state == 'connected'

    @api.model
    def _identity(self, institution, vals):
        """Return what tells one account of a company from another, whatever id Ponto gives it; None: nothing does."""
        number = sanitize_account_number(vals['reference'])
        return (institution.id, number, vals['currency_code']) if number else None

    @api.model
    def _prepare_account_vals(self, resource):
        """Return the values of a `ponto.account` for an `Account` as Ponto reports it."""
        balance_date = resource.current_balance_reference_date or resource.current_balance_changed_at
        synchronization = resource.latest_synchronization
        error = next(iter(synchronization.errors if synchronization else ()), None)
        return {
            'ponto_id': resource.id,
            'reference': resource.reference,
            'reference_type': resource.reference_type,
            'subtype': resource.subtype,
            'description': resource.description,
            'holder_name': resource.holder_name,
            'product': resource.product,
            'currency_code': resource.currency,
            'has_balance': resource.current_balance is not None,
            'current_balance': float(resource.current_balance or 0),
            'available_balance': float(resource.available_balance or 0),
            'balance_date': naive_utc(balance_date),
            'bank_data_at': naive_utc(resource.synchronized_at),
            'authorized_at': naive_utc(resource.authorized_at),
            'authorization_expires_at': naive_utc(resource.authorization_expires_at),
            'availability': resource.availability,
            'deprecated': resource.deprecated,
            'bank_error_code': error and (error.code or 'error'),
            'bank_error_detail': error and error.detail,
        }

    # -------------------------------------------------------------------------
    # Journals
    # -------------------------------------------------------------------------

    def _propose_journal(self):
        """Return the company's free bank journal with this account's number and currency, else an empty recordset."""
        self.ensure_one()
        if not self.reference:
            return self.env['account.journal']
        journals = (
            self.env['account.journal']
            .sudo()
            .search(
                [
                    ('company_id', '=', self.company_id.id),
                    ('type', 'in', ('bank', 'credit')),
                    ('bank_account_id.sanitized_acc_number', '=', sanitize_account_number(self.reference)),
                    ('ponto_account_ids', '=', False),
                ]
            )
        )
        return journals.filtered(
            lambda journal: (journal.currency_id or journal.company_id.currency_id) == self.currency_id
        )[:1]

    def _propose_start_date(self, journal):
        """Return the day after the journal's last line, never in a locked period; False: as far back as Ponto has."""
        lines = self.env['account.bank.statement.line'].sudo()
        last = journal and lines.search([('journal_id', '=', journal.id)], limit=1).date
        proposed = last + timedelta(days=1) if last else False
        return max(filter(None, (proposed, self._first_open_day(journal))), default=False)

    def _first_open_day(self, journal):
        """Return the day after the last locked one; False when nothing is locked."""
        locked = self.company_id._get_user_fiscal_lock_date(journal)
        return locked + timedelta(days=1) if locked > date.min else False

    def _link_to_journal(self, journal, start_date=False):
        """Receive this account's transactions in `journal` from `start_date` on; the next run reads it."""
        self.ensure_one()
        self.sudo().write(
            {
                'journal_id': journal.id,
                'start_date': start_date,
                'state': 'active',
                'next_read_at': fields.Datetime.now(),
                # Older transactions were asked for in the books as they were then.
                'wanted_from': False,
                'wanted_until': False,
            }
        )
        journal.sudo().bank_statements_source = 'ponto'

    def _link_to_new_journal(self, start_date=False):
        """Make a bank journal (a credit card journal for a card) for this account, link it and return it."""
        self.ensure_one()
        account = self.sudo().with_company(self.company_id)
        if not account.currency_id:
            raise UserError(
                self.env._(
                    "Odoo does not know the currency %(currency)s of the account %(account)s.",
                    currency=account.currency_code or '?',
                    account=account.name,
                )
            )
        account.currency_id.active = True
        journal = account.env['account.journal'].create(account._prepare_journal_vals())
        account._link_to_journal(journal, start_date)
        return journal.with_env(self.env)

    def _prepare_journal_vals(self):
        """Return the values of the journal to make for this account."""
        self.ensure_one()
        number = self.reference_type in ('IBAN', 'BBAN') and self.reference
        name = ' '.join(filter(None, (self.institution_id.name, (self.reference or '')[-4:], self.currency_code)))
        vals = {
            'name': name or self.name,
            'type': 'credit' if self.subtype == 'card' else 'bank',
            'company_id': self.company_id.id,
            'currency_id': self.currency_id.id if self.currency_id != self.company_id.currency_id else False,
        }
        if number and vals['type'] == 'bank':
            vals.update(bank_acc_number=number, bank_id=self.institution_id._res_bank().id)
        return vals
