"""Takes the pictures: python scripts/screenshots_pages.py DATABASE FOLDER [NAME ...], called by scripts/screenshots.

Serves the simulated Ponto and Odoo, first with a company that has no bank yet, then with the demo's bank data. Exits
with 1 when a page throws an error, shows an error window or runs out of the screen.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

from headless import Browser

from demo import demo
from simulator import CLIENT_ID, CLIENT_SECRET, Simulator
from simulator.control import WithControl
from simulator.server import Server

HERE = Path(__file__).parent
SIZES = {'wide': (1280, 800), 'narrow': (400, 800)}
# Odoo's web client is quiet: no request under way, nothing that loads or blocks.
QUIET = "!document.querySelector('.o_loading_indicator, .o_blockUI') && document.fonts.status === 'loaded'"
# How much higher the window must be to show all of what scrolls inside of it.
HIDDEN_HEIGHT = """Math.max(0, ...[...document.querySelectorAll('.o_content, .o_content > *, .modal-body')]
    .map(part => part.scrollHeight - part.clientHeight))"""
# What runs out of the screen to the right and cannot be scrolled to.
CLIPPED = """[...document.querySelectorAll('.o_action_manager *, .modal *')].filter(part => {
    const box = part.getBoundingClientRect();
    if (!box.width || !box.height || box.right <= window.innerWidth + 1) { return false; }
    const scroller = part => part && !part.matches('.o_content, .modal-body')
        && (getComputedStyle(part).overflowX !== 'visible' || scroller(part.parentElement));
    return !scroller(part.parentElement);
}).map(part => part.className).slice(0, 3).join(' | ')"""


@dataclass(frozen=True)
class Page:
    """A screen: where it is, what must be on it before it is taken, and what to click on the way."""

    name: str
    path: str
    ready: str
    clicks: tuple = ()
    sizes: tuple = tuple(SIZES)


def click(selector, text=''):
    """Return the JavaScript that clicks the first element that matches and holds the text; '' while there is none."""
    elements = f'[...document.querySelectorAll({json.dumps(selector)})]'
    found = f'{elements}.find(element => element.textContent.includes({json.dumps(text)}))'
    return f'(() => {{ const found = {found}; found?.click(); return Boolean(found); }})()'


def enter(selector, text):
    """Return the JavaScript that puts a text into an input, as typing does."""
    return f"""(() => {{
        const input = document.querySelector({json.dumps(selector)});
        if (input) {{ input.value = {json.dumps(text)}; }}
        return Boolean(input?.dispatchEvent(new Event('input', {{bubbles: true}})));
    }})()"""


SCROLL_TO_PONTO = """(() => {
    const setting = document.querySelector('[name=ponto_office_ip]');
    setting?.scrollIntoView({block: 'center'});
    return Boolean(setting);
})()"""
CONNECT = '/odoo/action-account_online_ponto.ponto_connect_action'
FIRST_ROW = '.o_list_view .o_data_row td.o_data_cell, .o_kanban_record:not(.o_kanban_ghost)'
X2MANY_ROW = '.o_field_x2many .o_data_row td.o_data_cell, .o_field_x2many .o_kanban_record'
CARD = '.o_ponto_institution_card'
FORM = '.o_form_view .o_form_sheet'
EMPTY = '.o_view_nocontent'

WITHOUT_BANK = (
    Page('empty-transactions', '/odoo/bank-transactions', EMPTY),
    Page('empty-to-review', '/odoo/bank-to-review', EMPTY),
    Page('empty-synchronizations', '/odoo/bank-synchronizations', EMPTY),
    Page('empty-online-synchronization', '/odoo/online-synchronization', EMPTY),
    Page('empty-health', '/odoo/bank-health', EMPTY),
    Page('new-transaction', '/odoo/bank-transactions/new', FORM),
    Page('add-a-bank-account-no-list', CONNECT, '.o_ponto_no_catalogue'),
    Page('add-a-bank-account', CONNECT, CARD, clicks=(click('.o_ponto_refresh'),)),
    Page(
        'add-a-bank-account-not-found', CONNECT, '.o_ponto_no_hit', clicks=(enter('.o_ponto_search input', 'Kadebamk'),)
    ),
    Page(
        'add-a-bank-account-beta',
        CONNECT,
        '.modal:not(.o_inactive_modal) .modal-footer .btn-primary',
        clicks=(click(CARD, 'Beta'),),
    ),
    Page('add-a-bank-account-credentials', CONNECT, '.modal .o_form_view', clicks=(click(CARD, 'KBC'),)),
    Page(
        'menu-configuration',
        '/odoo/bank-transactions?debug=1',
        '[data-menu-xmlid$=ponto_link_menu]',
        clicks=(click('[data-menu-xmlid="account.menu_finance_configuration"]'),),
        sizes=('wide',),
    ),
)

DASHBOARD = Page('dashboard', '/odoo/accounting', '.o_ponto_card')
DIFFERENCE = Page(
    'dashboard-difference', '/odoo/accounting', '.o_ponto_reasons_popover', clicks=(click('.o_ponto_all_reasons'),)
)
RECONNECT = Page('reconnect', '/odoo/accounting', '.modal .o_form_view', clicks=(click('.o_ponto_reconnect'),))
CREDENTIALS = Page(
    'update-credentials',
    '/odoo/online-synchronization',
    '.modal .o_form_view',
    sizes=('wide',),
    clicks=(click(FIRST_ROW, 'KBC'), click('button[name=action_update_credentials]')),
)
OLDER = Page(
    'fetch-older',
    '/odoo/accounting',
    '.modal .o_form_view',
    clicks=(
        click('.o_kanban_record:has(.o_ponto_card) .o_dropdown_kanban button'),
        click('.o-dropdown--menu [name=action_ponto_backfill]'),
    ),
)
TO_REVIEW = Page('to-review', '/odoo/bank-to-review', FIRST_ROW)
LINK = Page('link', '/odoo/online-synchronization', FORM, clicks=(click(FIRST_ROW, 'KBC'),))
ACCOUNTS = Page('add-a-bank-account-accounts', CONNECT, f'.modal :is({X2MANY_ROW})', clicks=(click(CARD, 'KBC'),))

WITH_BANK = (
    DASHBOARD,
    Page('overview', '/odoo/bank-overview', '.o_account_kanban .o_kanban_record'),
    Page('transactions', '/odoo/bank-transactions', FIRST_ROW),
    Page(
        'transactions-by-month',
        '/odoo/bank-transactions',
        '.o_group_header, .o_kanban_group',
        sizes=('wide',),
        clicks=(
            click('.o_searchview_dropdown_toggler'),
            click('.o_group_by_menu .o_menu_item', 'Date'),
            click('.o_group_by_menu .o_item_option', 'Month'),
            click('.o_searchview_dropdown_toggler'),
        ),
    ),
    Page('transaction', '/odoo/bank-transactions', FORM, clicks=(click(FIRST_ROW),)),
    Page(
        'transaction-pays-invoice',
        '/odoo/bank-transactions',
        FORM,
        clicks=(click('.o_data_row td[name=proposal_reason]', 'INV/'),),
        sizes=('wide',),
    ),
    TO_REVIEW,
    Page('to-review-duplicate', '/odoo/bank-to-review', FORM, clicks=(click(FIRST_ROW, 'duplicate'),)),
    Page('to-review-locked', '/odoo/bank-to-review', FORM, clicks=(click(FIRST_ROW, 'Locked'),)),
    Page('health', '/odoo/bank-health', FIRST_ROW),
    Page('synchronizations', '/odoo/bank-synchronizations', FIRST_ROW),
    Page('synchronization-failed', '/odoo/bank-synchronizations', FORM, clicks=(click(FIRST_ROW, 'problem'),)),
    Page(
        'synchronizations-graph',
        '/odoo/bank-synchronizations',
        '.o_graph_renderer canvas',
        clicks=(click('.o_switch_view.o_graph'),),
        sizes=('wide',),
    ),
    Page(
        'synchronizations-pivot',
        '/odoo/bank-synchronizations',
        '.o_pivot table',
        clicks=(click('.o_switch_view.o_pivot'),),
        sizes=('wide',),
    ),
    Page('online-synchronization', '/odoo/online-synchronization?debug=1', FIRST_ROW),
    LINK,
    Page('link-needs-attention', '/odoo/online-synchronization', FORM, clicks=(click(FIRST_ROW, 'Attention'),)),
    Page(
        'account',
        '/odoo/online-synchronization?debug=1',
        '.modal ' + FORM,
        clicks=(click(FIRST_ROW, 'KBC'), click(X2MANY_ROW)),
    ),
    Page('transactions-from-ponto', '/odoo/action-account_online_ponto.ponto_transaction_action', FIRST_ROW),
    Page('journal', '/odoo/action-account.action_account_journal_form', FORM, clicks=(click(FIRST_ROW, 'KBC'),)),
    Page(
        'missing',
        '/odoo/online-synchronization?debug=1',
        '[name=advice]',
        sizes=('wide',),
        clicks=(click(FIRST_ROW, 'KBC'), click(X2MANY_ROW), click('.modal button', 'Find Missing')),
    ),
    DIFFERENCE,
    RECONNECT,
    CREDENTIALS,
    replace(OLDER, sizes=('wide',)),
    Page(
        'integration',
        '/odoo/online-synchronization',
        FORM + ' [name=link_ids]',
        clicks=(click(FIRST_ROW, 'KBC'), click('[name=integration_id] a')),
    ),
    Page('settings', '/odoo/action-account.action_account_config', '[name=ponto_office_ip]', clicks=(SCROLL_TO_PONTO,)),
    Page('return-of-nobody', '/ponto/consent/return', '#ponto_message'),
    Page('add-a-bank-account-none', CONNECT, '.modal [name=message]', clicks=(click(CARD, 'Argenta'),)),
    ACCOUNTS,
    Page(
        'add-a-bank-account-one',
        CONNECT,
        '.modal [name=start_date]',
        sizes=('narrow',),
        clicks=(click(CARD, 'KBC'), click(X2MANY_ROW)),
    ),
)
ADD_OPENING = Page(
    'add-opening-line',
    '/odoo/online-synchronization?debug=1',
    '.modal [name=action_finish]',
    clicks=(click(FIRST_ROW, 'Beobank'), click(X2MANY_ROW), click('button[name=action_add_opening_line]')),
)
# These change what there is.
OPENING = (
    Page(
        'add-a-bank-account-opening',
        CONNECT,
        '.modal [name=action_finish]',
        sizes=('narrow',),
        clicks=(click(CARD, 'KBC'), click('button[name=action_link_accounts]')),
    ),
    Page(
        'add-a-bank-account-opening',
        CONNECT,
        '.modal [name=action_finish]',
        sizes=('wide',),
        clicks=(click(CARD, 'Beobank'), click('button[name=action_link_accounts]')),
    ),
    replace(ADD_OPENING, sizes=('narrow',)),
    replace(
        ADD_OPENING,
        ready='.o_notification',
        name='opening-line-added',
        sizes=('wide',),
        clicks=(*ADD_OPENING.clicks, click('button[name=action_finish]')),
    ),
    Page(
        'fetch-older-after-opening',
        '/odoo/online-synchronization?debug=1',
        '.modal [name=opening_message]',
        clicks=(click(FIRST_ROW, 'Beobank'), click(X2MANY_ROW), click('.modal button[name=action_backfill]')),
    ),
)
TRANSLATED = (DASHBOARD, DIFFERENCE, RECONNECT, CREDENTIALS, OLDER, TO_REVIEW, LINK, ACCOUNTS)
# What there is, or the language that is spoken, from each step of `screenshots_steps` on.
STEPS = {
    'company': WITHOUT_BANK,
    'bank': WITH_BANK,
    'fr_BE': [replace(page, name=f'{page.name}-fr') for page in TRANSLATED],
    'nl_BE': [replace(page, name=f'{page.name}-nl') for page in (*TRANSLATED, *OPENING)],
}


def main(database, folder, words):
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    if not words:
        for picture in folder.glob('*.png'):
            picture.unlink()
    sim = Simulator(real_clock=True)
    demo(sim)
    faults = []
    with Server(WithControl(sim)) as ponto, serving_odoo(database) as url, Browser() as browser:
        for step, pages in wanted_steps(words):
            run_step(step, database, ponto.url)
            if step == 'bank':
                add_bank(sim)
            # Odoo takes the language over at log-in.
            log_in(browser, url, database)
            faults += take_all(browser, url, folder, pages)
    for fault in faults:
        print(fault)
    print(f'{len(list(folder.glob("*.png")))} pictures in {folder}')
    return 1 if faults else 0


def wanted_steps(words):
    """Return the steps up to the last one with a page whose name has one of the words, each with those pages."""
    steps = [
        (step, [page for page in pages if not words or any(word in page.name for word in words)])
        for step, pages in STEPS.items()
    ]
    while steps and not steps[-1][1]:
        steps.pop()
    return steps


def add_bank(sim):
    """Another bank at Ponto, whose account is not in Odoo yet."""
    bank = next(bank for bank in sim.institutions if bank.attributes['name'] == "Beobank")
    account = sim.add_account('BE71096123456769', institution=bank, balance=2500, description="Spaarrekening")
    sim.add_transaction(account, 150, str(sim.clock.date()), remittance_information="Sparen")


def run_step(name, database, ponto_url):
    environment = {
        **os.environ,
        'SCREENSHOTS_STEP': name,
        'SIMULATOR_URL': ponto_url,
        'SIMULATOR_CLIENT_ID': CLIENT_ID,
        'SIMULATOR_CLIENT_SECRET': CLIENT_SECRET,
    }
    with (HERE / 'screenshots_steps.py').open() as steps:
        subprocess.run(
            [sys.executable, '-m', 'odoo', 'shell', '-d', database, '--no-http', '--log-level=error'],
            stdin=steps,
            env=environment,
            check=True,
        )


@contextlib.contextmanager
def serving_odoo(database):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            '-m',
            'odoo',
            '-d',
            database,
            '--db-filter',
            f'^{database}$',
            '--http-interface',
            '127.0.0.1',
            '--http-port',
            str(port),
            '--max-cron-threads',
            '0',
            '--log-level=error',
        ]
    )
    url = f'http://127.0.0.1:{port}'
    try:
        wait_for_odoo(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def wait_for_odoo(url):
    for _attempt in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(f'{url}/web/health', timeout=2):
            return
        time.sleep(0.2)
    raise TimeoutError('Odoo does not start.')


def log_in(browser, url, database):
    request = urllib.request.Request(
        f'{url}/web/session/authenticate',
        headers={'Content-Type': 'application/json'},
        data=json.dumps({'params': {'db': database, 'login': 'admin', 'password': 'admin'}}).encode(),
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        cookie = response.headers['Set-Cookie'].split(';')[0]
    name, _equals, value = cookie.partition('=')
    browser.send('Network.setCookie', url=url, name=name, value=value)


def take_all(browser, url, folder, pages):
    """Take the pictures of the pages; return what is wrong with them, in words."""
    faults = []
    for page in pages:
        for size in page.sizes:
            path = folder / f'{page.name}-{size}.png'
            try:
                found = take(browser, url, page, SIZES[size], path)
            except TimeoutError:
                # The end of a fetch renders the dashboard again and closes what a click has just opened.
                found = take_again(browser, url, page, SIZES[size], path)
            faults += [f'{path.name}: {fault}' for fault in found]
    return faults


def take_again(browser, url, page, size, path):
    try:
        return take(browser, url, page, size, path)
    except TimeoutError as error:
        browser.screenshot(path)
        return [str(error)]


def take(browser, url, page, size, path):
    browser.errors.clear()
    browser.set_size(*size)
    browser.go_to(url + page.path)
    for action in page.clicks:
        browser.wait_for(f"{QUIET} && document.querySelector('.o_action_manager > *, .modal')")
        time.sleep(0.7)  # Odoo shows first what it remembers, and renders again what has changed since
        browser.wait_for(action)
    browser.wait_for(f'document.querySelector({json.dumps(page.ready)}) && {QUIET}')
    time.sleep(0.7)  # transitions and charts
    hidden = browser.evaluate(HIDDEN_HEIGHT)
    if hidden:
        browser.set_size(size[0], min(size[1] + int(hidden), 3000))
        time.sleep(0.3)
    browser.screenshot(path)
    faults = list(browser.errors)
    if browser.evaluate("document.querySelector('.o_error_dialog, .o_notification .bg-danger')"):
        faults.append('an error is shown')
    clipped = browser.evaluate(CLIPPED)
    if clipped:
        faults.append(f'runs out of the screen: {clipped}')
    return faults


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
