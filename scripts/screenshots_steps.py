"""What `scripts/screenshots` does inside Odoo: run by `odoo shell`, which provides `env`.

`SCREENSHOTS_STEP` is `company` (a Belgian company without a bank), `bank` (the company of the simulator's demo, with
something of everything that a screen may have to show: booked, held, removed, failed, withdrawn), or a language that
the administrator speaks from now on.
"""

import json
import os
import urllib.request
from datetime import timedelta
from functools import partial

from odoo import Command, fields

URL = os.environ['SIMULATOR_URL']
CLIENT_ID = os.environ['SIMULATOR_CLIENT_ID']
CLIENT_SECRET = os.environ['SIMULATOR_CLIENT_SECRET']


def main(env):
    step = os.environ['SCREENSHOTS_STEP']
    {'company': make_company, 'bank': connect_bank}.get(step, partial(speak, lang=step))(env)
    env.cr.commit()
    # The server that takes the pictures forgets what it remembers of before.
    env.registry.signal_changes()


def make_company(env):
    env.company.write({'name': 'Atelier Lindeboom BV', 'country_id': env.ref('base.be').id})
    env['account.chart.template'].try_loading('be_comp', env.company, install_demo=False)
    env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', URL)
    # Community shows the dashboard and the bank transactions to those only who have all accounting rights.
    env.ref('base.user_admin').group_ids = [Command.link(env.ref('account.group_account_user').id)]
    partners = ("Immo Zuidpark BV", "TELECOMBEL NV", "Houthandel Verstraete NV")
    env['res.partner'].create([{'name': name, 'is_company': True} for name in partners])


def connect_bank(env):
    env = env(user=env.ref('base.user_admin'))
    today = fields.Date.today()
    online = control('')['accounts']
    add_odd_transactions(online[0]['id'], today)
    wizard = env['ponto.connect'].create({'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET})
    wizard.action_connect()
    accounts = env['ponto.account'].search([])
    for account in accounts[:-1]:
        account._link_to_new_journal(today - timedelta(days=45))
    first, failing, withdrawn = accounts[0], accounts[1], accounts[2]
    env.company.fiscalyear_lock_date = today - timedelta(days=42)
    first._read('manual')
    enter_by_hand(first, today - timedelta(days=30))
    accounts[:-1].action_fetch_transactions()
    reconcile_some(env, first)
    make_invoice(env, first)
    first.transaction_ids.filtered(lambda row: row.state == 'booked')[4:5].statement_line_id.unlink()
    control('fail', status=503, path=f'/accounts/{failing.ponto_id}', times=20)
    failing.action_fetch_transactions()
    control('clear_faults')
    control('remove_account', account=withdrawn.ponto_id)
    for days, account in zip((12, -3), accounts[3:5], strict=False):
        ends = fields.Datetime.now() + timedelta(days=days)
        control('change_account', account=account.ponto_id, authorization_expiration_expected_at=f'{ends.isoformat()}Z')
    first.integration_id._fetch_accounts()


def speak(env, lang):
    language = env['res.lang'].with_context(active_test=False).search([('code', '=', lang)])
    env['base.language.install'].create({'lang_ids': language.ids}).lang_install()
    (env.ref('base.user_admin').partner_id | env.company.partner_id).lang = lang


def add_odd_transactions(account, today):
    """A payment in another currency, and one dated ahead: both are held."""
    control(
        'add_transaction',
        account=account,
        amount='-250.00',
        execution_date=str(today - timedelta(days=2)),
        counterpart_name="Harbor Design LLC",
        remittance_information="Invoice 2217",
        extra={'currency': 'USD'},
    )
    control(
        'add_transaction',
        account=account,
        amount='-1840.00',
        execution_date=str(today + timedelta(days=3)),
        counterpart_name="Immo Zuidpark BV",
        remittance_information="Huur atelier",
    )


def enter_by_hand(account, since):
    """Payments that somebody entered before the bank reported them."""
    rows = account.transaction_ids.filtered(
        lambda row: row.state == 'new' and row.counterpart_name and row.date >= since
    )
    account.env['account.bank.statement.line'].create(
        [
            {
                'journal_id': account.journal_id.id,
                'date': row.date,
                'amount': row.amount,
                'payment_ref': "Entered by hand",
                'partner_name': row.counterpart_name,
            }
            for row in rows[3:20:9]
        ]
    )


def reconcile_some(env, account):
    """Put the bank's charges on an expense account, which reconciles them."""
    expense = env['account.account'].search([('account_type', '=', 'expense')], limit=1)
    for line in account.transaction_ids.filtered(lambda row: not row.counterpart_name).statement_line_id:
        line._seek_for_lines()[1].account_id = expense


def make_invoice(env, account):
    """A customer's invoice that one of the payments on the account pays."""
    row = max(
        account.transaction_ids.filtered(
            lambda row: row.state == 'booked' and row.amount > 0 and row.payment_ref.startswith(('+++', 'RF'))
        ),
        key=lambda row: row.date,
    )
    invoice = env['account.move'].create(
        {
            'move_type': 'out_invoice',
            'invoice_date': row.date,
            'payment_reference': row.payment_ref,
            'partner_id': env['res.partner'].create({'name': row.counterpart_name}).id,
            'invoice_line_ids': [Command.create({'name': "Kast op maat", 'price_unit': row.amount, 'tax_ids': []})],
        }
    )
    invoice.action_post()


def control(method, **parameters):
    request = urllib.request.Request(f'{URL}/_control/{method}'.rstrip('/'))
    if method:
        request.data = json.dumps(parameters).encode()
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


main(env)  # noqa: F821
