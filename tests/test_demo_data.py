"""What a database that is installed with demo data shows of the product."""

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools.convert import convert_file

from .. import uninstall_hook
from .test_reconciliation import ReconciliationCase


@tagged('post_install', '-at_install')
class TestDemoData(ReconciliationCase):
    def setUp(self):
        super().setUp()
        if self.env.ref('account_online_ponto.ponto_account_demo', raise_if_not_found=False):
            self.skipTest("This database has the demo data already")

    def load(self, company, mode='init'):
        """Return the online account that the demo data make for `company` in the place of the main company."""
        name = self.env['ir.model.data'].search([('module', '=', 'base'), ('name', '=', 'main_company')])
        name.res_id = company.id
        name.flush_recordset()
        convert_file(self.env(su=True), 'account_online_ponto', 'data/ponto_demo.xml', {}, mode, noupdate=True)
        return self.env.ref('account_online_ponto.ponto_account_demo', raise_if_not_found=False)

    def test_the_product_is_shown_and_ponto_is_asked_for_nothing(self):
        invoice = self.invoice(121, 'ABC-12345', invoice_date=fields.Date.today() - timedelta(days=5))
        before = self.env['account.journal'].search([])
        account = self.load(self.company)
        rows = account.transaction_ids
        self.assertNotIn(account.journal_id, before)
        self.assertEqual(len(rows.filtered(lambda row: row.state == 'booked')), 5)
        self.assertEqual(set(rows.mapped('hold_reason')), {False, 'duplicate', 'currency', 'future'})
        self.assertEqual(account.held_count, 3)
        self.assertEqual((account.balance_difference, account.current_balance > 0), (0, True))
        paid = self.lines(account).filtered(lambda line: line.proposal_grade == 'sure')
        self.assertEqual((paid.amount, paid.matching_invoice_id), (121, invoice))
        self.assertEqual([problem['code'] for problem in account.problems], ['disconnected', 'held'])
        self.run_cron('ir_cron_tell_problems')
        self.assertFalse(account.link_id.activity_ids)
        self.run_cron()
        message = account.with_user(self.accountant).action_fetch_transactions()['params']['message']
        self.assertIn("This bank was disconnected in Odoo", message)
        self.assertFalse(self.simulator.requests)

    def test_a_company_without_a_chart_of_accounts_has_everything_to_review(self):
        company = self.env['res.company'].create({'name': "Nieuwe Zaak", 'country_id': self.env.ref('base.nl').id})
        self.env.user.company_ids += company
        account = self.load(company)
        self.assertEqual(set(account.transaction_ids.mapped('state')), {'held'})
        self.assertIn("no suspense account", ' '.join(account.transaction_ids.mapped('hold_message')))

    def test_an_upgrade_makes_no_half_of_it(self):
        before = self.env['ponto.integration'].search_count([])
        self.assertFalse(self.load(self.company, 'update'))
        self.assertEqual(self.env['ponto.integration'].search_count([]), before)

    def test_an_uninstallation_need_not_delete_it_record_by_record(self):
        self.load(self.company)
        uninstall_hook(self.env)
        named = [('module', '=', 'account_online_ponto'), ('model', '=like', 'ponto.%')]
        self.assertFalse(self.env['ir.model.data'].search(named))
