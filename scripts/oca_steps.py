"""What `scripts/oca` does inside Odoo: run by `odoo shell`, which provides `env`."""

import importlib
import os
from datetime import datetime, timedelta

URL = os.environ['OCA_URL']
CLIENT_ID, CLIENT_SECRET, IBAN = os.environ['OCA_CREDENTIALS'].split()
DAYS = 120


def fill(env):
    """Import everything by OCA's module, as its users do: a journal, a login, a pull."""
    company = make_company(env)
    env = env(context={'allowed_company_ids': company.ids})
    importlib.import_module(
        'odoo.addons.account_statement_import_online_ponto.models.ponto_interface'
    ).PONTO_ENDPOINT = URL
    journal = env['account.journal'].create(
        {
            'name': 'Kade zicht',
            'type': 'bank',
            'company_id': company.id,
            'bank_acc_number': IBAN,
            'bank_statements_source': 'online',
            'online_bank_statement_provider': 'ponto',
        }
    )
    provider = journal.online_bank_statement_provider_id
    provider.write({'username': CLIENT_ID, 'password': CLIENT_SECRET, 'active': True})
    now = datetime.now()  # noqa: DTZ005 naive, as the module has its moments
    provider._pull(now - timedelta(days=DAYS), now + timedelta(days=1))


def make_company(env):
    euro = env.ref('base.EUR')
    euro.active = True
    company = env['res.company'].create({'name': 'Oca BV', 'currency_id': euro.id})
    env['account.chart.template'].try_loading('generic_coa', company=company, install_demo=False)
    company.currency_id = euro
    return company


def link(env):
    """Connect and link the account in the window, with what it proposes."""
    company = env['res.company'].search([('name', '=', 'Oca BV')])
    admin = env.ref('base.user_admin')
    admin.write({'company_ids': [(4, company.id)], 'company_id': company.id})
    env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', URL)
    env = env(user=admin, context={'allowed_company_ids': company.ids})
    wizard = env['ponto.connect'].create({'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET})
    wizard.action_connect()
    assert wizard.line_ids.action == 'existing', wizard.line_ids.read()
    action = wizard.action_link_accounts()
    print(action['params']['message'])
    fetch(env)


def fetch(env):
    for account in env['ponto.account'].search([]):
        account._synchronize()


globals()[os.environ['ODOO_STEP']](env)  # noqa: F821 the shell's own
env.cr.commit()  # noqa: F821
