"""What `scripts/lifecycle` does inside Odoo: run by `odoo shell`, which provides `env`.

The version of the addon that is loaded may be the old or the new one, so a step uses only names that both have.
"""

import os


def fill(env):
    """Connect two accounts, import them, and leave some rows held, skipped and removed."""
    env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', os.environ['LIFECYCLE_URL'])
    env.ref('base.EUR').active = True
    company = env['res.company'].create({'name': 'Lifecycle BV', 'currency_id': env.ref('base.EUR').id})
    env['account.chart.template'].try_loading('generic_coa', company=company, install_demo=False)
    company.currency_id = env.ref('base.EUR')
    first, second = connect(env(context={'allowed_company_ids': company.ids}), company)
    first._link_to_new_journal()
    second._link_to_new_journal(start_date='2026-02-01')
    enter_by_hand(env, first.journal_id, 7, '2026-02-20')
    read_on(env)
    env['ponto.transaction'].search([('hold_reason', '=', 'duplicate')]).action_import_anyway()
    lines(env).filtered(lambda line: line.payment_ref == 'Row 100')[:1].unlink()


def enter_by_hand(env, journal, amount, day):
    env['account.bank.statement.line'].create(
        {'journal_id': journal.id, 'date': day, 'amount': amount, 'payment_ref': "By hand"}
    )


def find_duplicates(env):
    """Ask what the journals hold twice."""
    env['ponto.account'].search([]).journal_id.action_ponto_find_duplicates()


def connect(env, company):
    client_id, client_secret = os.environ['LIFECYCLE_CREDENTIALS'].split()
    integration = env['ponto.integration'].create(
        {'company_id': company.id, 'client_id': client_id, 'client_secret': client_secret}
    )
    return integration._fetch_accounts()


def read_on(env):
    for account in env['ponto.account'].search([]):
        account._synchronize()


def uninstall(env):
    env['ir.module.module'].search([('name', '=', 'account_online_ponto')]).button_immediate_uninstall()


def link_again(env):
    """Connect anew, each account to the journal that it had, which has its number."""
    company = env['res.company'].search([('name', '=', 'Lifecycle BV')])
    env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', os.environ['LIFECYCLE_URL'])
    for account in connect(env(context={'allowed_company_ids': company.ids}), company):
        journal = account._propose_journal()
        account._link_to_journal(journal, account._propose_start_date(journal))
    read_on(env)


def lines(env):
    return env['account.bank.statement.line'].search([])


globals()[os.environ['ODOO_STEP']](env)  # noqa: F821 the shell's own
env.cr.commit()  # noqa: F821
