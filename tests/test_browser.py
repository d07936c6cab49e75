from odoo.tests import HttpCase, tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestBrowser(PontoCase, HttpCase):

    def test_an_accountant_goes_from_add_a_bank_account_to_a_visible_statement_line(self):
        self.integration.unlink()
        self.simulator.add_transaction(
            self.online, 121, '2026-03-02', counterpart_name="Bakkerij Smit", remittance_information="Invoice 2026/17")
        self.start_tour('/odoo', 'account_online_ponto.add_bank_account', login=self.accountant.login)
        line = self.env['account.bank.statement.line'].search([('company_id', '=', self.company.id)])
        self.assertRecordValues(line, [{'amount': 121, 'payment_ref': "Invoice 2026/17"}])
