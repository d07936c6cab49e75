"""What costs as many queries for many records as for few, and how often Ponto is asked."""

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from .common import PontoCase

FEW, MANY = 2, 300
PAGE = 100


@tagged('post_install', '-at_install')
class TestScale(PontoCase):
    def queries(self, call):
        """Return how many queries `call` makes on empty caches of records."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        call()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def assert_as_cheap_for_many(self, grow, call):
        """Compare the queries of `call` after `grow(FEW)` and after `grow(MANY)` more."""
        grow(FEW)
        call()
        few = self.queries(call)
        grow(MANY)
        self.assertEqual(self.queries(call), few)

    def add_transactions(self, count, online=None, **attributes):
        for number in range(count):
            self.simulator.add_transaction(online or self.online, number + 1, '2026-03-02', **attributes)

    def make_rows(self, account, count, **vals):
        """Create inbox rows that Ponto lists no longer."""
        return (
            self.env['ponto.transaction']
            .sudo()
            .create(
                [
                    {
                        'account_id': account.id,
                        'ponto_id': f'{len(account.transaction_ids)}-{number}',
                        'amount': number + 1,
                        'currency_id': account.currency_id.id,
                        'currency_code': 'EUR',
                        'date': '2026-03-02',
                        'attributes': {'amount': number + 1},
                        **vals,
                    }
                    for number in range(count)
                ]
            )
        )

    def hold_rows(self, account, count):
        self.make_rows(account, count, state='held', hold_reason='refused', hold_values={'kind': 'undated'})
        self.env.invalidate_all()

    # -------------------------------------------------------------------------
    # Reading
    # -------------------------------------------------------------------------

    def read_again(self, pages):
        """Return the queries of a read that lists so many pages of known rows."""
        online = self.simulator.add_account(f'BE{pages:014}', institution=self.bank)
        self.add_transactions(PAGE * pages, online)
        account = self.link(online)
        account._read_transactions()
        account._read_transactions()
        account._request_full_read()
        requests = len(self.simulator.requests)
        queries = self.queries(account._read_transactions)
        self.assertEqual(len(self.simulator.requests) - requests, pages)
        return queries

    def test_a_page_of_known_rows_costs_at_most_five_queries(self):
        self.assertLessEqual(self.read_again(4) - self.read_again(1), 3 * 5)

    def test_a_second_run_asks_for_each_account_and_its_overlap_only(self):
        onlines = [
            self.online,
            *(self.simulator.add_account(f'NL{number:014}', institution=self.bank) for number in (1, 2)),
        ]
        for pages, online in enumerate(onlines, 1):
            self.add_transactions(PAGE * pages, online)
        self.set_pontos_clock()
        accounts = self.env['ponto.account'].browse(self.link(online).id for online in onlines)
        accounts._synchronize()
        requests = len(self.simulator.requests)
        runs = accounts._synchronize()
        self.assertEqual(sum(runs.mapped('new_count')), 0)
        overlap = sum(runs.mapped('read_count')) // PAGE
        self.assertLessEqual(len(self.simulator.requests) - requests, len(accounts) + 2 + overlap)

    # -------------------------------------------------------------------------
    # Booking
    # -------------------------------------------------------------------------

    def test_lines_are_booked_with_as_many_queries_among_many_as_among_few(self):
        account = self.link()

        def grow(count):
            self.add_transactions(count)
            account._synchronize()

        def book():
            with self.env.cr.savepoint() as savepoint:
                self.add_transactions(FEW)
                account._read('manual')
                before = self.env.cr.sql_log_count
                account.transaction_ids.filtered(lambda row: row.state == 'new')._book()
                self.env.flush_all()
                self.used = self.env.cr.sql_log_count - before
                savepoint.rollback()

        grow(FEW)
        book()
        book()
        few = self.used
        grow(MANY)
        book()
        self.assertLessEqual(self.used, few)

    def test_partners_are_found_by_an_index_on_their_names(self):
        self.env.cr.execute(SQL("SET LOCAL enable_seqscan = off"))
        plan = self.env.execute_query(
            SQL(
                "EXPLAIN SELECT id FROM res_partner WHERE active"
                " AND lower(name) IN (SELECT lower(name) FROM unnest(%s) AS name)",
                ["Dupont", "Peeters"],
            )
        )
        self.assertIn('_ponto_name_idx', str(plan))

    def test_many_partners_are_looked_up_with_as_many_queries_as_few(self):
        account = self.link()
        self.add_transactions(FEW, counterpart_name="Namesake")
        account._read('manual')
        rows = account.transaction_ids.sudo()

        def grow(count):
            self.env['res.partner'].create([{'name': "NAMESAKE"} for _number in range(count)])

        self.assert_as_cheap_for_many(grow, rows._find_partners)

    # -------------------------------------------------------------------------
    # Looking
    # -------------------------------------------------------------------------

    def test_a_hundred_linked_journals_cost_few_queries_more_on_the_dashboard(self):
        journals = self.env['account.journal'].create(
            [
                {'name': f'Bank {number}', 'code': f'K{number}', 'type': 'bank', 'company_id': self.company.id}
                for number in range(100)
            ]
        )

        def look():
            journals.with_user(self.accountant)._get_journal_dashboard_data_batched()

        look()
        before = self.queries(look)
        for number in range(100):
            self.simulator.add_account(f'NL{number:014}', institution=self.bank)
        self.integration._fetch_accounts()
        accounts = self.env['ponto.account'].search([('reference', 'like', 'NL000')])
        for account, journal in zip(accounts, journals, strict=True):
            account.journal_id = journal
        look()
        cards = journals.with_user(self.accountant)._get_journal_dashboard_data_batched().values()
        self.assertEqual(len([card for card in cards if 'ponto' in card]), 100)
        self.assertLessEqual(self.queries(look) - before, 10)

    def test_health_costs_as_much_with_many_rows_to_review(self):
        account = self.link()
        self.assert_as_cheap_for_many(
            lambda count: self.hold_rows(account, count), self.env['ponto.account'].get_health
        )
        self.assertEqual(self.env['ponto.account'].get_health()['held'], FEW + MANY)

    def test_five_thousand_rows_to_review_are_listed_like_a_page_of_them(self):
        account = self.link()
        fields_of_list = self.fields_of('ponto_transaction_view_list_to_review')

        def look():
            self.env['ponto.transaction'].web_search_read(
                self.env['ponto.transaction']._to_review_domain(), fields_of_list, limit=80
            )

        self.hold_rows(account, 80)
        look()
        few = self.queries(look)
        self.hold_rows(account, 4920)
        self.assertEqual(self.queries(look), few)

    def test_a_long_history_is_listed_like_a_short_one(self):
        account = self.link()

        def grow(count):
            now = fields.Datetime.now()
            self.env['ponto.synchronization'].sudo().create(
                [
                    {'account_id': account.id, 'trigger': 'cron', 'state': 'done', 'started_at': now, 'ended_at': now}
                    for _number in range(count)
                ]
            )

        # More than a page, so that what there is in all has to be counted.
        grow(100)
        fields_of_list = self.fields_of('ponto_synchronization_view_list')
        self.assert_as_cheap_for_many(
            grow, lambda: self.env['ponto.synchronization'].web_search_read([], fields_of_list, limit=80)
        )

    def fields_of(self, view):
        """Return what the web client asks for to show a list."""
        arch = self.env['ir.ui.view'].browse(self.env.ref(f'account_online_ponto.{view}').id)
        views = self.env[arch.model].get_views([(arch.id, 'list')])
        return {name: {} for name in views['models'][arch.model]['fields']}

    def test_a_difference_of_many_rows_is_explained_like_one_of_few(self):
        account = self.link(current_balance=1)

        def grow(count):
            self.make_rows(account, count)
            self.make_rows(account, count, state='held', hold_reason='refused', hold_values={'kind': 'undated'})
            self.env['account.bank.statement.line'].create(
                [
                    {'journal_id': account.journal_id.id, 'date': '2026-03-02', 'amount': 5, 'payment_ref': "By hand"}
                    for _number in range(min(count, 20))
                ]
            )

        self.assert_as_cheap_for_many(grow, account._difference_reasons)
