from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ..ponto.resources import Transaction
from .common import PontoCase


@tagged('post_install', '-at_install')
class TestPending(PontoCase):
    """What the bank has announced and not booked yet."""

    def setUp(self):
        super().setUp()
        self.account = self.link()

    def ask(self):
        return self.account.with_user(self.accountant).get_pending_transactions()

    def test_number_sum_and_rows_are_read_from_ponto(self):
        for amount, name in ((-70, "Huurkantoor"), ('-7.77', "Bakkerij")):
            self.simulator.add_pending_transaction(
                self.online, amount, '2026-03-09', counterpart_name=name, remittance_information="Betaling"
            )
        pending = self.ask()
        self.assertRegex(pending['summary'], r"^2 pending transactions: .*-77\.77")
        self.assertEqual([row['label'] for row in pending['rows']], ["Bakkerij · Betaling", "Huurkantoor · Betaling"])
        self.assertEqual([row['date'] for row in pending['rows']], ['03/09/2026'] * 2)

    def test_one_in_another_currency_is_not_added_to_the_others(self):
        self.simulator.add_pending_transaction(self.online, -70, '2026-03-09', currency='USD')
        self.simulator.add_pending_transaction(self.online, -7, '2026-03-09')
        self.assertRegex(self.ask()['summary'], r"^1 pending transaction: .*-7\.00")

    def test_nothing_of_it_is_kept_or_booked(self):
        self.simulator.add_pending_transaction(self.online, -70, '2026-03-09')
        self.account._synchronize()
        self.ask()
        self.run_cron()
        self.assertFalse(self.account.transaction_ids)
        self.assertFalse(self.lines(self.account))

    def test_without_any_it_says_so(self):
        self.assertEqual(self.ask(), {'summary': "No pending transactions.", 'rows': []})

    def test_a_failure_is_told_in_a_sentence(self):
        self.simulator.fail(None, status=503, path='/pending-transactions')
        with self.assertRaisesRegex(UserError, "problem on its side"):
            self.ask()
        self.simulator.clear_faults()

    def test_a_list_without_end_is_not_read_to_its_end(self):
        self.patch(type(self.account.integration_id._client()), 'iter_pending_transactions', self.endless)
        self.assertEqual(len(self.ask()['rows']), 200)

    @staticmethod
    def endless(_client, *, account_id):
        while True:
            yield Transaction(id=account_id, amount=1, currency='EUR')

    def test_only_who_may_look_at_the_feed_may_ask(self):
        stranger = new_test_user(self.env, 'ponto_stranger', groups='base.group_user', company_id=self.company.id)
        with self.assertRaises(AccessError):
            self.account.with_user(stranger).get_pending_transactions()
