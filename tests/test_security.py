from odoo import Command
from odoo.exceptions import AccessError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import new_test_user, tagged

from .common import PontoCase

# What each group of Invoicing may do with each model: r(ead), w(rite), c(reate), u(nlink).
GROUPS = ('base.group_user', 'account.group_account_readonly', 'account.group_account_invoice',
          'account.group_account_basic', 'account.group_account_user', 'account.group_account_manager',
          'base.group_system')
MATRIX = {
    #                          user  readonly invoice basic user  manager system
    'ponto.integration':      ('',   'r',     '',     'r',  'r',  'rwcu', ''),
    'ponto.institution':      ('',   'r',     'r',    'r',  'r',  'r',    ''),
    'ponto.link':             ('',   'r',     '',     'r',  'r',  'rwu',  ''),
    'ponto.account':          ('',   'r',     '',     'r',  'r',  'rwu',  ''),
    'ponto.transaction':      ('',   'r',     '',     'r',  'r',  'r',    ''),
    'ponto.synchronization':  ('',   'r',     '',     'r',  'r',  'r',    ''),
    'ponto.token':            ('',   '',      '',     '',   '',   '',     ''),
    'ponto.connect':          ('',   '',      '',     '',   '',   'rwcu', ''),
    'ponto.connect.account':  ('',   '',      '',     '',   '',   'rwcu', ''),
    'ponto.event':            ('',   '',      '',     '',   '',   '',     'r'),
    'ponto.backfill':         ('',   '',      '',     'rwcu', 'rwcu', 'rwcu', ''),
    'ponto.reauthorize':      ('',   '',      '',     '',   '',   'rwcu', ''),
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
        own = {name for name, model in self.registry.items()
               if name.startswith('ponto.') and not model._abstract}
        self.assertEqual(own, set(MATRIX))

    def test_each_group_has_exactly_the_rights_of_the_matrix(self):
        for place, group in enumerate(GROUPS):
            user = self.user(group)
            for model, rights in MATRIX.items():
                granted = ''.join(
                    letter for letter, operation in LETTERS.items()
                    if self.env[model].with_user(user).has_access(operation))
                self.assertEqual(granted, rights[place], f'{group} on {model}')

    def test_what_changes_something_is_refused_to_whoever_may_only_look(self):
        reader = self.user('account.group_account_readonly')
        row = self.account.transaction_ids
        for records, methods in (
            (row, ('action_book', 'action_import_anyway', 'action_same_as_suspect', 'action_import_again',
                   'action_import_skipped')),
            (self.account, (
                'action_fetch_transactions', 'action_unlink_journal', 'action_backfill', 'fetch_progress',
                'action_find_missing_transactions')),
            (self.account.link_id, ('action_fetch_accounts', 'action_fetch_transactions', 'action_update_credentials',
                                     'action_reauthorize')),
            (self.integration, ('action_fetch_accounts',)),
            (self.account.journal_id, ('action_ponto_fetch_transactions', 'action_ponto_backfill',
                                       'action_ponto_find_missing_transactions')),
            (self.env['ponto.connect'], ('action_add_bank_account',)),
        ):
            for method in methods:
                with self.subTest(method), self.assertRaises(AccessError):
                    getattr(records.with_user(reader), method)()

    def test_what_comes_from_ponto_is_written_by_nobody(self):
        account = self.account.with_user(self.accountant)
        account.start_date = '2026-03-01'
        for record, vals in (
            (account, {'ponto_id': 'another'}), (account, {'state': 'new'}), (account, {'next_read_at': False}),
            (account, {'journal_id': False}), (account.link_id, {'integration_id': self.integration.id}),
            (account.integration_id, {'state': 'connected'}), (account.integration_id, {'organization_id': 'another'}),
        ):
            with self.subTest(vals), self.assertRaisesRegex(AccessError, "comes from Ponto"):
                record.write(vals)
        with self.assertRaisesRegex(AccessError, "comes from Ponto"):
            account.integration_id.create({'client_id': 'mine', 'state': 'connected'})
        account.action_unlink_journal()
        self.assertFalse(account.journal_id)

    def test_another_company_sees_nothing(self):
        other = self.make_company("Andere Zaak")
        stranger = new_test_user(
            self.env, 'ponto_stranger', groups='account.group_account_manager,account.group_account_user',
            company_id=other.id, company_ids=[Command.set(other.ids)])
        records = (self.integration, self.account, self.account.link_id, self.account.transaction_ids,
                   self.account.synchronization_ids)
        for record in records:
            with self.subTest(record._name):
                seen = record.with_context(allowed_company_ids=other.ids).with_user(stranger)
                self.assertFalse(seen.search([]))
                with self.assertRaises(AccessError):
                    seen.read(['display_name'])

    def test_a_wizard_opens_no_way_to_another_companys_accounts(self):
        lines = self.env['ponto.connect.account']
        mine = lines.create({
            'wizard_id': self.env['ponto.connect'].create({'company_id': self.company.id}).id,
            'account_id': self.account.id})
        renewal = self.env['ponto.reauthorize'].create({'link_id': self.account.link_id.id})
        other = self.make_company("Andere Zaak")
        stranger = new_test_user(
            self.env, 'ponto_stranger', groups='account.group_account_manager,account.group_account_user',
            company_id=other.id, company_ids=[Command.set(other.ids)])
        env = self.env(user=stranger, context={'allowed_company_ids': other.ids})
        for record in (mine, renewal):
            self.assertFalse(record.with_env(env).search([]))
            with self.assertRaises(AccessError):
                record.with_env(env).read(['company_id' if record == mine else 'message'])
        wizard = env['ponto.connect'].create({'company_id': other.id})
        with self.assertRaises(AccessError):
            lines.with_env(env).create({'wizard_id': wizard.id, 'account_id': self.account.id})

    def test_secrets_reach_no_accountant(self):
        self.accountant.group_ids += self.env.ref('base.group_allow_export')
        integration = self.integration.with_user(self.accountant)
        self.assertNotIn('client_secret', integration.fields_get())
        with self.assertRaises(AccessError):
            integration.read(['client_secret'])
        with self.assertRaises(AccessError):
            integration.export_data(['client_secret'])
        with self.assertRaises(AccessError):
            integration.search([('client_secret', '=like', 's%')])
        with self.assertRaises(AccessError):
            self.env['ponto.token'].with_user(self.accountant).search([])
        self.assertFalse(integration.copy_data()[0].get('client_secret'))

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
