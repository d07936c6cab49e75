"""Pictures of every screen, empty and with a company's bank data, 1280 and 400 pixels wide, in the folder screenshots/.

`scripts/test -m screenshots` takes them. With PONTO_SCREENSHOTS='word word' it takes only those whose names contain one
of the words. A script's error, an error window, or something that runs out of the screen fails the test.
"""

import os
from datetime import timedelta
from pathlib import Path

from odoo import Command, fields
from odoo.tests import tagged

from ..demo import demo
from ..demo.parties import HOLDER
from .browser import BrowserCase
from .marks import by_marker
from .screens import OPENING, TRANSLATED, WITH_BANK, WITHOUT_BANK
from .simulator import CLIENT_ID, CLIENT_SECRET, Simulator

FOLDER = Path(__file__).resolve().parent.parent / 'screenshots'
SIZES = {'wide': (1280, 800), 'narrow': (400, 800)}
HIGHEST = 3000
# Resolves when nothing loads or blocks, and nothing has changed for half a second: Odoo shows first what it remembers,
# and renders again what has changed since.
SETTLED = """new Promise((resolve) => {
    const moves = (each) => each.playState === 'running' && each.effect.getTiming().iterations === 1;
    const busy = () => document.querySelector('.o_loading_indicator, .o_blockUI') || document.fonts.status !== 'loaded'
        || document.getAnimations().some(moves);
    const done = () => busy() ? again() : (observer.disconnect(), resolve('settled'));
    let timer;
    const again = () => { clearTimeout(timer); timer = setTimeout(done, 500); };
    const observer = new MutationObserver(again);
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    again();
})"""
# How much higher the window must be to show all of what scrolls inside of it.
HIDDEN_HEIGHT = """String(Math.max(0, ...[...document.querySelectorAll(
    document.querySelector('.modal') ? '.modal-body' : '.o_content, .o_content > *'
)].map((part) => part.scrollHeight - part.clientHeight)))"""
ERRORS = "[...document.querySelectorAll('.o_error_dialog, .o_notification .bg-danger')].map((e) => e.innerText).join()"
# What runs out of the screen to the right and cannot be scrolled to.
CLIPPED = """[...document.querySelectorAll('.o_action_manager *, .modal *')].filter((part) => {
    const box = part.getBoundingClientRect();
    if (!box.width || !box.height || box.right <= window.innerWidth + 1) { return false; }
    const scroller = (part) => part && !part.matches('.o_content, .modal-body')
        && (getComputedStyle(part).overflowX !== 'visible' || scroller(part.parentElement));
    return !scroller(part.parentElement);
}).map((part) => part.className).slice(0, 3).join(' | ')"""


class ScreenshotCase(BrowserCase):
    chart = 'be_comp'

    def setUp(self):
        super().setUp()
        self.integration.unlink()
        self.company.name = HOLDER
        self.accountant.group_ids = [Command.link(self.env.ref('base.group_system').id)]
        type(self).simulator = Simulator(real_clock=True)
        demo(self.simulator)
        partners = ("Immo Zuidpark BV", "TELECOMBEL NV", "Houthandel Verstraete NV")
        self.env['res.partner'].create([{'name': name, 'is_company': True} for name in partners])

    def take(self, screens, suffix=''):
        """Take the pictures of these screens, and fail after the last one if something is wrong with any of them."""
        FOLDER.mkdir(exist_ok=True)
        words = os.environ.get('PONTO_SCREENSHOTS', '').split()
        with self.person() as person:
            for screen in screens:
                for size in screen.sizes if not words or any(word in screen.name for word in words) else ():
                    with self.subTest(screen.name + suffix, size=size):
                        person.resize(*SIZES[size])
                        self.show(person, screen)
                        self.fit(person, SIZES[size])
                        (FOLDER / f'{screen.name}{suffix}-{size}.png').write_bytes(person.screenshot())
                        self.assertEqual(person.evaluate(ERRORS), '')
                        self.assertEqual(person.evaluate(CLIPPED), '', "runs out of the screen")

    def show(self, person, screen):
        """Go to a screen as somebody does."""
        person.open('about:blank')
        person.open(screen.path)
        for kind, selector, text in screen.steps:
            person.evaluate(SETTLED)
            getattr(person, kind)(selector, text)
        person.see(screen.ready)
        if screen.scroll:
            person.evaluate(f"document.querySelector('{screen.ready}').scrollIntoView({{block: 'center'}})")
        person.evaluate(SETTLED)

    def fit(self, person, size):
        """Make the window as high as what scrolls inside of it."""
        hidden = int(person.evaluate(HIDDEN_HEIGHT))
        if hidden:
            person.resize(size[0], min(size[1] + hidden, HIGHEST))
            person.evaluate(SETTLED)

    # -------------------------------------------------------------------------
    # What there is to see
    # -------------------------------------------------------------------------

    def connect_bank(self):
        """The demo's company with something of everything: booked, held, removed, failed, withdrawn, about to end."""
        env, today = self.env(user=self.accountant), fields.Date.today()
        self.add_odd_transactions(self.simulator.accounts[0], today)
        self.env['ponto.institution']._refresh_catalogue()
        wizard = env['ponto.connect'].create({'client_id': CLIENT_ID, 'client_secret': CLIENT_SECRET})
        wizard.action_connect()
        accounts = env['ponto.account'].search([]).sudo()
        for account in accounts[:-1]:
            account._link_to_new_journal(today - timedelta(days=45))
        first, failing, withdrawn = accounts[0], accounts[1], accounts[2]
        self.company.fiscalyear_lock_date = today - timedelta(days=42)
        first._read('manual')
        self.enter_by_hand(first, today - timedelta(days=30))
        accounts[:-1].with_user(self.accountant).action_fetch_transactions()
        self.reconcile_charges(first)
        self.make_invoice(first)
        first.transaction_ids.filtered(lambda row: row.state == 'booked')[4:5].statement_line_id.unlink()
        self.simulator.fail(20, status=503, path=f'/accounts/{failing.ponto_id}')
        failing.with_user(self.accountant).action_fetch_transactions()
        self.simulator.clear_faults()
        self.simulator.remove_account(withdrawn.ponto_id)
        for days, account in zip((12, -3), accounts[3:5], strict=False):
            ends = fields.Datetime.now() + timedelta(days=days)
            self.simulator.change_account(account.ponto_id, authorization_expiration_expected_at=f'{ends.isoformat()}Z')
        first.integration_id._fetch_accounts()
        self.add_another_bank()

    def add_another_bank(self):
        """Another bank at Ponto, whose account is not in Odoo yet."""
        bank = next(bank for bank in self.simulator.institutions if bank.name == "Beobank")
        account = self.simulator.add_account(
            'BE71096123456769', institution=bank, balance=2500, description="Spaarrekening"
        )
        self.simulator.add_transaction(account, 150, fields.Date.today(), remittance_information="Sparen")

    def add_odd_transactions(self, account, today):
        """A payment in another currency, and one dated ahead: both are held."""
        self.simulator.add_transaction(
            account,
            '-250.00',
            today - timedelta(days=2),
            counterpart_name="Harbor Design LLC",
            remittance_information="Invoice 2217",
            extra={'currency': 'USD'},
        )
        self.simulator.add_transaction(
            account,
            '-1840.00',
            today + timedelta(days=3),
            counterpart_name="Immo Zuidpark BV",
            remittance_information="Huur atelier",
        )

    def enter_by_hand(self, account, since):
        """Payments that somebody entered before the bank reported them."""
        rows = account.transaction_ids.filtered(
            lambda row: row.state == 'new' and row.counterpart_name and row.date >= since
        )
        self.env['account.bank.statement.line'].create(
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

    def reconcile_charges(self, account):
        """Put the bank's charges on an expense account, which reconciles them."""
        expense = self.env['account.account'].search([('account_type', '=', 'expense')], limit=1)
        for line in account.transaction_ids.filtered(lambda row: not row.counterpart_name).statement_line_id:
            line._seek_for_lines()[1].account_id = expense

    def make_invoice(self, account):
        """A customer's invoice that one of the payments on the account pays."""
        row = max(
            account.transaction_ids.filtered(
                lambda row: row.state == 'booked' and row.amount > 0 and row.payment_ref.startswith(('+++', 'RF'))
            ),
            key=lambda row: row.date,
        )
        self.env['account.move'].create(
            {
                'move_type': 'out_invoice',
                'invoice_date': row.date,
                'payment_reference': row.payment_ref,
                'partner_id': self.env['res.partner'].create({'name': row.counterpart_name}).id,
                'invoice_line_ids': [Command.create({'name': "Kast op maat", 'price_unit': row.amount, 'tax_ids': []})],
            }
        ).action_post()


@by_marker('screenshots')
@tagged('post_install', '-at_install', 'screenshots', '-standard')
class TestScreenshots(ScreenshotCase):
    def test_screens_of_a_company_without_a_bank(self):
        self.take(WITHOUT_BANK)

    def test_screens_of_a_company_with_banks(self):
        self.connect_bank()
        self.take(WITH_BANK)


@by_marker('screenshots')
@tagged('post_install', '-at_install', 'screenshots', '-standard')
class TestScreenshotsInFrench(ScreenshotCase):
    lang = 'fr_BE'

    def test_screens_in_french(self):
        self.connect_bank()
        self.take(TRANSLATED, '-fr')


@by_marker('screenshots')
@tagged('post_install', '-at_install', 'screenshots', '-standard')
class TestScreenshotsInDutch(ScreenshotCase):
    lang = 'nl_BE'

    def test_screens_in_dutch(self):
        self.connect_bank()
        self.take((*TRANSLATED, *OPENING), '-nl')


@by_marker('screenshots')
@tagged('post_install', '-at_install', 'screenshots', '-standard')
class TestScreenshotsInGerman(ScreenshotCase):
    lang = 'de_DE'

    def test_screens_in_german(self):
        self.connect_bank()
        self.take(TRANSLATED, '-de')
