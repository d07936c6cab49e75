"""What `scripts/demo` does inside Odoo: run by `odoo shell`, which provides `env`.

Connects, links and imports as the accountant does, imports again, and compares the books with what the simulator
serves, read here without the addon's own client. Exits with 1 when anything differs.
"""

import base64
import importlib
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from decimal import Decimal
from pathlib import Path

URL = os.environ['DEMO_URL']
CLIENT_ID = os.environ['DEMO_CLIENT_ID']
CLIENT_SECRET = os.environ['DEMO_CLIENT_SECRET']
DATA = os.environ.get('DEMO_DATA')
IS_CHECK = bool(os.environ.get('DEMO_CHECK'))
LEAST_ACCOUNTS = 3
LEAST_TRANSACTIONS = 1000

differences = []


def main(env):
    make_belgian_company(env)
    env['ir.config_parameter'].set_param('account_online_ponto.direct_api_url', URL)
    make_partners(env)
    env.cr.commit()
    accounts = connect(env)
    books = None if DATA else enter_books(accounts)
    synchronize(accounts)
    expected = expected_amounts()
    report(accounts, expected)
    report_partners(accounts)
    report_dashboard(accounts)
    import_again(accounts)
    demo_stage = importlib.import_module('odoo.addons.account_online_ponto.scripts.demo_stage')
    demo_stage.welcome(env)
    if books:
        match(accounts, books)
        set_the_stage(demo_stage.Stage(accounts, URL))
    for difference in differences:
        print(f'DIFFERENT: {difference}')
    env.cr.commit()
    print('Odoo differs from Ponto.' if differences else 'Odoo has what Ponto has.')
    sys.exit(1 if differences else 0)


# -------------------------------------------------------------------------
# What the accountant does
# -------------------------------------------------------------------------


def make_belgian_company(env):
    company = env.company
    # Transfers between its own accounts carry the company's name.
    name = 'Demo BV' if DATA else parties().HOLDER
    company.write({'name': name, 'country_id': env.ref('base.be').id})
    if company.chart_template != 'be_comp':
        env['account.chart.template'].try_loading('be_comp', company, install_demo=False)


def make_partners(env):
    """Enter the company's customers, suppliers and employees, with their account numbers, and its creditors by name."""
    if DATA:
        return
    everybody = (*parties().CUSTOMERS, *parties().SUPPLIERS, *parties().EMPLOYEES)
    known = {name: number for name, number, *_rest in everybody}
    env['res.partner'].create(
        [{'name': name, 'bank_ids': [(0, 0, {'acc_number': number})]} for name, number in known.items()]
    )
    env['res.partner'].create([{'name': creditor[0]} for creditor in parties().DIRECT_DEBITS])


def parties():
    """Return whom the company deals with."""
    return importlib.import_module('odoo.addons.account_online_ponto.demo.parties')


def connect(env):
    """Link every account that Ponto offers to a new journal, in the window that the accountant uses."""
    env = env(user=env.ref('base.user_admin'))
    wizard = env['ponto.connect'].create({'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET})
    wizard.action_connect()
    wizard.action_link_accounts()
    env.cr.commit()
    return env['ponto.account'].search([])


def enter_books(accounts):
    """Enter what the company's books have before the bank's rows arrive."""
    demo_books = importlib.import_module('odoo.addons.account_online_ponto.scripts.demo_books')
    books = demo_books.Books(accounts)
    books.enter()
    accounts.env.cr.commit()
    return books


def match(accounts, books):
    """Match by itself what is certain, and tell how much is right."""
    demo_books = importlib.import_module('odoo.addons.account_online_ponto.scripts.demo_books')
    lines = lines_of(accounts)
    by_hand = books.book_first_by_hand(lines)
    accounts.env.cr.commit()
    began_at = time.perf_counter()
    lines._match_certain(lines._certain_matches(accounts.company_id))
    accounts.env.cr.commit()
    print(f'\nMatching took {time.perf_counter() - began_at:.0f} s')
    demo_books.report(books, lines, by_hand, differences)


def set_the_stage(stage):
    """Prepare what a person finds to do, and tell it; when checking, see that it works instead."""
    stage.prepare()
    if IS_CHECK:
        stage.check(differences)
    else:
        stage.tell()


def synchronize(accounts):
    for account in accounts:
        account._synchronize()
        account.env.cr.commit()


def import_again(accounts):
    before = [len(lines_of(account)) for account in accounts]
    synchronize(accounts)
    new = sum(len(lines_of(account)) for account in accounts) - sum(before)
    print(f'\nSecond run: {new} new lines')
    if new:
        differences.append(f'the second run made {new} lines that the first had made already')


def lines_of(account):
    return account.env['account.bank.statement.line'].search(
        [('journal_id', 'in', account.journal_id.ids)], order='date, id'
    )


# -------------------------------------------------------------------------
# What Ponto has
# -------------------------------------------------------------------------


def expected_amounts():
    """Return `{account id at Ponto: amounts of its transactions}`, from the recorded bodies or else from the API."""
    return recorded_amounts(Path(DATA)) if DATA else served_amounts()


def recorded_amounts(folder):
    accounts = json.loads((folder / 'accounts.json').read_text())['data']
    return {account['id']: amounts_of(recorded_transactions(folder, account['id'])) for account in accounts}


def recorded_transactions(folder, account_id):
    path = folder / f'transactions-{account_id}.json'
    return json.loads(path.read_text(), parse_float=Decimal)['data'] if path.exists() else []


def served_amounts():
    token = get_token()
    return {
        account['id']: amounts_of(read_list(f'/accounts/{account["id"]}/transactions', token))
        for account in read_list('/accounts', token)
    }


def amounts_of(transactions):
    return [Decimal(str(transaction['attributes']['amount'])) for transaction in transactions]


def get_token():
    request = urllib.request.Request(f'{URL}/oauth2/token', data=b'grant_type=client_credentials')
    request.add_header('Content-Type', 'application/x-www-form-urlencoded')
    request.add_header('Authorization', f'Basic {basic_credentials()}')
    return read_json(request)['access_token']


def basic_credentials():
    return base64.b64encode(f'{CLIENT_ID}:{CLIENT_SECRET}'.encode()).decode()


def read_list(path, token):
    items, url = [], f'{URL}{path}?{urllib.parse.urlencode({"limit": 100})}'
    while url:
        page = read_json(urllib.request.Request(url, headers={'Authorization': f'Bearer {token}'}))
        items += page['data']
        url = page.get('links', {}).get('next')
    return items


def read_json(request):
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read(), parse_float=Decimal)


# -------------------------------------------------------------------------
# The comparison
# -------------------------------------------------------------------------


def report(accounts, expected):
    if not DATA:
        check_size(accounts, expected)
    for missing in sorted(set(expected) - set(accounts.mapped('ponto_id'))):
        differences.append(f'Ponto has an account {missing}, Odoo has not')
    if DATA:
        for account in accounts:
            print_lines(account)
    print(f'\n{"Account":<36}{"Lines":>8}{"Sum":>16}{"Bank balance":>16}')
    for account in accounts:
        report_account(account, expected.get(account.ponto_id, []))


def check_size(accounts, expected):
    count = sum(map(len, expected.values()))
    if len(accounts) < LEAST_ACCOUNTS or count < LEAST_TRANSACTIONS:
        differences.append(f'{len(accounts)} accounts with {count} transactions are too few for a demo')


def report_account(account, amounts):
    lines = lines_of(account)
    total = money(sum(lines.mapped('amount')))
    name = f'{account.reference or account.ponto_id} {account.currency_id.name}'
    balance = f'{money(account.current_balance):,}' if account.has_balance else 'not told'
    print(f'{name:<36}{len(lines):>8}{total:>16,}{balance:>16}')
    if len(lines) != len(amounts):
        differences.append(f'{name}: {len(lines)} lines for {len(amounts)} transactions')
    if total != sum(amounts):
        differences.append(f'{name}: the lines add up to {total:,}, the transactions to {sum(amounts):,}')
    # Recorded bodies may be a part of the account's history.
    if not DATA and total != money(account.current_balance):
        differences.append(f'{name}: the lines add up to {total:,}, the bank says {account.current_balance:,.2f}')
    for held in account.transaction_ids.filtered(lambda transaction: transaction.state != 'booked'):
        differences.append(f'{name}: {held.ponto_id} is not booked ({held.state}): {held.hold_message or ""}')


def report_partners(accounts):
    """Print how many lines of a counterpart that is a partner have that partner, and how many have a wrong one."""
    lines = accounts.env['account.bank.statement.line'].search(
        [('journal_id', 'in', accounts.journal_id.ids), ('partner_name', '!=', False)]
    )
    # The company is never its own counterpart.
    others = accounts.env['res.partner'].search([]) - accounts.company_id.partner_id
    names = set(others.mapped('name'))
    known = lines.filtered(lambda line: line.partner_name in names)
    right = known.filtered(lambda line: line.partner_id.name == line.partner_name)
    wrong = lines.filtered(lambda line: line.partner_id and line.partner_id.name != line.partner_name)
    if known:
        print(
            f'\nThe right partner: {len(right)} of {len(known)} lines whose counterpart is a partner'
            f' ({len(right) / len(known):.1%}); a wrong one: {len(wrong)}'
        )
    for line in wrong:
        differences.append(f'{line.payment_ref} of {line.partner_name} has the partner {line.partner_id.name}')


def report_dashboard(accounts):
    """Compare the balance on each dashboard card with the simulator's."""
    cards = accounts.journal_id._get_journal_dashboard_data_batched()
    for account in accounts:
        card = cards[account.journal_id.id]['ponto']
        if not DATA and not card['is_equal']:
            differences.append(f'{account.reference}: the dashboard shows a difference of {card["difference"]}')
    if not DATA:
        print(
            f'Dashboard: {sum(card["ponto"]["is_equal"] for card in cards.values())} of {len(cards)} cards show'
            ' the bank\'s balance'
        )


def print_lines(account):
    print(f'\n{account.name}')
    for line in lines_of(account):
        print(
            '  '.join(
                [
                    str(line.date),
                    f'{money(line.amount):>14,}',
                    line.payment_ref or '',
                    '|',
                    line.partner_name or '',
                    '|',
                    line.account_number or '',
                ]
            )
        )


def money(amount):
    return Decimal(str(amount)).quantize(Decimal('0.01'))


main(env)  # noqa: F821
