"""What a person finds in the demo beyond the figures: rows to review, a payment that can be made to arrive, and a bank
that is left to connect. Used by `demo_steps.py` inside Odoo, after its comparison.
"""

import importlib
import json
import shlex
import urllib.request
from datetime import timedelta

from odoo import fields

DEMO = 'odoo.addons.account_online_ponto.demo'
# Held as: a likely duplicate of what was entered by hand, and another currency than the journal's.
HELD = ['currency', 'duplicate']
OFFICE_ADDRESS = '81.82.83.85'
PAYER = 'Gemeente Zandhoven'
PAID = '1815.00'


def welcome(env):
    """Give the administrator full accounting rights and the dashboard to begin with."""
    dashboard = env.ref('account.open_account_journal_dashboard_kanban')
    env.ref('base.user_admin').write(
        {'group_ids': [(4, env.ref('account.group_account_user').id)], 'action_id': dashboard.id}
    )
    # Banks are asked on behalf of a person with a public address, which nobody has who sits before this machine.
    env.company.ponto_office_ip = OFFICE_ADDRESS


class Stage:
    """Prepares the demo for whoever logs in.

    :param accounts: the `ponto.account` records of the first company
    :param url: the simulator's address; its control plane must be open
    """

    def __init__(self, accounts, url):
        self.env, self.url = accounts.env, url
        self.parties = importlib.import_module(f'{DEMO}.parties')
        self.letting = importlib.import_module(f'{DEMO}.letting')
        self.checking = accounts.filtered(lambda account: account.reference == self.parties.IBAN_CHECKING)
        self.company = accounts.company_id
        self.invoice = self.env['account.move']

    def prepare(self):
        self._let_rows_be_held()
        self._invoice_what_is_to_arrive()
        self._make_second_company()

    def _let_rows_be_held(self):
        day = fields.Date.today() - timedelta(days=1)
        self.env['account.bank.statement.line'].create(
            {
                'journal_id': self.checking.journal_id.id,
                'date': day,
                'amount': -484.18,
                'payment_ref': "Drukkerij Pauwels, flyers",
            }
        )
        supplier = next(number for name, number, *_rest in self.parties.SUPPLIERS if name == 'Drukkerij Pauwels')
        self._steer(
            'add_transaction', account=self.checking.ponto_id, amount='-484.18', execution_date=str(day),
            counterpart_name='Drukkerij Pauwels', counterpart_reference=supplier, remittance_information='Flyers',
        )  # fmt: skip
        self._steer(
            'add_transaction', account=self.checking.ponto_id, amount='-129.00', execution_date=str(day),
            counterpart_name='SAWBLADES.COM', remittance_information='Order 88412', extra={'currency': 'USD'},
        )  # fmt: skip
        self.checking._synchronize()

    def _invoice_what_is_to_arrive(self):
        partner = self.env['res.partner'].search([('name', '=', PAYER)], limit=1)
        lines = [(0, 0, {'name': "Benches for the library", 'price_unit': float(PAID), 'tax_ids': False})]
        self.invoice = (
            self.env['account.move']
            .with_company(self.company)
            .create(
                {
                    'move_type': 'out_invoice',
                    'partner_id': partner.id,
                    'invoice_date': fields.Date.today(),
                    'invoice_line_ids': lines,
                }
            )
        )
        self.invoice.action_post()

    def payment(self):
        """Return the arguments with which the simulator lets the invoice be paid."""
        number = next(number for name, number, *_rest in self.parties.CUSTOMERS if name == PAYER)
        return {
            'account': self.checking.ponto_id,
            'amount': PAID,
            'execution_date': str(fields.Date.today()),
            'counterpart_name': PAYER,
            'counterpart_reference': number,
            'remittance_information': self.invoice.payment_reference or self.invoice.name,
        }

    def _make_second_company(self):
        """Make the company whose bank is left to connect, and let the administrator work in it."""
        belgium, euro = self.env.ref('base.be'), self.env.ref('base.EUR')
        # A country has Odoo install what its companies may need beside accounting: not for a demo.
        second = (
            self.env['res.company']
            .with_context(install_mode=True)
            .create({'name': self.letting.COMPANY, 'country_id': belgium.id, 'currency_id': euro.id})
        )
        self.env['account.chart.template'].try_loading('be_comp', second, install_demo=False)
        self.env.ref('base.user_admin').company_ids = [(4, second.id)]

    def _steer(self, method, **arguments):
        data = json.dumps(arguments).encode()
        with urllib.request.urlopen(f'{self.url}/_control/{method}', data=data, timeout=30) as response:
            response.read()

    # --- What becomes of it -------------------------------------------------------------------------------------------

    def check(self, differences):
        """Append what is wrong with the rows that are held and with what a fetch finds once the payment has arrived."""
        held = self.checking.transaction_ids.filtered(lambda row: row.state == 'held')
        reasons = sorted(held.mapped('hold_reason'))
        if reasons != HELD:
            differences.append(f'rows of the checking account are held as {reasons}')
        before = self.checking._last_run()
        self._steer('add_transaction', **self.payment())
        self.checking._synchronize()
        run = self.checking._last_run()
        if run == before or run.booked_count != 1:
            differences.append(f'a fetch has booked {run.booked_count} rows after a payment has arrived')
        print(f'\nHeld for a person: {", ".join(reasons)}; a fetch after a payment: {run.booked_count} new line')

    def tell(self):
        """Print what there is to try."""
        line = shlex.join(
            ['curl', f'{self.url}/_control/add_transaction', '-d', json.dumps(self.payment(), ensure_ascii=False)]
        )
        print(
            f'\nTo try:\n'
            f'- Rows to review: a likely duplicate and a row in dollars, on the card of {self.checking.reference}.\n'
            f'- A consent that ends in 12 days: the cards of Belfius.\n'
            f'- A payment arrives; then click Fetch Transactions on the card:\n    {line}\n'
            f'- A bank to connect: choose the company {self.letting.COMPANY} at the top right, click Connect bank on'
            f' the dashboard, choose {self.letting.BANK}, and enter\n'
            f'    client id      {self.letting.CLIENT_ID}\n'
            f'    client secret  {self.letting.CLIENT_SECRET}'
        )
