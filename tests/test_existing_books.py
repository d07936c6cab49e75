"""A journal that has entries from elsewhere when a bank feed begins to fill it."""

from datetime import date, timedelta

from odoo.tests import BaseCase, tagged

from ..models import account_journal_import
from ..models.ponto_account_journal import reach_back
from .common import PontoCase


def days(first, last, step=1):
    return [first + timedelta(days=number) for number in range(0, (last - first).days + 1, step)]


@tagged('post_install', '-at_install')
class TestReachBack(BaseCase):
    def test_one_entry_of_today_says_nothing_of_what_came_before(self):
        self.assertFalse(reach_back([date(2026, 4, 15)]))
        self.assertFalse(reach_back([]))

    def test_regular_entries_are_looked_through_for_what_may_still_come(self):
        self.assertEqual(reach_back(days(date(2025, 1, 1), date(2026, 3, 31))), date(2026, 3, 1))

    def test_an_entry_after_a_long_gap_does_not_fill_the_gap(self):
        regular = days(date(2025, 1, 1), date(2025, 12, 31), step=7)
        self.assertEqual(reach_back([*regular, date(2026, 4, 15)]), regular[-1] - timedelta(days=30))


@tagged('post_install', '-at_install')
class TestExistingBooks(PontoCase):
    def setUp(self):
        super().setUp()
        self.journal = self.env['account.journal'].create(
            {'name': "Kade zicht", 'type': 'bank', 'company_id': self.company.id, 'bank_acc_number': 'BE68539007547034'}
        )
        self.rows = [
            self.simulator.add_transaction(self.online, number, f'2026-03-{number:02}') for number in range(1, 21)
        ]

    def wizard(self):
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            ._create_for(self.integration.with_user(self.accountant))
        )
        wizard._fetch_accounts()
        return wizard

    def enter(self, amount, day, **vals):
        return self.env['account.bank.statement.line'].create(
            {'journal_id': self.journal.id, 'amount': amount, 'date': day, 'payment_ref': "By hand", **vals}
        )

    def link(self):
        wizard = self.wizard()
        wizard.action_link_accounts()
        if wizard.step == 'opening':
            wizard.action_finish()
        account = self.journal.ponto_account_ids
        account.invalidate_recordset()
        return account

    def test_one_line_by_hand_keeps_nothing_out_of_the_books(self):
        line = self.enter(20, '2026-03-20')
        account = self.link()
        self.assertEqual(set(account.transaction_ids.mapped('state')), {'booked', 'held'})
        held = account.transaction_ids.filtered(lambda row: row.state == 'held')
        self.assertEqual((held.suspect_line_id, held.hold_reason), (line, 'duplicate'))
        held.action_same_as_suspect()
        account.invalidate_recordset()
        self.assertEqual(sorted(self.lines(account).mapped('amount')), list(range(1, 21)))
        self.assertEqual(account.balance_difference, 0)

    # -------------------------------------------------------------------------
    # What OCA's module has imported
    # -------------------------------------------------------------------------

    def as_if_oca_were_installed(self):
        """Give statement lines and a model of ours the names by which OCA's fields and provider are found."""
        self.env['ir.model.fields'].create(
            {
                'name': 'x_import_id',
                'ttype': 'char',
                'model_id': self.env['ir.model']._get_id('account.bank.statement.line'),
            }
        )
        provider = self.env['ir.model'].create({'name': "Provider", 'model': 'x_provider'})
        self.env['ir.model.fields'].create(
            [
                {'name': 'x_journal_id', 'ttype': 'many2one', 'relation': 'account.journal', 'model_id': provider.id},
                {'name': 'x_active', 'ttype': 'boolean', 'model_id': provider.id},
            ]
        )
        self.patch(account_journal_import, 'IMPORT_ID', 'x_import_id')
        self.patch(account_journal_import, 'PROVIDER', 'x_provider')
        self.patch(account_journal_import, 'PROVIDER_JOURNAL', 'x_journal_id')
        return self.env['x_provider'].create({'x_name': "Ponto", 'x_journal_id': self.journal.id, 'x_active': True})

    def test_lines_of_ocas_module_are_tied_by_their_id_and_its_provider_is_switched_off(self):
        provider = self.as_if_oca_were_installed()
        lines = self.env['account.bank.statement.line']
        for number, row in enumerate(self.rows[:15], 1):
            # Its labels and dates may be others: the id is enough. A journal without number has none in the id.
            prefix = 'BE68539007547034-' if number % 2 else ''
            lines += self.enter(number, f'2026-03-{number:02}', x_import_id=f'{prefix}{self.journal.id}-{row.id}')
        wizard = self.wizard()
        self.assertEqual(wizard.line_ids.start_date, date(2026, 3, 1))
        self.assertIn("switched off when you link", wizard.hints)
        message = wizard.action_link_accounts()['params']['message']
        account = self.journal.ponto_account_ids
        self.assertIn("was switched off", message)
        self.assertFalse(provider.x_active)
        self.assertEqual(set(account.transaction_ids.mapped('state')), {'booked'})
        self.assertEqual(account.transaction_ids.statement_line_id & lines, lines)
        self.assertEqual(sorted(self.lines(account).mapped('amount')), list(range(1, 21)))

    def test_an_import_id_of_another_journal_ties_nothing(self):
        self.as_if_oca_were_installed()
        self.enter(1, '2026-03-01', x_import_id=f'BE68539007547034-{self.journal.id + 1}-{self.rows[0].id}')
        account = self.link()
        self.assertEqual(account.transaction_ids.filtered(lambda row: row.amount == 1).hold_reason, 'duplicate')

    def test_a_canceled_line_with_an_import_id_keeps_nothing_out_of_the_books(self):
        self.as_if_oca_were_installed()
        line = self.enter(1, '2026-03-01', x_import_id=f'BE68539007547034-{self.journal.id}-{self.rows[0].id}')
        line.move_id.button_draft()
        line.move_id.button_cancel()
        account = self.link()
        self.assertEqual(set(account.transaction_ids.mapped('state')), {'booked'})
        self.assertNotIn(line, account.transaction_ids.statement_line_id)

    def test_without_ocas_module_nothing_is_said_of_it(self):
        self.assertFalse(self.wizard().hints)
