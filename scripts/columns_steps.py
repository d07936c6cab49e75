"""What `scripts/columns` does inside Odoo: run by `odoo shell`, which provides `env`.

The version of the addon that is loaded may be the old or the new one, so a step uses only names that both have.
"""

import json
import os


def fill(env):
    """Link every account to a new journal, and import all of its transactions; nothing is reconciled."""
    env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', os.environ['COLUMNS_URL'])
    company = env.company
    company.write({'name': os.environ['COLUMNS_HOLDER'], 'country_id': env.ref('base.be').id})
    env['account.chart.template'].try_loading('be_comp', company, install_demo=False)
    make_partners(env)
    for account in connect(env, company):
        account._link_to_new_journal()
        account._synchronize()


def make_partners(env):
    """Enter the company's customers, suppliers and employees with their numbers, and its creditors by name."""
    env['res.partner'].create(
        [
            {'name': name, 'bank_ids': [(0, 0, {'acc_number': number})] if number else []}
            for name, number in json.loads(os.environ['COLUMNS_PARTNERS']).items()
        ]
    )


def connect(env, company):
    client_id, client_secret = os.environ['COLUMNS_CREDENTIALS'].split()
    integration = env['ponto.integration'].create(
        {'company_id': company.id, 'client_id': client_id, 'client_secret': client_secret}
    )
    return integration._fetch_accounts().sorted('id')


globals()[os.environ['ODOO_STEP']](env)  # noqa: F821 the shell's own
env.cr.commit()  # noqa: F821
