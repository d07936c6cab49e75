import ast

import psycopg2
from psycopg2 import errorcodes
from psycopg2.pool import PoolError

from odoo.addons.account_online_ponto.models.database_errors import is_passing
from odoo.addons.account_online_ponto.models.ponto_transaction_line import MAX_PARTNER_NAME
from odoo.tests import tagged

from .common import PontoCase
from .simulator import CLIENT_ID

# Nothing in it repeats, so PostgreSQL cannot compress it to fit into an index.
LONG_NAME = ' '.join(f'{number * 2654435761 % 2**32:08x}' for number in range(400))


@tagged('post_install', '-at_install')
class TestConcerns(PontoCase):
    """A fault stays with whom it concerns: an account, a connection, a row."""

    def setUp(self):
        super().setUp()
        self.set_pontos_clock()
        self.simulator.reauthorize(self.online, days=3650)

    def test_an_account_that_is_refused_leaves_the_connection_and_the_other_banks_alone(self):
        other_bank = self.simulator.add_institution("Derde Bank", bic='DERDBEBB')
        sick_online = self.simulator.add_account('BE62510007547061', institution=other_bank)
        well, sick = self.link(), self.link(sick_online)
        for status in (401, 403):
            self.simulator.fail(None, path=f'/accounts/{sick_online.id}(/|$)', status=status, code='forbidden')
            self.run_cron()
            self.assertEqual((sick.state, well.state, self.integration.state), ('error', 'active', 'connected'))
            self.assertEqual((well.link_id.state, sick.link_id.state), ('connected', 'attention'))
            [problem] = [problem for problem in sick._problems() if problem.code == 'failed']
            self.assertEqual(problem.remedy, 'reconnect')
            self.assertNotIn("Update Credentials", sick.error_message)
            self.simulator.clear_faults()

    def test_credentials_that_are_refused_concern_the_whole_connection_and_are_told_once(self):
        savings = self.simulator.add_account('BE43068999999501', institution=self.bank)
        accounts = self.link() + self.link(savings)
        del self.simulator.integrations[CLIENT_ID]
        self.simulator.revoke_tokens()
        self.run_cron()
        self.assertEqual(self.integration.state, 'refused')
        self.assertEqual(set(accounts.mapped('state')), {'error'})
        self.assertEqual([problem['code'] for problem in accounts.link_id.problems], ['refused'])
        self.assertIn("does not accept this client ID", accounts.link_id.error_message)

    def test_a_subscription_and_a_blocked_organization_are_told_as_what_they_are(self):
        account = self.link()
        for fault, words in (
            ({'status': 402, 'code': 'paymentRequired'}, "subscription in your Ponto dashboard"),
            ({'status': 403, 'code': 'organizationBlocked'}, "has blocked your organization"),
        ):
            self.simulator.fail(None, path='/accounts', **fault)
            self.run_cron()
            self.assertIn(words, account.error_message)
            self.assertEqual((account.state, self.integration.state), ('error', 'connected'))
            [problem] = account._problems()
            self.assertFalse(problem.remedy)
            self.simulator.clear_faults()

    def test_an_integration_that_was_made_anew_at_ponto_takes_over_its_accounts(self):
        self.simulator.add_transaction(self.online, 1, '2026-03-02')
        account = self.link()
        account._synchronize()
        self.simulator.add_integration('new-id', 'new-secret', accounts=[self.online])
        del self.simulator.integrations[CLIENT_ID]
        self.simulator.revoke_tokens()
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            .create({'client_id': 'new-id', 'client_secret': 'new-secret', 'company_id': self.company.id})
        )
        wizard.action_connect()
        self.assertIn("linked to a journal already", wizard.message)
        self.assertEqual(account.integration_id, wizard.integration_id)
        self.assertEqual(self.integration.state, 'refused')
        shown = self.env['ir.actions.act_window']._for_xml_id('account_online_ponto.ponto_link_action')['domain']
        links = self.env['ponto.link'].search(ast.literal_eval(shown))
        self.assertEqual(links, wizard.integration_id.link_ids, "the former connection is no row any more")
        self.simulator.add_transaction(self.online, 2, '2026-03-03')
        self.run_cron()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2])

    def test_an_account_that_another_accepted_connection_reads_stays_there(self):
        account = self.link()
        self.simulator.add_integration('new-id', 'new-secret', accounts=[self.online])
        second = self.env['ponto.integration'].create(
            {'company_id': self.company.id, 'client_id': 'new-id', 'client_secret': 'new-secret'}
        )
        second._fetch_accounts()
        self.assertEqual((account.integration_id, self.integration.state), (self.integration, 'connected'))

    def test_a_name_that_no_index_holds_keeps_no_row_out(self):
        self.simulator.add_transaction(self.online, 1, '2026-03-02', counterpart_name=LONG_NAME)
        self.simulator.add_transaction(self.online, 2, '2026-03-03')
        account = self.link()
        self.run_cron()
        self.assertEqual(self.lines(account).mapped('amount'), [1, 2])
        self.assertEqual(self.lines(account)[0].partner_name, LONG_NAME[:MAX_PARTNER_NAME])
        self.assertEqual(account.transaction_ids[-1].counterpart_name, LONG_NAME)

    def test_a_row_that_the_database_refuses_is_held_and_the_others_are_booked(self):
        inbox = type(self.env['ponto.transaction'])
        prepare = inbox._prepare_statement_line_vals
        self.patch(
            inbox,
            '_prepare_statement_line_vals',
            lambda row: {**prepare(row), 'partner_name': LONG_NAME if row.amount == 1 else "Fine"},
        )
        self.simulator.add_transaction(self.online, 1, '2026-03-02')
        self.simulator.add_transaction(self.online, 2, '2026-03-03')
        account = self.link()
        self.run_cron()
        self.assertEqual(self.lines(account).mapped('amount'), [2])
        self.assertEqual(account.state, 'active')
        [held] = account.transaction_ids.filtered(lambda row: row.state == 'held')
        self.assertEqual((held.amount, held.hold_reason), (1, 'refused'))

    def raised_by_the_database(self, code):
        """Return an error with this code of PostgreSQL's. One that is only constructed has no code."""
        with self.assertRaises(psycopg2.Error) as caught, self.env.cr.savepoint():
            self.env.cr.execute(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$", log_exceptions=False)
        return caught.exception

    def test_only_what_a_repetition_can_heal_ends_the_transaction(self):
        for error in (
            psycopg2.OperationalError("server closed the connection unexpectedly"),
            psycopg2.InterfaceError("connection already closed"),
            PoolError("The Connection Pool Is Full"),
        ):
            self.assertTrue(is_passing(error), error)
        for code in (
            errorcodes.SERIALIZATION_FAILURE,
            errorcodes.DEADLOCK_DETECTED,
            errorcodes.LOCK_NOT_AVAILABLE,
            errorcodes.ADMIN_SHUTDOWN,
            errorcodes.CRASH_SHUTDOWN,
            errorcodes.CANNOT_CONNECT_NOW,
            errorcodes.DISK_FULL,
            errorcodes.IO_ERROR,
        ):
            self.assertTrue(is_passing(self.raised_by_the_database(code)), code)
        with self.assertRaises(psycopg2.OperationalError) as caught, self.env.cr.savepoint():
            self.env.cr.execute(
                "CREATE TEMP TABLE long (name text); CREATE INDEX ON long (name); INSERT INTO long VALUES (%s)",
                [LONG_NAME],
                log_exceptions=False,
            )
        self.assertFalse(is_passing(caught.exception))
        self.assertFalse(is_passing(ValueError()))
