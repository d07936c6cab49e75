"""Rules that guard the books where something unusual comes together; `scripts/mutants` breaks them one by one."""

from datetime import date, timedelta
from types import SimpleNamespace

from odoo import fields
from odoo.addons.account_online_ponto.models import budget, ponto_integration_connect
from odoo.addons.account_online_ponto.models.ponto_transaction_line import BentLineError
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..ponto.auth import Token
from ..ponto.errors import PontoCredentialsError
from .common import PontoCase

OTHER_CLIENT_ID, OTHER_SECRET = '6d1a6f3e-4c0e-4bd4-8f0e-8f2f1f1f0a01', 'another-secret'


@tagged('post_install', '-at_install')
class TestWhoReads(PontoCase):
    """One account at Ponto that two grants cover."""

    def setUp(self):
        super().setUp()
        self.account = self.link()
        self.simulator.add_integration(OTHER_CLIENT_ID, OTHER_SECRET, [self.online])

    def fetch_by_another_grant(self, company):
        return (
            self.env['ponto.integration']
            .create({'company_id': company.id, 'client_id': OTHER_CLIENT_ID, 'client_secret': OTHER_SECRET})
            ._fetch_accounts()
        )

    def test_an_account_that_a_living_grant_reads_stays_with_that_one(self):
        self.assertFalse(self.fetch_by_another_grant(self.company))
        self.assertEqual(self.account.integration_id, self.integration)

    def test_an_account_of_a_grant_that_has_ended_is_taken_over(self):
        self.integration._set_refused()
        self.assertEqual(self.fetch_by_another_grant(self.company), self.account)
        self.assertNotEqual(self.account.integration_id, self.integration)

    def test_two_companies_read_the_same_account_each_for_itself(self):
        other = self.make_company("Brouwerij De Werf")
        account = self.fetch_by_another_grant(other)
        self.assertEqual((account.company_id, account.ponto_id), (other, self.account.ponto_id))
        self.assertNotEqual(account, self.account)
        self.assertEqual((self.account.company_id, self.account.integration_id), (self.company, self.integration))
        self.integration._set_disconnected()
        self.assertNotEqual(account.state, 'withdrawn')


@tagged('post_install', '-at_install')
class TestTheGrant(PontoCase):
    def test_a_connection_with_linked_journals_stays_in_its_company(self):
        self.link()
        with self.assertRaisesRegex(ValidationError, "with linked journals cannot move"):
            self.integration.company_id = self.make_company("Brouwerij De Werf")

    def test_an_oauth_state_is_good_once_and_for_the_person_who_began(self):
        # The session of one browser, in which a second person has signed in since.
        self.patch(ponto_integration_connect, 'request', SimpleNamespace(session={}))
        integrations = self.env['ponto.integration']
        state = integrations._start_oauth_state(link_id=1)
        self.assertEqual(integrations._finish_oauth_state(state)['link_id'], 1)
        self.assertIsNone(integrations._finish_oauth_state(state))
        state = integrations._start_oauth_state(link_id=2)
        self.assertIsNone(integrations.with_user(self.accountant)._finish_oauth_state(state))

    def test_what_has_not_changed_is_not_written(self):
        account = self.link()
        self.env.flush_all()
        # Within one transaction Odoo knows one moment only.
        self.env.cr.execute("UPDATE ponto_account SET write_date = '2026-01-01' WHERE id = %s", [account.id])
        self.env.invalidate_all()
        self.integration._fetch_accounts()
        self.env.flush_all()
        self.assertEqual(account.write_date.date(), date(2026, 1, 1))

    def test_a_token_of_replaced_credentials_is_not_used(self):
        self.link()
        self.integration.client_secret = OTHER_SECRET
        with self.assertRaises(PontoCredentialsError):
            self.integration._fetch_accounts()

    def test_a_worker_takes_the_token_that_another_one_has_just_got(self):
        self.link()
        self.env.invalidate_all()
        stored = self.integration._token_store().load()
        stale = Token('stale', stored.expires_at)
        renewed = self.integration._token_store().renew(stale, lambda _token: self.fail("A second one is asked for."))
        self.assertEqual(renewed, stored)


@tagged('post_install', '-at_install')
class TestWhatIsLinked(PontoCase):
    def test_a_journal_in_another_currency_is_refused(self):
        account = self.link()
        self.env.ref('base.USD').active = True
        journal = self.env['account.journal'].create(
            {
                'name': "Dollars",
                'type': 'bank',
                'company_id': self.company.id,
                'currency_id': self.env.ref('base.USD').id,
            }
        )
        with self.assertRaisesRegex(ValidationError, "is in EUR but the journal Dollars"):
            account._link_to_journal(journal)

    def test_a_later_start_date_lets_rows_before_it_wait_no_more(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._read_transactions()
        self.assertEqual(account.transaction_ids.state, 'new')
        account.start_date = '2026-03-03'
        self.assertEqual(account.transaction_ids.state, 'skipped')

    def test_an_account_is_not_deleted_while_odoo_must_remember_what_it_has_booked(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        account.action_unlink_journal()
        with self.assertRaisesRegex(UserError, "has transactions in the books"):
            account.unlink()


@tagged('post_install', '-at_install')
class TestWhatIsRead(PontoCase):
    vanished = False

    @classmethod
    def _request_handler(cls, session, request, /, **kw):
        if cls.vanished and 'after' in request.url:
            cls.vanished = False
            cls.simulator.fail(1, path='/transactions', status=404, code='resourceNotFound')
        return super()._request_handler(session, request, **kw)

    def test_a_page_with_a_recent_value_date_lets_reading_go_on(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        self.set_pontos_clock()
        for number in range(1, 9):
            self.simulator.add_transaction(self.online, number, '2025-01-02')
        for number in range(9, 11):
            self.simulator.add_transaction(self.online, number, '2025-01-02', value_date=yesterday)
        self.simulator.set_page_size(2)
        account = self.link()
        account._synchronize()
        # It comes late, on the second page, and nothing on the first one is new.
        self.simulator.insert_transaction(self.online, 100, '2025-01-02', below=2)
        account._synchronize()
        self.assertIn(100, account.transaction_ids.mapped('amount'))

    def test_a_list_whose_cursor_is_answered_by_not_found_is_read_from_its_top(self):
        self.patch(budget, 'PAGES', 1)
        for number in range(1, 251):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        account = self.link()
        account._read('cron', budget.PAGES)
        self.assertTrue(account.resume_after)
        type(self).vanished = True
        self.run_cron()
        self.assertFalse(self.vanished)
        self.assertEqual((account.state, account.failure_count), ('active', 0))
        for _run in range(5):
            self.run_cron()
        self.assertFalse(account.resume_after)
        self.assertEqual(len(account.transaction_ids), 250)

    def test_an_account_without_a_journal_is_not_due(self):
        account = self.link()
        account._synchronize()
        account.write({'journal_id': False, 'next_read_at': fields.Datetime.now() - timedelta(hours=1)})
        requests = len(self.simulator.requests)
        self.run_cron()
        self.assertEqual((account.state, len(self.simulator.requests)), ('active', requests))

    def test_a_bank_that_does_not_answer_is_waited_for_ten_minutes(self):
        account = self.link()
        for subtype, minutes, is_asked in (('accountDetails', 9, True), ('accountTransactions', 11, False)):
            # The simulator answers a question after it was looked at.
            question = self.simulator.create_synchronization(self.online, subtype, '8.8.8.8')
            started_at = fields.Datetime.now() - timedelta(minutes=minutes)
            account.write({'pending_synchronization_ids': [question.id], 'fetch_started_at': started_at})
            self.assertEqual(account._is_bank_still_asked(), is_asked)
            self.assertEqual(bool(account.pending_synchronization_ids), is_asked)

    def test_the_next_read_is_half_an_hour_or_more_after_pontos_own_refresh(self):
        # Ponto asks the banks at 14 h in Brussels, which is 13 h in UTC.
        moment = self.env['ponto.account']._next_read_at(fields.Datetime.to_datetime('2026-03-02 09:59:00'))
        self.assertGreaterEqual(moment, fields.Datetime.to_datetime('2026-03-02 13:30:00'))
        self.assertLess(moment, fields.Datetime.to_datetime('2026-03-02 14:30:00'))

    def test_a_list_that_is_not_read_to_its_end_is_read_on_at_once(self):
        account, now = self.link(), fields.Datetime.now()
        self.assertGreater(account._next_read_after(now), now)
        account.resume_after = 'a row'
        self.assertEqual(account._next_read_after(now), now)

    def test_an_account_that_another_worker_has_claimed_is_left_alone(self):
        account = self.link()
        account.turn_at = fields.Datetime.now() + timedelta(minutes=5)
        account.flush_recordset()
        self.assertFalse(account._lock_turn())
        account.turn_at = False
        account.flush_recordset()
        self.assertEqual(account._lock_turn(), account)


@tagged('post_install', '-at_install')
class TestWhatIsBooked(PontoCase):
    def test_a_line_to_which_core_has_given_another_date_or_amount_is_refused(self):
        account = self.link()
        line = self.env['account.bank.statement.line'].create(
            {'journal_id': account.journal_id.id, 'date': '2026-03-02', 'amount': 5, 'payment_ref': "A line"}
        )
        line._check_values({'date': date(2026, 3, 2), 'amount': 5})
        for vals in ({'date': date(2026, 3, 3)}, {'amount': 6}):
            with self.assertRaises(BentLineError):
                line._check_values(vals)

    def test_the_opening_line_is_not_suspected_to_be_a_payment(self):
        row = self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        self.env['account.bank.statement.line'].create(
            {
                'journal_id': account.journal_id.id,
                'date': '2026-03-02',
                'amount': 10,
                'payment_ref': "Opening balance",
                'is_ponto_opening': True,
            }
        )
        account._synchronize()
        booked = account.transaction_ids.filtered(lambda each: each.ponto_id == row.id)
        self.assertEqual(booked.state, 'booked')

    def test_a_line_does_not_follow_the_bank_into_a_closed_period(self):
        row = self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        line = self.lines(account)
        self.company.fiscalyear_lock_date = '2026-01-31'
        self.simulator.change_transaction(row.id, execution_date='2026-01-15')
        account._synchronize()
        self.assertEqual(line.date, date(2026, 3, 2))
        self.assertTrue(line.move_id.activity_ids)

    def test_a_label_in_a_closed_period_does_not_follow_the_bank(self):
        # Odoo closes no period with lines to reconcile; one without an amount has nothing to reconcile.
        row = self.simulator.add_transaction(self.online, 0, '2026-03-02', remittance_information="Before")
        account = self.link()
        account._synchronize()
        line = self.lines(account)
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.simulator.change_transaction(row.id, remittance_information="After")
        account._synchronize()
        self.assertEqual(line.payment_ref, "Before")
        self.assertTrue(line.move_id.activity_ids)


@tagged('post_install', '-at_install')
class TestWhatIsKept(PontoCase):
    def test_notices_are_forgotten_after_two_months(self):
        events = self.env['ponto.event']
        old, young = events.create([{'ponto_id': name, 'type': 'unknown'} for name in ('old', 'young')])
        for event, days in ((old, 61), (young, 59)):
            event._write({'create_date': fields.Datetime.now() - timedelta(days=days)})
        events._gc_events()
        self.assertEqual((old + young).exists(), young)


@tagged('post_install', '-at_install')
class TestWhatIsProven(PontoCase):
    def test_a_canceled_line_explains_nothing(self):
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        account = self.link()
        account._synchronize()
        vals = {'journal_id': account.journal_id.id, 'date': '2026-03-02', 'amount': 5, 'payment_ref': "By hand"}
        line = self.env['account.bank.statement.line'].create(vals)
        self.assertEqual(account._explain_difference()[0][1], -5)
        line.move_id.button_draft()
        line.move_id.button_cancel()
        account.invalidate_recordset()
        self.assertEqual((account.balance_difference, account._explain_difference()), (0, []))
        line.create({**vals, 'amount': 7})
        account.invalidate_recordset()
        self.assertEqual([amount for _label, amount in account._explain_difference()], [-7])

    def test_no_opening_line_is_proposed_before_the_list_is_read_to_its_end(self):
        online = self.simulator.add_account('BE43068999999501', institution=self.bank, balance=2500)
        self.simulator.add_transaction(online, 150, '2026-03-02')
        account = self.link(online)
        account._synchronize()
        self.assertEqual(account._prepare_opening_line_vals().get('amount'), 2500)
        account._request_full_read()
        self.assertFalse(account._prepare_opening_line_vals())
