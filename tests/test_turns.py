import logging
from contextlib import suppress
from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.addons.account_online_ponto.models import budget
from odoo.addons.account_online_ponto.models.turns import EndTurns, in_turns
from odoo.tests import BaseCase, tagged
from odoo.tools import config, mute_logger

from .common import PontoCase

TURNS = 'odoo.addons.account_online_ponto.models.turns'
RUNNER = 'odoo.addons.account_online_ponto.models.ponto_account_runner'


class TestPace(BaseCase):
    def test_a_step_holds_what_fits_into_its_time_and_at_least_one(self):
        pace, sizes = budget.Pace(20), []
        for seconds in (12, 60, 60):
            pace.note(pace.size, seconds)
            sizes.append(pace.size)
        self.assertEqual(sizes, [5, 1, 1])

    def test_a_fast_machine_gets_larger_steps_little_by_little_up_to_the_limit(self):
        pace, sizes = budget.Pace(20), []
        for _step in range(3):
            pace.note(pace.size, 0.01)
            sizes.append(pace.size)
        self.assertEqual(sizes, [80, 200, 200])

    def test_where_a_step_takes_long_whatever_it_holds_small_steps_gain_nothing(self):
        pace, rows, seconds = budget.Pace(20), 0, 0
        for _step in range(50):
            size = pace.size
            # Four seconds for the step, and a twentieth for each item.
            pace.note(size, 4 + size / 20)
            rows, seconds = rows + size, seconds + 4 + size / 20
        self.assertGreater(rows / seconds, 5)
        self.assertLess(4 + pace.size / 20, budget.FAR_TOO_LONG)

    def test_items_that_take_long_each_are_taken_one_by_one(self):
        pace = budget.Pace(20)
        for _step in range(10):
            pace.note(pace.size, 5 * pace.size)
        self.assertEqual(pace.size, 1)

    def test_a_short_step_with_few_items_teaches_nothing(self):
        pace = budget.Pace(100)
        pace.note(1, 0.5)
        pace.note(0, 0)
        self.assertEqual(pace.size, 100)


@tagged('post_install', '-at_install')
class TestTurns(PontoCase):
    """Who has a turn in the scheduled actions, and what becomes of that which ends its worker."""

    def setUp(self):
        super().setUp()
        for amount in (10, 11, 12, 13, 14, 15):
            self.simulator.add_transaction(self.online, amount, '2026-03-02')
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank, subtype='savings')
        self.simulator.add_transaction(savings, 20, '2026-03-02')
        self.account, self.other = self.link(), self.link(savings)
        self.tries = []

    def end_workers(self, model, method, is_poison):
        """End each worker that calls `method` on records of which `is_poison` holds, and note these calls."""
        model = type(self.env[model])
        original = getattr(model, method)

        def ending(records, *args, **kwargs):
            if is_poison(records):
                self.tries.append(len(records))
                raise SystemExit
            return original(records, *args, **kwargs)

        self.patch(model, method, ending)

    def run_workers(self, times, name='ir_cron_synchronize'):
        """Run a scheduled action so often, long enough after the last time, whether or not its worker is ended."""
        accounts = self.account + self.other
        for _time in range(times):
            accounts.filtered('turn_at').turn_at = fields.Datetime.now() - timedelta(minutes=2)
            # Not assertRaises: it would undo what was committed by then.
            with suppress(SystemExit):
                self.run_cron(name)
            self.env.invalidate_all()

    def in_turns(self, step):
        """Let both accounts have their turns in a transaction that may be committed and rolled back."""
        self.env.flush_all()
        with self.registry.cursor() as cr:
            env = self.env(cr=cr)
            return in_turns(env, (self.account + self.other).with_env(env), step)

    def test_a_row_that_ends_its_worker_twice_is_held_and_all_others_are_booked(self):
        self.end_workers('ponto.transaction', '_book', lambda rows: 13 in rows.mapped('amount'))
        self.run_workers(6)
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 11, 12, 14, 15])
        self.assertEqual(self.lines(self.other).amount, 20)
        poison = self.account.transaction_ids.filtered(lambda row: row.amount == 13)
        self.assertEqual((poison.state, poison.hold_reason), ('held', 'unprocessable'))
        self.assertIn("interrupted twice", poison.hold_message)
        # Among the others, then alone.
        self.assertEqual(self.tries, [6, 1])

    def test_a_held_row_that_ends_its_worker_is_not_tried_for_ever(self):
        self.company.fiscalyear_lock_date = '2026-03-31'
        self.run_workers(1)
        self.assertEqual(set(self.account.transaction_ids.mapped('state')), {'held'})
        self.company.fiscalyear_lock_date = False
        self.end_workers('ponto.transaction', '_book', lambda rows: 13 in rows.mapped('amount'))
        self.run_workers(6, 'ir_cron_book')
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 11, 12, 14, 15])
        self.assertEqual(self.tries, [6, 1])

    @mute_logger(RUNNER)
    def test_a_row_with_which_booking_fails_twice_is_held_and_all_others_are_booked(self):
        model = type(self.env['ponto.transaction'])
        order, failure = model._order_within_day, "broken"

        def failing(rows):
            if 13 in rows.mapped('amount'):
                self.tries.append(len(rows))
                raise ValueError(failure)
            order(rows)

        self.patch(model, '_order_within_day', failing)
        self.run_workers(4)
        self.assertEqual(self.lines(self.account).mapped('amount'), [10, 11, 12, 14, 15])
        self.assertEqual(self.account.transaction_ids.filtered('hold_reason').mapped('amount'), [13])
        self.assertEqual(self.tries, [6, 1])

    def test_a_booked_row_keeps_its_line_though_the_banks_change_ends_its_worker_twice(self):
        self.run_workers(1)
        lines = self.lines(self.account)
        row = next(row for row in self.online.transactions if row.amount == 13)
        self.simulator.change_transaction(row.id, remittance_information="Changed")
        correct = type(self.env['ponto.transaction'])._correct_lines
        self.end_workers('ponto.transaction', '_correct_lines', lambda rows: 13 in rows.mapped('amount'))
        self.run_workers(5)
        self.assertEqual(self.tries, [1, 1])
        self.assertEqual(self.lines(self.account), lines)
        poison = self.account.transaction_ids.filtered(lambda row: row.amount == 13)
        self.assertEqual((poison.state, poison.attempts, poison.hold_reason), ('booked', 0, False))
        self.assertIn("interrupted twice", poison.statement_line_id.move_id.activity_ids.note)
        self.patch(type(poison), '_correct_lines', correct)
        self.simulator.change_transaction(row.id, remittance_information="Changed again")
        self.run_workers(1)
        self.assertEqual(poison.statement_line_id.payment_ref, "Changed again")

    def test_a_change_that_was_followed_at_the_second_attempt_counts_no_attempt(self):
        self.run_workers(1)
        row = next(row for row in self.online.transactions if row.amount == 13)
        for text in ("Changed", "Changed again"):
            self.simulator.change_transaction(row.id, remittance_information=text)
            with patch.object(type(self.env['ponto.transaction']), '_correct_lines', side_effect=SystemExit):
                self.run_workers(1)
            self.run_workers(2)
            poison = self.account.transaction_ids.filtered(lambda row: row.amount == 13)
            self.assertEqual((poison.attempts, poison.statement_line_id.payment_ref), (0, text))

    def test_a_person_can_try_such_a_row_again(self):
        self.account._read('manual')
        self.account.transaction_ids[0]._hold('interrupted')
        self.account.transaction_ids[0].with_user(self.accountant).action_book()
        self.assertEqual(self.account.transaction_ids[0].state, 'booked')
        self.assertEqual(self.account.transaction_ids[0].attempts, 0)

    @mute_logger(RUNNER)
    def test_an_account_that_ends_its_worker_twice_is_set_aside_until_a_person_fetches_it(self):
        original = type(self.account)._read_details
        self.end_workers('ponto.account', '_read_details', lambda account: account == self.account)
        self.run_workers(5)
        self.patch(type(self.account), '_read_details', original)
        self.assertEqual(self.tries, [1, 1])
        self.assertEqual((self.account.state, self.account.next_read_at), ('error', False))
        self.assertIn("interrupted twice", self.account.error_message)
        self.assertEqual(self.account.synchronization_ids[0].state, 'error')
        self.assertEqual(self.lines(self.other).amount, 20)
        self.account.with_user(self.accountant).action_fetch_transactions()
        self.assertEqual((self.account.state, len(self.lines(self.account))), ('active', 6))
        self.run_workers(1)
        self.assertFalse(self.account.lost_count)

    @mute_logger(RUNNER)
    def test_workers_that_are_lost_at_different_places_of_a_long_list_do_not_set_the_account_aside(self):
        self.simulator.set_page_size(1)
        self.patch(budget, 'PAGES', 1)
        places = []

        def is_poison(account):
            place = len(account.transaction_ids)
            if account == self.other or place in places or place not in (0, 2):
                return False
            places.append(place)
            return True

        self.end_workers('ponto.account', '_read_details', is_poison)
        self.run_workers(4)
        self.assertEqual(places, [0, 2])
        self.assertEqual((self.account.state, len(self.lines(self.account))), ('active', 6))
        self.assertFalse(self.account.lost_count)

    def test_a_conflict_with_somebody_else_is_no_lost_worker_and_is_tried_again_soon(self):
        self.account._read('cron')
        self.account.next_read_at = False
        before = self.env['ir.cron.trigger'].search([])
        with patch.object(type(self.env['ponto.transaction']), '_book', side_effect=SerializationFailure()) as book:
            self.env.ref('account_online_ponto.ir_cron_book').method_direct_trigger()
        self.env.invalidate_all()
        self.assertTrue(book.called)
        self.assertFalse(self.account.work)
        self.assertEqual(set(self.account.transaction_ids.mapped('attempts')), {0})
        soon = (self.env['ir.cron.trigger'].search([]) - before).filtered(
            lambda trigger: trigger.call_at > fields.Datetime.now()
        )
        self.assertTrue(soon)

    def test_nothing_is_begun_after_the_end_of_a_job_and_what_is_left_is_reported(self):
        self.end_jobs_after(1)
        self.run_cron()
        self.assertEqual(len(self.account.transaction_ids + self.other.transaction_ids), 6)
        self.assertFalse(self.lines(self.account) + self.lines(self.other))
        cron = self.env.ref('account_online_ponto.ir_cron_synchronize')
        progress = self.env['ir.cron.progress'].search([('cron_id', '=', cron.id)], order='id')
        # The second call of the same job begins nothing, so that core ends the job and comes back.
        self.assertEqual(progress.mapped('done'), [1, 0])
        self.assertTrue(all(progress.mapped('remaining')))
        self.assertTrue(
            self.env['ir.cron.trigger'].search([('cron_id', '=', cron.id), ('call_at', '<=', fields.Datetime.now())])
        )

    def test_the_scheduler_does_not_sleep_while_something_is_left(self):
        cron = self.env.ref('account_online_ponto.ir_cron_book')
        for account in self.account + self.other:
            account._read('cron')
        self.end_jobs_after(1)
        with patch.object(type(cron), '_trigger', autospec=True) as trigger:
            cron.method_direct_trigger()
        self.assertIn(cron.id, [call.args[0].id for call in trigger.call_args_list])

    def test_an_account_with_much_to_book_takes_turns_with_the_others(self):
        for account in self.account + self.other:
            account._read('cron')
        self.patch(budget, 'ROWS', 1)
        self.end_jobs_after(2)
        self.run_cron('ir_cron_book')
        self.assertEqual((len(self.lines(self.account)), len(self.lines(self.other))), (1, 1))

    def test_an_account_that_another_worker_has_claimed_is_left_to_it(self):
        self.account.turn_at = fields.Datetime.now() + timedelta(seconds=30)
        self.run_cron()
        self.assertFalse(self.account.transaction_ids)
        self.assertEqual(self.lines(self.other).amount, 20)

    def test_a_notice_and_a_look_at_problems_leave_an_account_to_the_worker_that_has_claimed_it(self):
        self.account.turn_at = fields.Datetime.now() + timedelta(seconds=30)
        link = self.account.link_id
        self.assertFalse(link._lock_with_accounts())
        self.integration.write({'connection': 'connect', 'organization_id': 'organization'})
        event = self.env['ponto.event'].create(
            {'ponto_id': 'event', 'type': 'pontoConnect.account.reauthorized', 'organization_id': 'organization'}
        )
        event._apply_one()
        self.assertFalse(event.is_applied)
        self.account.turn_at = False
        self.assertTrue(link._lock_with_accounts())
        event._apply_one()
        self.assertTrue(event.is_applied)

    def test_other_jobs_of_the_same_kind_are_woken_when_several_accounts_wait(self):
        lane = self.env.ref('account_online_ponto.ir_cron_synchronize_2')
        lane.active = True
        triggers = [('cron_id', '=', lane.id)]
        self.other.next_read_at = False
        self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
        self.assertFalse(self.env['ir.cron.trigger'].search(triggers))
        self.run_workers(1)
        self.other.next_read_at = self.account.next_read_at = fields.Datetime.now()
        self.env.flush_all()
        self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
        self.assertTrue(self.env['ir.cron.trigger'].search(triggers))

    def test_what_a_step_raises_is_told_and_the_others_go_on(self):
        done = []

        def step(account):
            if account == self.account:
                raise ValueError("broken")
            done.append(account)

        with self.assertLogs(TURNS, logging.ERROR):
            self.assertTrue(self.in_turns(step))
        self.assertEqual(done, [self.other])

    def test_a_step_can_say_that_the_others_would_fail_too(self):
        def step(_account):
            self.tries.append(1)
            raise EndTurns

        self.assertTrue(self.in_turns(step))
        self.assertEqual(self.tries, [1])

    def test_a_step_waits_for_ponto_no_longer_than_a_quarter_of_what_odoo_grants_a_worker(self):
        self.patch(budget, 'PONTO', 20)
        self.patch(budget.time, 'monotonic', lambda: 1000)
        with patch.dict(config.options, {'limit_time_real': 120, 'limit_time_real_cron': 40}):
            self.assertEqual(budget.ponto_end(self.env), 1020)
            self.assertEqual(budget.ponto_end(self.env(context={'cron_id': 1})), 1010)

    def test_the_client_of_a_step_knows_when_its_time_is_over(self):
        client = self.integration.with_context(ponto_end=17)._client()
        self.assertEqual(client._transport._end, 17)
