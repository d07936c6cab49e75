from datetime import date

from odoo.tests import tagged

from .common import PontoCase

# What tells one record from another whatever is in it: identity, number, and who made it when.
IDENTITY = {
    'id',
    'name',
    'sequence_number',
    'sequence_prefix',
    'made_sequence_gap',
    'internal_index',
    'move_id',
    'move_name',
    'statement_line_id',
    'line_ids',
    'invoice_line_ids',
    'journal_line_ids',
    'statement_line_ids',
    'access_token',
    'create_uid',
    'create_date',
    'write_uid',
    'write_date',
    'invoice_partner_display_name',
}
RATE = 1.25


@tagged('post_install', '-at_install')
class TestJournalEntries(PontoCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.partner = self.env['res.partner'].create(
            {'name': "Bakkerij Smit", 'bank_ids': [(0, 0, {'acc_number': 'BE71096123456769'})]}
        )

    def book_some(self, online):
        for amount, day, attributes in (
            (
                '121.00',
                '2026-03-02',
                {
                    'counterpart_reference': 'BE71 0961 2345 6769',
                    'counterpart_name': "Smit",
                    'remittance_information': '+++090/9337/55493+++',
                },
            ),
            (
                '-45.33',
                '2026-03-02',
                {
                    'counterpart_name': "Netbeheer",
                    'remittance_information': "Elektriciteit",
                    'additional_information': "M 4",
                    'bank_transaction_code': 'PMNT-IDDT-ESDD',
                },
            ),
            ('0.00', '2026-02-27', {'description': "Card statement"}),
            ('0.01', '2025-12-31', {'description': None}),
            ('1234567.89', '2026-01-01', {'remittance_information': "Kapitaal <b>& meer</b>"}),
        ):
            self.simulator.add_transaction(online, amount, day, **attributes)
        account = self.link(online)
        account._synchronize()
        self.assertEqual(len(self.lines(account)), 5, account.transaction_ids.mapped('hold_message'))
        return account

    def enter_through_core(self, line):
        """Return the line that an accountant gets who creates one with the same values."""
        return (
            self.env['account.bank.statement.line']
            .with_user(self.accountant)
            .create(
                {
                    'journal_id': line.journal_id.id,
                    'date': line.date,
                    'amount': line.amount,
                    'payment_ref': line.payment_ref,
                    'partner_id': line.partner_id.id,
                    'partner_name': line.partner_name,
                    'account_number': line.account_number,
                    'transaction_type': line.transaction_type,
                    'transaction_details': line.transaction_details,
                    'narration': line.narration,
                    'sequence': line.sequence,
                }
            )
            .sudo()
        )

    def values(self, record):
        """Return the stored values of a record, without its identity."""
        names = [
            name
            for name, field in record._fields.items()
            if field.store and name not in IDENTITY and field.type != 'one2many'
        ]
        [values] = record.read(names, load=None)
        del values['id']
        return values

    def assertSame(self, own, core):
        self.assertEqual(self.values(own), self.values(core))
        self.assertEqual(self.values(own.move_id), self.values(core.move_id))
        self.assertEqual(len(own.line_ids), len(core.line_ids))
        for own_item, core_item in zip(own.line_ids.sorted('id'), core.line_ids.sorted('id'), strict=True):
            self.assertEqual(self.values(own_item), self.values(core_item))

    def test_each_entry_is_what_core_makes_of_the_same_values(self):
        account = self.book_some(self.online)
        lines = self.lines(account)
        for line in lines:
            self.assertSame(line, self.enter_through_core(line))
        self.assertEqual(lines.partner_id, self.partner)

    def test_each_entry_in_a_foreign_currency_is_what_core_makes_of_the_same_values(self):
        dollar = self.env.ref('base.USD')
        dollar.active = True
        self.env['res.currency.rate'].create(
            [
                {'currency_id': dollar.id, 'company_id': self.company.id, 'name': '2025-01-01', 'rate': 2},
                {'currency_id': dollar.id, 'company_id': self.company.id, 'name': '2026-03-01', 'rate': RATE},
            ]
        )
        online = self.simulator.add_account('BE68539007547034', institution=self.bank, currency='USD')
        account = self.book_some(online)
        lines = self.lines(account)
        self.assertEqual(account.balance_difference, 0)
        for line in lines:
            self.assertSame(line, self.enter_through_core(line))
        liquidity, suspense, _other = lines.filtered(lambda line: line.amount == 121)._seek_for_lines()
        self.assertRecordValues(
            liquidity + suspense,
            [
                {'amount_currency': 121, 'balance': 96.80, 'currency_id': dollar.id},
                {'amount_currency': -121, 'balance': -96.80, 'currency_id': dollar.id},
            ],
        )
        capital = lines.filtered(lambda line: line.date == date(2026, 1, 1))
        self.assertEqual(capital.line_ids.mapped('balance'), [617283.95, -617283.95])

    def test_entries_are_posted_balanced_and_numbered_without_a_gap_in_each_year(self):
        account = self.book_some(self.online)
        moves = self.lines(account).move_id
        self.assertEqual(set(moves.mapped('state')), {'posted'})
        self.assertFalse(moves.filtered('made_sequence_gap'))
        for _prefix, group in moves.grouped('sequence_prefix').items():
            self.assertEqual(sorted(group.mapped('sequence_number')), list(range(1, len(group) + 1)))
            self.assertEqual(len({move.date.year for move in group}), 1)
        for move in moves:
            self.assertEqual(sum(move.line_ids.mapped('balance')), 0)

    def test_the_running_balance_follows_the_banks_order(self):
        for amount in (10, -4, 10, -4, 1):
            self.simulator.add_transaction(self.online, amount, '2026-03-02')
        self.simulator.add_transaction(self.online, 5, '2026-03-01')
        account = self.link()
        account._synchronize()
        lines = self.lines(account)
        self.assertEqual(lines.mapped('amount'), [5, 10, -4, 10, -4, 1])
        self.assertEqual(lines.mapped('running_balance'), [5, 15, 11, 21, 17, 18])
        self.assertEqual(lines[-1].running_balance, float(self.online.balance))

    def test_no_statement_is_made(self):
        account = self.book_some(self.online)
        self.assertFalse(self.lines(account).statement_id)
        self.assertFalse(self.env['account.bank.statement'].search([('journal_id', '=', account.journal_id.id)]))
