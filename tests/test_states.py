import ast
from datetime import timedelta
from pathlib import Path

from odoo import fields
from odoo.addons.account_online_ponto.models.error_sentences import failure_of
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PontoCase

ADDON = Path(__file__).parents[1]
FILES = sorted(path for folder in ('models', 'wizard', 'controllers') for path in (ADDON / folder).glob('*.py'))


def writes_of_state(function):
    """Return the lines of `function` that assign `.state` or write a dictionary with that key."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == 'state' for target in node.targets
        ):
            yield node.lineno
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ('write', '_write_changes', 'update')
            and any(
                isinstance(key, ast.Constant) and key.value == 'state'
                for argument in node.args
                if isinstance(argument, ast.Dict)
                for key in argument.keys
            )
        ):
            yield node.lineno


@tagged('post_install', '-at_install')
class TestStates(PontoCase):
    def fail(self, account):
        account._set_failed(failure_of(UserError("Broken.")), 3)
        account.next_read_at = fields.Datetime.now() + timedelta(hours=1)

    def test_nothing_but_a_named_transition_writes_a_state(self):
        for path in FILES:
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                if isinstance(node, ast.FunctionDef) and not node.name.startswith(('_set_', '_compute_')):
                    self.assertFalse(list(writes_of_state(node)), f'{path.name}: {node.name}')

    def test_an_account_that_is_withdrawn_leaves_its_failure_and_its_next_run(self):
        account = self.link()
        self.fail(account)
        account.pending_synchronization_ids = ['one']
        account._set_withdrawn()
        self.assertRecordValues(
            account,
            [
                {
                    'state': 'withdrawn',
                    'failure': False,
                    'error_message': False,
                    'failure_count': 0,
                    'next_read_at': False,
                    'pending_synchronization_ids': False,
                }
            ],
        )

    def test_an_account_that_is_unlinked_leaves_its_failure_and_stays_withheld_by_ponto(self):
        account = self.link()
        self.fail(account)
        account.action_unlink_journal()
        self.assertRecordValues(account, [{'state': 'new', 'error_message': False, 'next_read_at': False}])
        account._link_to_new_journal()
        account._set_withdrawn()
        account.action_unlink_journal()
        self.assertEqual(account.state, 'withdrawn')

    def test_a_failure_of_a_withdrawn_account_promises_no_next_run(self):
        account = self.link()
        account._set_withdrawn()
        account._record_failure('manual', fields.Datetime.now(), UserError("Broken."))
        self.assertRecordValues(account, [{'state': 'withdrawn', 'error_message': False, 'next_read_at': False}])
        self.assertEqual(account.synchronization_ids.message, "Broken.")

    def test_what_has_failed_while_a_connection_was_refused_is_tried_again_once_it_is_accepted(self):
        account = self.link()
        self.integration._set_refused()
        self.fail(account)
        self.integration._set_connected()
        self.assertLessEqual(account.next_read_at, fields.Datetime.now())

    def test_a_connection_that_somebody_has_ended_is_not_refused_afterwards(self):
        self.link()
        self.integration._set_disconnected()
        self.integration._set_refused()
        self.assertEqual(self.integration.state, 'draft')

    def test_the_reason_of_a_failure_is_told_in_the_readers_language_now_and_in_the_history(self):
        self.env['res.lang']._activate_lang('fr_FR')
        self.env['ir.module.module']._load_module_terms(['account_online_ponto'], ['fr_FR'])
        account = self.link()
        self.simulator.fail(None, kind='slow')
        account.action_fetch_transactions()
        for lang, words in (('en_US', "in time"), ('fr_FR', "à temps")):
            reader = account.with_context(lang=lang)
            self.assertIn(words, reader.error_message)
            self.assertEqual(reader.synchronization_ids[0].message, reader.error_message)
