"""What a bank, or whoever pays a cent, writes: shown to people and exported, it is text and nothing else."""

import csv
import io
import json
import zipfile
from datetime import timedelta

from odoo import fields, http
from odoo.tests import HttpCase, tagged

from .browser import BrowserCase
from .common import PATIENCE, PontoCase

MARK = 'ponto_was_here'
MARKUP = f'<img src=x onerror="window.{MARK}=1"><script>window.{MARK}=1</script>"\'><svg/onload=window.{MARK}=1>'
LINK = "javascript:window." + MARK + "=1 https://evil.example/"
FORMULAS = ('=HYPERLINK("https://evil.example","x")', "+1+cmd|' /C calc'!A0", '-2+3', '@SUM(1+1)', '\t=1+1', '\r=1')


@tagged('post_install', '-at_install')
class TestHostileTextsInTheBrowser(BrowserCase):
    """Each screen that shows a text of the bank, opened in a real browser."""

    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.bank.attributes['name'] = MARKUP
        self.simulator.change_account(
            self.online, description=MARKUP, holder_name=MARKUP, product=MARKUP,
            authorization_expiration_expected_at=f'{(fields.Datetime.now() + timedelta(days=3)).isoformat()}Z',
        )  # fmt: skip
        texts = {
            'remittance_information': MARKUP,
            'description': LINK,
            'additional_information': MARKUP,
            'counterpart_name': MARKUP,
            'counterpart_reference': MARKUP,
            'end_to_end_id': MARKUP,
            'mandate_id': MARKUP,
            'bank_transaction_code': MARKUP,
        }
        self.booked = self.simulator.add_transaction(self.online, 10, '2026-03-02', **texts)
        self.simulator.add_transaction(self.online, 20, '2026-03-03', currency='USD', **texts)
        self.account = self.link()
        self.account._synchronize()
        # What changes on a line that somebody has worked on is told by an activity, in the bank's words.
        self.line = self.lines(self.account)
        _liquidity, suspense, _other = self.line._seek_for_lines()
        suspense.account_id = self.env['account.account'].search(
            [('company_ids', 'in', self.company.ids), ('account_type', '=', 'expense')], limit=1
        )
        self.simulator.change_transaction(self.booked.id, remittance_information=MARKUP + "changed")
        self.simulator.fail_synchronization(account=self.online, code=MARKUP, detail=MARKUP)
        self.simulator.synchronize(self.online)
        self.account._synchronize()
        self.run_cron('ir_cron_tell_problems')
        self.assertTrue(self.line.move_id.activity_ids)

    def pages(self):
        held = self.account.transaction_ids.filtered(lambda row: row.state == 'held')
        return {
            '/odoo/accounting': '.o_ponto_card',
            '/odoo/action-account_online_ponto.ponto_link_action': '.o_data_row',
            f'/odoo/action-account_online_ponto.ponto_link_action/{self.account.link_id.id}': '.o_form_view',
            f'/odoo/ponto.account/{self.account.id}': '.o_form_view',
            '/odoo/action-account_online_ponto.account_bank_statement_line_action': '.o_data_row',
            '/odoo/action-account_online_ponto.ponto_transaction_to_review_action': '.o_data_row',
            f'/odoo/ponto.transaction/{held.id}': '.o_form_view',
            f'/odoo/account.move/{self.line.move_id.id}': '.o-mail-Activity',
        }

    def test_no_text_of_the_bank_is_run_or_drawn_on_any_screen(self):
        with self.person() as person:
            for address, selector in self.pages().items():
                with self.subTest(address):
                    person.open(address)
                    person.see(selector)
                    self.assertEqual(person._evaluate(f'String(window.{MARK})'), 'undefined')
                    found = "document.querySelectorAll('img[src=\"x\"], svg[onload], a[href^=javascript]').length"
                    self.assertEqual(person._evaluate(f'String({found})'), '0')


@tagged('post_install', '-at_install')
class TestExports(PontoCase, HttpCase):
    def setUp(self):
        super().setUp()
        for number, text in enumerate(FORMULAS, 1):
            self.simulator.add_transaction(
                self.online, number, '2026-03-02', remittance_information=text, counterpart_name=text
            )
        self.account = self.link()
        self.account._synchronize()
        self.accountant.group_ids += self.env.ref('base.group_allow_export')
        self.authenticate(self.accountant.login, self.accountant.login)
        self.env.flush_all()

    def export(self, kind, model, names):
        data = {
            'import_compat': False,
            'context': {'allowed_company_ids': self.company.ids},
            'domain': [],
            'fields': [{'name': name, 'label': name, 'type': 'char'} for name in names],
            'groupby': [],
            'ids': False,
            'model': model,
        }
        response = self.url_open(
            f'/web/export/{kind}',
            data={'data': json.dumps(data), 'csrf_token': http.Request.csrf_token(self)},
            timeout=PATIENCE,
        )
        self.assertEqual(response.status_code, 200, response.text[:300])
        return response.content

    def test_a_formula_in_a_banks_text_is_text_in_every_export(self):
        for model, names in (
            ('account.bank.statement.line', ['payment_ref', 'partner_name']),
            ('ponto.transaction', ['payment_ref', 'remittance_information', 'counterpart_name']),
        ):
            with zipfile.ZipFile(io.BytesIO(self.export('xlsx', model, names))) as book:
                sheet = book.read('xl/worksheets/sheet1.xml').decode()
            self.assertNotIn('<f>', sheet, model)
            self.assertNotIn('evil.example', ''.join(name for name in book.namelist() if 'rels' in name))
            rows = list(csv.reader(io.StringIO(self.export('csv', model, names).decode())))
            self.assertEqual(len(rows), len(FORMULAS) + 1)
            for cell in (cell for row in rows[1:] for cell in row):
                self.assertNotIn(cell[:1], ('=', '+', '-'), cell)
