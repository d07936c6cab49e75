import logging

from odoo import Command
from odoo.exceptions import AccessError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import new_test_user, tagged

from .common import PontoCase
from .simulator import CLIENT_ID, CLIENT_SECRET

ADDON = 'odoo.addons.account_online_ponto'
OTHER_SECRET = 'another-secret-of-some-length'

# What each group of Invoicing may do with each model: r(ead), w(rite), c(reate), u(nlink).
GROUPS = (
    'base.group_user',
    'account.group_account_readonly',
    'account.group_account_invoice',
    'account.group_account_basic',
    'account.group_account_user',
    'account.group_account_manager',
    'base.group_system',
)
MATRIX = {
    #                          user  readonly invoice basic user  manager system
    'ponto.integration': ('', 'r', '', 'r', 'r', 'rwcu', ''),
    'ponto.institution': ('', 'r', 'r', 'r', 'r', 'r', ''),
    'ponto.link': ('', 'r', '', 'r', 'r', 'rwu', ''),
    'ponto.account': ('', 'r', '', 'r', 'r', 'rwu', ''),
    'ponto.transaction': ('', 'r', '', 'r', 'r', 'r', ''),
    'ponto.synchronization': ('', 'r', '', 'r', 'r', 'r', ''),
    'ponto.token': ('', '', '', '', '', '', ''),
    'ponto.connect': ('', '', '', '', '', 'rwcu', ''),
    'ponto.connect.account': ('', '', '', '', '', 'rwcu', ''),
    'ponto.event': ('', '', '', '', '', '', 'r'),
    'ponto.settlement': ('', '', '', 'rwcu', 'rwcu', 'rwcu', ''),
    'ponto.backfill': ('', '', '', 'rwcu', 'rwcu', 'rwcu', ''),
    'ponto.reauthorize': ('', '', '', '', '', 'rwcu', ''),
}
LETTERS = {'r': 'read', 'w': 'write', 'c': 'create', 'u': 'unlink'}


@tagged('post_install', '-at_install')
class TestSecurity(PontoCase):
    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account = self.link()
        self.account._synchronize()

    def user(self, group, **vals):
        groups = group if group == 'base.group_user' else f'base.group_user,{group}'
        return new_test_user(self.env, f'ponto_{group}', groups=groups, company_id=self.company.id, **vals)

    def test_every_model_of_the_addon_is_in_the_matrix(self):
        own = {name for name, model in self.registry.items() if name.startswith('ponto.') and not model._abstract}
        self.assertEqual(own, set(MATRIX))

    def test_each_group_has_exactly_the_rights_of_the_matrix(self):
        for place, group in enumerate(GROUPS):
            user = self.user(group)
            for model, rights in MATRIX.items():
                granted = ''.join(
                    letter
                    for letter, operation in LETTERS.items()
                    if self.env[model].with_user(user).has_access(operation)
                )
                self.assertEqual(granted, rights[place], f'{group} on {model}')

    def test_people_from_outside_have_no_right_at_all(self):
        for group in ('base.group_portal', 'base.group_public'):
            user = new_test_user(self.env, f'ponto_{group}', groups=group)
            for model in MATRIX:
                for operation in LETTERS.values():
                    self.assertFalse(self.env[model].with_user(user).has_access(operation), (group, model, operation))

    def test_what_changes_something_is_refused_to_whoever_may_only_look(self):
        reader = self.user('account.group_account_readonly')
        row = self.account.transaction_ids
        for records, methods in (
            (
                row,
                (
                    'action_book',
                    'action_import_anyway',
                    'action_same_as_suspect',
                    'action_import_again',
                    'action_import_skipped',
                    'action_is_in_opening',
                ),
            ),
            (
                self.account,
                (
                    'action_fetch_transactions',
                    'action_unlink_journal',
                    'action_backfill',
                    'fetch_progress',
                    'action_find_missing_transactions',
                ),
            ),
            (
                self.account.link_id,
                (
                    'action_fetch_accounts',
                    'action_fetch_transactions',
                    'action_update_credentials',
                    'action_reauthorize',
                ),
            ),
            (self.integration, ('action_fetch_accounts',)),
            (
                self.account.journal_id,
                ('action_ponto_fetch_transactions', 'action_ponto_backfill', 'action_ponto_find_missing_transactions'),
            ),
            (self.env['ponto.connect'], ('action_add_bank_account',)),
        ):
            for method in methods:
                with self.subTest(method), self.assertRaises(AccessError):
                    getattr(records.with_user(reader), method)()

    def test_what_comes_from_ponto_is_written_by_nobody(self):
        account = self.account.with_user(self.accountant)
        account.start_date = '2026-03-01'
        for record, vals in (
            (account, {'ponto_id': 'another'}),
            (account, {'state': 'new'}),
            (account, {'next_read_at': False}),
            (account, {'journal_id': False}),
            (account.link_id, {'integration_id': self.integration.id}),
            (account.integration_id, {'state': 'connected'}),
            (account.integration_id, {'organization_id': 'another'}),
        ):
            with self.subTest(vals), self.assertRaisesRegex(AccessError, "comes from Ponto"):
                record.write(vals)
        with self.assertRaisesRegex(AccessError, "comes from Ponto"):
            account.integration_id.create({'client_id': 'mine', 'state': 'connected'})
        with self.assertRaisesRegex(ValueError, "Invalid field"):
            account.write({'no_field': 1})
        account.action_unlink_journal()
        self.assertFalse(account.journal_id)

    def test_another_company_sees_nothing(self):
        other = self.make_company("Andere Zaak")
        stranger = new_test_user(
            self.env,
            'ponto_stranger',
            groups='account.group_account_manager,account.group_account_user',
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        records = (
            self.integration,
            self.account,
            self.account.link_id,
            self.account.transaction_ids,
            self.account.synchronization_ids,
        )
        for record in records:
            with self.subTest(record._name):
                seen = record.with_context(allowed_company_ids=other.ids).with_user(stranger)
                self.assertFalse(seen.search([]))
                with self.assertRaises(AccessError):
                    seen.read(['display_name'])

    def test_a_wizard_opens_no_way_to_another_companys_accounts(self):
        lines = self.env['ponto.connect.account']
        mine = lines.create(
            {
                'wizard_id': self.env['ponto.connect'].create({'company_id': self.company.id}).id,
                'account_id': self.account.id,
            }
        )
        renewal = self.env['ponto.reauthorize'].create({'link_id': self.account.link_id.id})
        other = self.make_company("Andere Zaak")
        stranger = new_test_user(
            self.env,
            'ponto_stranger',
            groups='account.group_account_manager,account.group_account_user',
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        env = self.env(user=stranger, context={'allowed_company_ids': other.ids})
        older = self.env['ponto.backfill'].create({'account_ids': self.account.ids, 'date_from': '2026-01-01'})
        settling = {'way': 'aside', 'transaction_ids': self.account.transaction_ids.ids}
        settlement = self.env['ponto.settlement'].create(settling)
        for record, name in (
            (mine, 'company_id'),
            (renewal, 'message'),
            (older, 'opening_message'),
            (settlement, 'label'),
        ):
            self.assertFalse(record.with_env(env).search([]))
            with self.assertRaises(AccessError):
                record.with_env(env).read([name])
        with self.assertRaises(AccessError):
            older.with_env(env).create({'account_ids': self.account.ids, 'date_from': '2026-01-01'})
        with self.assertRaises(AccessError):
            settlement.with_env(env).create(settling)
        wizard = env['ponto.connect'].create({'company_id': other.id})
        with self.assertRaises(AccessError):
            lines.with_env(env).create({'wizard_id': wizard.id, 'account_id': self.account.id})
        self.env.flush_all()
        for changed, name in (
            ('account_id', 'reference'),
            ('account_id', 'label'),
            ('account_id', 'current_balance'),
            ('account_id', 'institution_id'),
            ('action', 'start_date'),
        ):
            self.env.invalidate_all()
            with self.subTest(name), self.assertRaises(AccessError):
                lines.with_env(env).onchange({'account_id': self.account.id, 'action': 'new'}, [changed], {name: {}})
        named = (
            {'twin_id': self.account.id},
            {'predecessor_ids': [Command.link(self.account.id)]},
            {'journal_id': self.account.journal_id.id},
        )
        for vals in named:
            self.env.invalidate_all()
            with self.subTest(str(vals)), self.assertRaises(AccessError):
                lines.with_env(env).onchange(
                    {'action': 'new', **vals}, list(vals), {name: {} for name in (*vals, 'hint')}
                )

    def ways_to_a_field(self, name):
        """Return `{way: call}` of all ways by which an accountant might learn something of a field of integrations."""
        integrations = self.env['ponto.integration'].with_user(self.accountant)
        integration = integrations.browse(self.integration.id)
        accounts = self.env['ponto.account'].with_user(self.accountant)
        path = f'integration_id.{name}'
        return {
            'read': lambda: integration.read([name]),
            'web_read': lambda: integration.web_read({name: {}}),
            'web_search_read': lambda: integrations.web_search_read([], {name: {}}),
            'nested web_read': lambda: accounts.search([]).web_read({'integration_id': {'fields': {name: {}}}}),
            'export': lambda: integration.export_data([name]),
            'export by a path': lambda: accounts.search([]).export_data([f'integration_id/{name}']),
            'search': lambda: integrations.search([(name, '=like', 's%')]),
            'search by a path': lambda: accounts.search([(path, '=like', 's%')]),
            'order': lambda: integrations.search([], order=name),
            'group': lambda: integrations.formatted_read_group([], [name], ['__count']),
            'group by a path': lambda: accounts.formatted_read_group([], [path], ['__count']),
            'aggregate': lambda: integrations.formatted_read_group([], ['company_id'], [f'{name}:array_agg']),
            'search_read': lambda: integrations.search_read([], [name]),
            'name_search': lambda: integrations.name_search('', [(name, '=like', 's%')]),
            'onchange': lambda: integration.onchange({}, [], {name: {}}),
            'filter': lambda: integration.filtered_domain([(name, '=like', 's%')]),
            'write': lambda: integration.write({name: 'mine'}),
        }

    def test_secrets_reach_no_accountant(self):
        self.accountant.group_ids += self.env.ref('base.group_allow_export')
        for name in ('client_secret', 'client_secret_stored'):
            for way, call in self.ways_to_a_field(name).items():
                with self.subTest(f'{way} of {name}'):
                    self.env.invalidate_all()
                    try:
                        found = call()
                    except (AccessError, ValueError):
                        continue
                    self.assertEqual(way, 'onchange', "This was not refused.")
                    self.assertNotIn(CLIENT_SECRET, repr(found))
            self.assertNotIn(name, self.integration.with_user(self.accountant).fields_get())
        for model in ('ponto.token', 'ir.config_parameter'):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.accountant).search([])
        self.assertFalse(self.integration.with_user(self.accountant).copy_data()[0].get('client_secret'))

    def test_a_secret_that_was_typed_is_read_by_nobody_again(self):
        wizard = (
            self.env['ponto.connect']
            .with_user(self.accountant)
            .create({'client_id': CLIENT_ID, 'client_secret': 'typed-and-waiting'})
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(wizard.client_secret)
        self.assertNotIn('typed-and-waiting', repr(wizard.read()))
        self.assertNotIn('typed-and-waiting', repr(wizard.onchange({}, [], {'client_secret': {}, 'client_id': {}})))
        with self.assertRaises(AccessError):
            wizard.read(['entered_secret'])

    def test_secrets_stay_out_of_logs_errors_history_and_chatter(self):
        self.account.integration_id.client_secret = OTHER_SECRET
        self.env.flush_all()
        echo = {'error': 'invalid_client', 'error_description': f'{OTHER_SECRET} is not the secret of {CLIENT_ID}'}
        for logger, level in (('odoo', logging.INFO), (ADDON, logging.DEBUG)):
            with self.assertLogs(logger, level) as logs:
                self.fail_in_many_ways(echo)
            self.assertNotIn(OTHER_SECRET, '\n'.join(logs.output))
        self.assertEqual(self.account.state, 'error')
        feed, runs = self.account.link_id, self.account.synchronization_ids
        for text in (
            self.account.error_message,
            feed.error_message,
            *runs.mapped('message'),
            *runs.mapped('error_code'),
            *feed.message_ids.mapped('body'),
            *feed.activity_ids.mapped('note'),
        ):
            self.assertNotIn(OTHER_SECRET, text or '')

    def fail_in_many_ways(self, echo):
        for fault in (
            {'path': '/oauth2/token', 'status': 401, 'body': echo},
            {'path': '/oauth2/token', 'kind': 'reset'},
            {'path': '/accounts', 'status': 403},
        ):
            self.simulator.fail(None, **fault)
            self.run_cron()
            self.account.with_user(self.accountant).action_fetch_transactions()
            self.simulator.clear_faults()

    def test_a_traceback_of_anything_unexpected_tells_no_secret(self):
        self.patch(
            type(self.env['ponto.account']),
            '_read_details',
            lambda account: [][account.integration_id.sudo().client_secret],
        )
        with self.assertLogs('odoo', 'ERROR') as logs:
            self.run_cron()
        self.assertEqual(self.account.state, 'error')
        self.assertNotIn(CLIENT_SECRET, '\n'.join(logs.output) + self.account.error_message)

    def test_tokens_are_readable_by_nobody_not_even_system_administrators(self):
        with self.assertRaises(AccessError):
            self.env['ponto.token'].with_user(self.env.ref('base.user_admin')).search_read([])

    def test_a_neutralized_copy_knows_no_credentials(self):
        wizard = self.env['ponto.connect'].create({'client_id': 'typed', 'client_secret': 'typed-and-not-used'})
        self.env.flush_all()
        for query in get_neutralization_queries(['account_online_ponto']):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        self.assertFalse(self.integration.client_secret)
        self.assertFalse(wizard.sudo().entered_secret)
        self.assertFalse(self.env['ponto.token'].search([('access_token', '!=', False)]))
        self.assertFalse(self.account.next_read_at)
