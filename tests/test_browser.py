from odoo.tests import HttpCase, tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestBrowser(PontoCase, HttpCase):

    def test_an_accountant_goes_from_add_a_bank_account_to_a_visible_statement_line(self):
        self.integration.unlink()
        self.simulator.add_institution("Amstelbank", country='NL')
        self.simulator.add_transaction(
            self.online, 121, '2026-03-02', counterpart_name="Bakkerij Smit", remittance_information="Invoice 2026/17")
        self.start_tour('/odoo', 'account_online_ponto.add_bank_account', login=self.accountant.login)
        line = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        self.assertRecordValues(line, [{'amount': 121, 'payment_ref': "Invoice 2026/17"}])

    def test_a_beta_bank_is_added_after_it_was_said_who_supports_it(self):
        bank = self.simulator.add_institution("Amstelbank", country='NL', status='beta')
        account = self.simulator.add_account('NL91ABNA0417164300', institution=bank)
        self.simulator.add_transaction(account, -850, '2026-03-03', remittance_information="Huur")
        self.env['ponto.institution']._refresh_catalogue()
        self.integration._fetch_accounts()
        self.start_tour('/odoo', 'account_online_ponto.add_beta_bank', login=self.accountant.login)
        line = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        self.assertRecordValues(line, [{'amount': -850, 'payment_ref': "Huur"}])

    def test_a_bank_that_is_not_listed_is_set_up_by_hand(self):
        # Odoo's own set-up makes a bank account of the company's contact.
        self.accountant.group_ids |= self.env.ref('base.group_partner_manager')
        self.env['ponto.institution']._refresh_catalogue()
        self.start_tour('/odoo', 'account_online_ponto.bank_not_listed', login=self.accountant.login)
        self.assertTrue(self.env['account.journal'].search([
            ('company_id', '=', self.company.id), ('bank_account_id.sanitized_acc_number', '=', 'BE71096123456769')]))
