from unittest.mock import Mock

from odoo import Command
from odoo.addons.account_online_ponto.wizard import ponto_reauthorize
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from .common import PontoCase

OURS = 'odoo.addons.account_online_ponto.'
# Each kind of user has one group and what it implies; the strangers have everything in another company.
KINDS = {
    'user': 'base.group_user',
    'readonly': 'account.group_account_readonly',
    'invoice': 'account.group_account_invoice',
    'basic': 'account.group_account_basic',
    'bookkeeper': 'account.group_account_user',
    'manager': 'account.group_account_manager',
    'system': 'base.group_system',
    'portal': 'base.group_portal',
    'public': 'base.group_public',
    'stranger': 'account.group_account_manager,account.group_account_user,base.group_system',
}
LOOK = {'readonly', 'basic', 'bookkeeper', 'manager'}
BOOK = {'basic', 'bookkeeper', 'manager'}
MANAGE = {'manager'}
# Who may call what over RPC. A method that is not here fails the test until somebody has decided.
ALLOWED = {
    'account.bank.statement.line': {
        'action_accept_proposals': BOOK,
        'action_create_rule': BOOK,
        'action_undo_matches': BOOK,
        # As the lines and the journal items themselves.
        'find_next_to_reconcile': LOOK | {'invoice'},
        'get_proposals': LOOK | {'invoice'},
        'get_reconciliation_panel': LOOK | {'invoice'},
        'reconcile_with': BOOK,
        'search_open_items': LOOK | {'invoice'},
    },
    'account.journal': {
        'action_ponto_backfill': BOOK,
        'action_ponto_fetch_transactions': BOOK,
        'action_ponto_find_duplicates': BOOK,
        'action_ponto_find_missing_transactions': BOOK,
        'action_ponto_open_link': LOOK,
        'action_ponto_reconnect': MANAGE,
        'action_ponto_to_reconcile': LOOK | {'invoice'},
    },
    'account.reconcile.model': {'action_show_open_lines': LOOK | {'invoice'}},
    'ponto.account': {
        'action_add_opening_line': MANAGE,
        'action_backfill': BOOK,
        'action_fetch_transactions': BOOK,
        'action_find_missing_transactions': BOOK,
        'action_open_reason': LOOK,
        'action_remedy': LOOK,
        'action_show_opening_line': LOOK,
        'action_unlink_journal': MANAGE,
        'action_use_new_number': MANAGE,
        'fetch_progress': BOOK,
        'get_pending_transactions': LOOK,
        # Of one's own companies only.
        'get_health': LOOK | {'stranger'},
    },
    'ponto.backfill': {'action_fetch': BOOK},
    'ponto.connect': {
        # The wizards of one's own company, as of everybody who administrates one.
        'action_add_bank_account': {'manager', 'stranger'},
        'action_continue': {'manager', 'stranger'},
        'action_add_other_accounts': MANAGE,
        'action_connect': MANAGE,
        'action_fetch_accounts': MANAGE,
        'action_finish': MANAGE,
        'action_link_accounts': MANAGE,
        'action_open_ponto': MANAGE,
    },
    'ponto.institution': {
        # One catalogue for all companies.
        'action_pick': {'manager', 'stranger'},
        'action_refresh_catalogue': {'manager', 'stranger'},
        'search_catalogue': LOOK | {'invoice', 'stranger'},
    },
    'ponto.integration': {'action_connect_again': MANAGE, 'action_disconnect': MANAGE, 'action_fetch_accounts': MANAGE},
    'ponto.link': {
        'action_fetch_accounts': MANAGE,
        'action_fetch_transactions': BOOK,
        'action_reauthorize': MANAGE,
        'action_update_credentials': MANAGE,
    },
    'ponto.reauthorize': {
        'action_check': MANAGE,
        'action_continue': {'manager', 'stranger'},
        'action_open_ponto': MANAGE,
        'action_renew': MANAGE,
    },
    'ponto.settlement': {'action_settle': BOOK},
    'ponto.transaction': {
        'action_book': BOOK,
        'action_choose_line': BOOK,
        'action_delete_line': BOOK,
        'action_enter_amount': BOOK,
        'action_import_again': BOOK,
        'action_import_anyway': BOOK,
        'action_import_skipped': BOOK,
        'action_is_in_opening': BOOK,
        'action_keep': BOOK,
        'action_same_as_suspect': BOOK,
        'action_set_aside': BOOK,
    },
}


@tagged('post_install', '-at_install')
class TestPublicMethods(PontoCase):
    def setUp(self):
        super().setUp()
        # Not by `patch`, which looks into what it replaces: there is no request here.
        self.patch(ponto_reauthorize, 'request', Mock(session={}))
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account = self.link()
        self.account._synchronize()
        self.other = self.make_company("Andere Zaak")
        self.rule = self.env['account.reconcile.model'].create({'name': "Charges", 'company_id': self.company.id})

    def public_methods(self):
        """Return `{model: names}` of the methods of ours that no other module has, and that RPC lets through."""
        found = {}
        for model, registered in self.registry.items():
            ours, theirs = set(), set()
            for cls in registered.__mro__:
                names = {
                    name
                    for name, value in vars(cls).items()
                    if not name.startswith('_') and callable(value) and not isinstance(value, type)
                }
                (ours if cls.__module__.startswith(OURS) else theirs).update(names)
            if ours - theirs:
                found[model] = ours - theirs
        return found

    def user(self, kind):
        company = self.other if kind == 'stranger' else self.company
        return new_test_user(
            self.env, f'ponto_{kind}', groups=KINDS[kind], company_id=company.id, company_ids=[Command.set(company.ids)]
        )

    def target(self, model, env):
        """Return the id of the record that somebody tries a method on: that of a wizard is made by that very person."""
        if model == 'ponto.connect':
            return env[model].create({'company_id': self.company.id, 'integration_id': self.integration.id}).id
        if model == 'ponto.reauthorize':
            return env[model].create({'link_id': self.account.link_id.id}).id
        if model == 'ponto.backfill':
            return env[model].create({'account_ids': self.account.ids, 'date_from': '2026-01-01'}).id
        if model == 'ponto.settlement':
            return env[model].create({'way': 'aside', 'transaction_ids': self.account.transaction_ids.ids}).id
        return {
            'account.bank.statement.line': self.account.transaction_ids.statement_line_id,
            'account.journal': self.account.journal_id,
            'account.reconcile.model': self.rule,
            'ponto.account': self.account,
            'ponto.institution': self.account.institution_id,
            'ponto.integration': self.integration,
            'ponto.link': self.account.link_id,
            'ponto.transaction': self.account.transaction_ids,
        }[model].id

    def is_allowed(self, user, model, method):
        company = user.company_id
        env = self.env(user=user, context={'allowed_company_ids': company.ids, 'lang': 'en_US'})
        with self.env.cr.savepoint() as savepoint:
            try:
                is_model_method = getattr(getattr(type(env[model]), method), '_api_model', False)
                call_kw(env[model], method, [] if is_model_method else [[self.target(model, env)]], {})
            except AccessError:
                return False
            except UserError:
                return True
            finally:
                savepoint.rollback()
                self.env.invalidate_all()
        return True

    def test_for_every_public_method_somebody_has_decided_who_may_call_it(self):
        self.assertEqual(self.public_methods(), {model: set(methods) for model, methods in ALLOWED.items()})

    def test_every_public_method_is_open_to_whom_it_should_be_and_to_nobody_else(self):
        users = {kind: self.user(kind) for kind in KINDS}
        self.env.flush_all()
        for model, methods in ALLOWED.items():
            for method, allowed in methods.items():
                with self.subTest(f'{model}.{method}'):
                    found = {kind for kind, user in users.items() if self.is_allowed(user, model, method)}
                    self.assertEqual(found, allowed)

    def test_what_begins_with_an_underscore_is_refused_to_everybody(self):
        admin = self.env(user=self.env.ref('base.user_admin'))
        for model, method in (
            ('ponto.integration', '_client'),
            ('ponto.integration', '_reencrypt_secrets'),
            ('ponto.account', '_synchronize'),
            ('ponto.account', '_cron_synchronize'),
            ('ponto.event', '_receive'),
            ('ponto.token', '_texts'),
            ('ponto.connect', '_check_administrator'),
        ):
            with self.assertRaises(AccessError):
                call_kw(admin[model], method, [[]], {})
