import itertools
from datetime import datetime, timezone
from urllib.parse import urlsplit

import requests

from odoo import Command, fields
from odoo.addons.account_online_ponto.models import budget
from odoo.tests import TransactionCase, new_test_user

from .simulator import CLIENT_ID, CLIENT_SECRET, Simulator

# Seconds that a request to Odoo, or a step in it, may take: a busy machine must not decide a test.
PATIENCE = 120
LIMITS = ('STEP', 'PONTO', 'CLICK')


class SimulatorMixin:
    """Routes all outgoing HTTP of a test class into a fresh simulator of Ponto, the only thing that is not real."""

    simulator = Simulator()

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        if urlsplit(request.url).hostname in ('127.0.0.1', 'localhost'):  # the test's own browser
            return super()._request_handler(session, request, **kw)
        return cls.simulator.send(request, session=session, **kw)

    @classmethod
    def setUpClass(cls):
        def send(session, request, **kw):
            return cls._request_handler(session, request, **kw)

        super().setUpClass()
        if 'standard' not in cls.test_tags:
            # Odoo itself routes the requests of its standard tests only.
            cls.classPatch(requests.Session, 'send', send)

    def setUp(self):
        super().setUp()
        type(self).simulator = simulator = Simulator()
        self.addCleanup(simulator.assert_expected)


class PontoCase(SimulatorMixin, TransactionCase):
    """A Belgian company whose Ponto has one checking account in euro, and an integration that may read it.

    The registry is in test mode: what the addon commits in transactions of its own stays in the test's.
    """

    chart = 'generic_coa'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.make_company("Brouwerij De Kade")
        cls.env.user.write({'company_ids': [Command.link(cls.company.id)], 'company_id': cls.company.id})
        cls.env = cls.env(context={**cls.env.context, 'allowed_company_ids': cls.company.ids, 'lang': 'en_US'})
        cls.company = cls.company.with_env(cls.env)
        cls.accountant = new_test_user(
            cls.env,
            'ponto_accountant',
            groups='account.group_account_manager,account.group_account_user',
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def make_company(cls, name, currency='EUR'):
        """Return a new company with a chart of accounts in `currency`."""
        company = cls.env['res.company'].create(
            {'name': name, 'country_id': cls.env.ref('base.be').id, 'currency_id': cls.env.ref(f'base.{currency}').id}
        )
        cls.env.ref(f'base.{currency}').active = True
        cls.env['account.chart.template'].try_loading(cls.chart, company=company, install_demo=False)
        company.currency_id = cls.env.ref(f'base.{currency}')
        return company

    def setUp(self):
        super().setUp()
        if not self._registry_patched:  # a test with a browser has done it already
            self.registry_enter_test_mode()
        # How long the client waits between its attempts is tested with the client.
        self.patch(type(self.env['ponto.integration']), '_sleep', staticmethod(lambda seconds: None))
        # What ends a step that takes long is tested with limits of its own.
        for limit in LIMITS:
            self.patch(budget, limit, PATIENCE)
        self.patch(budget, 'BOOKING', budget.Pace(budget.ROWS))
        self.bank = self.simulator.add_institution("Kadebank", bic='KADEBEBB')
        self.online = self.simulator.add_account('BE68539007547034', institution=self.bank, holder_name="De Kade")
        self.integration = self.env['ponto.integration'].create(
            {'company_id': self.company.id, 'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET}
        )

    def link(self, online=None, **vals):
        """Return the `ponto.account` of a simulated account (default: the one of `setUp`), linked to a new journal."""
        self.integration._fetch_accounts()
        account = self.env['ponto.account'].search([('ponto_id', '=', (online or self.online).id)])
        account._link_to_new_journal()
        account.write(vals)
        return account

    def set_pontos_clock(self):
        """Let it be the same time at Ponto as here, where Ponto has just asked the bank."""
        self.simulator.advance(seconds=(datetime.now(timezone.utc) - self.simulator.clock).total_seconds())
        self.simulator.synchronize(self.online)

    def lines(self, account):
        """Return the statement lines of the account's journal, the oldest first."""
        return (
            self.env['account.bank.statement.line']
            .search([('journal_id', '=', account.journal_id.id)])
            .sorted('internal_index')
        )

    def reconcile(self, line):
        """Move the counterpart of `line` from the suspense account to an income account, as reconciling does."""
        _liquidity, suspense, _other = line._seek_for_lines()
        income = self.env['account.account'].search(
            [('account_type', '=', 'income'), ('company_ids', 'in', self.company.ids)], limit=1
        )
        line.with_context(skip_readonly_check=True).line_ids = [Command.update(suspense.id, {'account_id': income.id})]

    def end_jobs_after(self, turns):
        """Let the time of each scheduled action be over after so many turns of its records."""
        looks = itertools.count()
        self.patch(budget, 'is_over', lambda env: next(looks) >= turns)

    def run_cron(self, name='ir_cron_synchronize'):
        """Run one of the addon's scheduled actions as Odoo's scheduler does, whatever is due by now."""
        self.env['ponto.account'].search([('next_read_at', '!=', False)]).next_read_at = fields.Datetime.now()
        self.env.flush_all()
        self.env.ref(f'account_online_ponto.{name}').method_direct_trigger()
        self.env.invalidate_all()
