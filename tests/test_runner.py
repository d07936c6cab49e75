from contextlib import suppress
from datetime import timedelta

from odoo import fields
from odoo.addons.account_online_ponto.models import budget
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase


@tagged('post_install', '-at_install')
class TestRunner(PontoCase):
    """What the scheduled actions do when they are ended, are slow, or fail."""

    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account = self.link()

    def planned(self, account):
        """Return whether the scheduler is woken when `account` is due."""
        cron = self.env.ref('account_online_ponto.ir_cron_synchronize')
        return account.next_read_at in self.env['ir.cron.trigger'].search([('cron_id', '=', cron.id)]).mapped('call_at')

    def refuse(self, *amounts):
        """Have Odoo refuse each statement line of one of these amounts."""
        lines = type(self.env['account.bank.statement.line'])
        create, refusal = lines.create, "not this one"

        def refusing(records, vals_list):
            if any(vals['amount'] in amounts for vals in vals_list):
                raise UserError(refusal)
            return create(records, vals_list)

        self.patch(lines, 'create', refusing)

    def test_a_worker_that_is_ended_while_it_reads_leaves_the_next_turn_to_the_other_accounts(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank, subtype='savings')
        self.simulator.add_transaction(savings, 20, '2026-03-02')
        sick, healthy = self.account, self.link(savings)
        accounts = type(self.account)
        read_details = accounts._read_details

        def end_the_worker(account):
            if account == sick:
                raise SystemExit
            read_details(account)

        self.patch(accounts, '_read_details', end_the_worker)
        # Not assertRaises: it would undo what was committed by then.
        with suppress(SystemExit):
            self.run_cron()
        self.env.invalidate_all()
        self.assertGreater(sick.next_read_at, fields.Datetime.now())
        self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.lines(healthy).amount, 20)

    def test_the_scheduler_is_woken_when_an_account_is_due_again(self):
        self.run_cron()
        self.assertTrue(self.planned(self.account))
        self.simulator.fail(None, status=503)
        self.run_cron()
        self.assertEqual(self.account.state, 'error')
        self.assertLess(self.account.next_read_at, fields.Datetime.now() + timedelta(minutes=6))
        self.assertTrue(self.planned(self.account))
        self.simulator.clear_faults()

    def test_renewed_credentials_end_the_waiting_at_once(self):
        secret = self.integration.client_secret
        self.integration.client_secret = 'not-the-secret'
        for _night in range(3):
            self.run_cron()
        self.assertEqual((self.account.state, self.integration.state), ('error', 'refused'))
        self.assertGreater(self.account.next_read_at, fields.Datetime.now() + timedelta(minutes=15))
        wizard = self.env['ponto.connect'].browse(self.account.link_id.action_update_credentials()['res_id'])
        wizard.client_secret = secret
        wizard.action_connect()
        self.assertLessEqual(self.account.next_read_at, fields.Datetime.now())
        self.env.ref('account_online_ponto.ir_cron_synchronize').method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual((self.account.state, self.lines(self.account).amount), ('active', 10))

    def test_when_ponto_is_slow_a_run_ends_early_and_the_next_one_goes_on(self):
        for number in range(20):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        self.simulator.set_page_size(5)
        self.patch(budget, 'STEP', 0)
        run = self.account._read('cron', 30)
        self.assertEqual(run.read_count, 5)
        self.assertTrue(self.account.resume_after)
        for _run in range(5):
            self.account._read('cron', 30)
        self.assertFalse(self.account.resume_after)
        self.assertEqual(len(self.account.transaction_ids), 21)

    def test_without_automatic_synchronization_only_what_a_person_has_begun_is_finished(self):
        self.account.link_id.auto_synchronize = False
        for number in range(20):
            self.simulator.add_transaction(self.online, number, '2026-03-02')
        self.simulator.set_page_size(5)
        self.account._read('manual', 1)
        self.assertTrue(self.account.resume_after)
        self.run_cron()
        self.assertFalse(self.account.resume_after)
        self.assertEqual(len(self.account.transaction_ids), 21)
        self.account.write({'pending_synchronization_ids': ['gone'], 'fetch_started_at': fields.Datetime.now()})
        self.simulator.add_transaction(self.online, 7, '2026-03-03')
        self.run_cron()
        self.assertFalse(self.account.pending_synchronization_ids)
        self.assertEqual(len(self.account.transaction_ids), 22)
        self.account.write({'state': 'error', 'next_read_at': fields.Datetime.now()})
        self.run_cron()
        self.assertEqual(self.account.state, 'active')
        requests = len(self.simulator.requests)
        self.run_cron()
        self.assertEqual(len(self.simulator.requests), requests)

    def test_many_refused_transactions_neither_keep_new_ones_waiting_nor_booking_busy(self):
        for number in range(100, 105):
            self.simulator.add_transaction(self.online, number, '2026-02-01')
        self.account._read('cron')
        self.refuse(*range(100, 105))
        self.patch(budget, 'STEP', 0)
        self.run_cron('ir_cron_book')
        self.assertEqual(self.account.transaction_ids.mapped('state'), ['booked'] + 5 * ['held'])
        cron = self.env.ref('account_online_ponto.ir_cron_book')
        progress = self.env['ir.cron.progress'].search([('cron_id', '=', cron.id)], order='id')
        self.assertEqual(progress.mapped('remaining'), [0])

    def test_what_is_new_is_booked_before_what_odoo_has_refused_is_tried_again(self):
        self.refuse(100)
        self.simulator.add_transaction(self.online, 100, '2026-02-01')
        self.account._synchronize()
        self.assertEqual(self.lines(self.account).mapped('amount'), [10])
        self.simulator.add_transaction(self.online, 20, '2026-03-03')
        self.account._read('cron')
        self.patch(budget, 'ROWS', 1)
        first, second = self.account._batches_to_book()
        self.assertEqual((first.amount, second.amount), (20, 100))
