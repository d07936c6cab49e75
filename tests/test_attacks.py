"""Attacks by people with an account: every kind of user tries every way of RPC on every model and secret of ours."""

import json
import logging
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError, ValidationError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PATIENCE, PontoCase
from .simulator import CLIENT_SECRET
from .test_public_methods import KINDS
from .test_security import MATRIX

TYPED = 'typed-and-waiting-secret'
# Whoever may see nothing of a company's feeds; `system` administers Odoo, `stranger` all of another company.
# All kinds would take minutes: these differ in what they may.
TRIED = ('portal', 'user', 'invoice', 'readonly', 'manager', 'system', 'stranger')
OUTSIDERS = ('public', 'portal', 'user', 'invoice', 'system', 'stranger')
SHARED = {'ponto.institution'}
SECRET_FIELDS = {
    'ponto.integration': ('client_secret', 'client_secret_stored'),
    'ponto.token': ('access_token', 'refresh_token', 'issued_for', 'database'),
    'ponto.connect': ('client_secret', 'entered_secret'),
}
# Ways from other models to the secrets of an integration.
PATHS = {
    'ponto.account': 'integration_id.client_secret_stored',
    'ponto.link': 'integration_id.client_secret_stored',
    'ponto.transaction': 'account_id.integration_id.client_secret_stored',
    'ponto.synchronization': 'account_id.integration_id.client_secret_stored',
    'account.journal': 'ponto_account_ids.integration_id.client_secret_stored',
    'account.bank.statement.line': 'ponto_transaction_ids.account_id.integration_id.client_secret_stored',
    'res.partner': 'bank_ids.journal_id.ponto_account_ids.integration_id.client_secret_stored',
}
REFUSED = (AccessError, AccessDenied)
# What a method does not take, or a model does not have.
NO_ANSWER = (
    UserError, ValidationError, MissingError, ValueError, TypeError, KeyError, AttributeError, AssertionError,
)  # fmt: skip


def reads(name, ids):
    """Return `[(method, args, kwargs)]`: the ways of RPC by which something of a field might be learnt."""
    nested, _dot, last = name.rpartition('.')
    specification = {last: {}}
    for step in reversed(nested.split('.') if nested else []):
        specification = {step: {'fields': specification}}
    guess = [(name, '=like', 's%')]
    return [
        ('read', [ids, [name]], {}),
        ('web_read', [ids, specification], {}),
        ('web_search_read', [[], specification], {}),
        ('search_read', [[], [name]], {}),
        ('search_read', [guess, ['id']], {}),
        ('search', [guess], {}),
        ('search', [[('id', 'any', guess)]], {}),
        ('search', [['!', (name, '!=', False)]], {}),
        ('search', [[]], {'order': name}),
        ('search_count', [guess], {}),
        ('name_search', ['', guess], {}),
        ('formatted_read_group', [[], [name], ['__count']], {}),
        ('formatted_read_group', [guess, [], ['__count']], {}),
        ('formatted_read_group', [[], ['id'], [f'{name}:array_agg']], {}),
        ('formatted_read_grouping_sets', [[], [[name]], ['__count']], {}),
        ('web_read_group', [[], [name], ['__count']], {}),
        ('read_progress_bar', [[], 'id', {'field': name, 'colors': {}}], {}),
        ('export_data', [ids, [name.replace('.', '/')]], {}),
        ('onchange', [ids[:1], {}, [], specification], {}),
        ('onchange', [[], {name: 'x'}, [name], specification], {}),
        ('copy_data', [ids], {}),
        ('filtered_domain', [ids, guess], {}),
        ('mapped', [ids, name], {}),
        ('web_name_search', ['', specification, guess], {}),
        ('search_panel_select_range', [name], {}),
        ('default_get', [[name]], {}),
        ('fields_get', [], {}),
    ]


WRITES = (
    ('write', [{'name': 'mine'}], {}),
    ('web_save', [{'name': 'mine'}, {}], {}),
    ('unlink', [], {}),
    ('copy', [], {}),
    ('action_archive', [], {}),
    ('message_post', [], {'body': 'x'}),
    ('activity_schedule', [], {'summary': 'x'}),
    ('message_subscribe', [[1]], {}),
)


@tagged('post_install', '-at_install')
class TestRpc(PontoCase):
    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 10, '2026-03-02')
        self.account = self.link()
        self.account._synchronize()
        self.other = self.make_company("Andere Zaak")
        self.typed = self.env['ponto.connect'].create({'client_id': 'typed', 'client_secret': TYPED})
        self.env['ponto.connect.account'].create({'wizard_id': self.typed.id, 'account_id': self.account.id})
        self.env['ponto.reauthorize'].create({'link_id': self.account.link_id.id})
        self.env['ponto.backfill'].create({'account_ids': self.account.ids, 'date_from': '2026-01-01'})
        self.env['ponto.settlement'].create({'way': 'aside', 'transaction_ids': self.account.transaction_ids.ids})
        self.env['ponto.event'].create({'ponto_id': 'e-1', 'type': 'pontoConnect.account.detailsUpdated'})
        self.users = {
            kind: new_test_user(
                self.env,
                f'attacker_{kind}',
                groups=f'{groups},base.group_allow_export' if kind not in ('portal', 'public') else groups,
                company_id=(self.other if kind == 'stranger' else self.company).id,
                company_ids=[Command.set((self.other if kind == 'stranger' else self.company).ids)],
            )
            for kind, groups in KINDS.items()
        }
        self.env.flush_all()
        self.tried = 0

    def secrets(self):
        texts = self.env['ponto.token'].search([]).mapped(lambda token: token._texts()[0])
        return {CLIENT_SECRET, TYPED, *filter(None, texts)}

    def rpc(self, kind, model, method, args, kwargs):
        """Return what the call answers to this kind of user, or the exception that refuses it."""
        self.tried += 1
        user = self.users[kind]
        env = self.env(user=user, context={'allowed_company_ids': user.company_id.ids, 'lang': 'en_US'})
        self.env.invalidate_all()
        with self.env.cr.savepoint() as savepoint:
            try:
                return json.dumps(call_kw(env[model], method, args, kwargs), default=str)
            except (*REFUSED, *NO_ANSWER) as e:
                return e
            finally:
                savepoint.rollback()

    def assert_silent(self, answer, attack):
        for secret in self.secrets():
            self.assertNotIn(secret, str(answer), attack)

    def test_no_way_of_rpc_tells_anybody_a_secret(self):
        for model, names in SECRET_FIELDS.items():
            ids = self.env[model].search([]).ids
            for kind in TRIED:
                for name in names:
                    for method, args, kwargs in reads(name, ids):
                        answer = self.rpc(kind, model, method, args, kwargs)
                        self.assert_silent(answer, (kind, model, method, name))
        self.assertGreater(self.tried, 1000)

    def test_no_path_from_another_model_tells_anybody_a_secret(self):
        for model, path in PATHS.items():
            ids = self.env[model].search([], limit=3).ids
            for kind in TRIED:
                for method, args, kwargs in reads(path, ids):
                    answer = self.rpc(kind, model, method, args, kwargs)
                    self.assert_silent(answer, (kind, model, method))
        self.assertGreater(self.tried, 1000)

    def test_no_search_can_be_used_to_guess_a_secret_letter_by_letter(self):
        stored = self.integration.sudo().client_secret_stored
        right, wrong = f'{stored[:3]}%', '~~~%'
        for model, names in {**SECRET_FIELDS, **{model: (path,) for model, path in PATHS.items()}}.items():
            ids = self.env[model].search([], limit=3).ids
            for kind in TRIED:
                for name in names:
                    for method, args, kwargs in reads(name, ids):
                        if 's%' not in repr(args):
                            continue
                        answers = [
                            str(
                                self.rpc(kind, model, method, json.loads(json.dumps(args).replace('s%', guess)), kwargs)
                            )
                            for guess in (right, wrong)
                        ]
                        self.assertEqual(
                            answers[0].replace(right, ''), answers[1].replace(wrong, ''), (kind, model, method, name)
                        )

    def test_outsiders_learn_nothing_of_any_record(self):
        told = (self.online.reference, self.account.ponto_id, self.account.transaction_ids.ponto_id, "Kadebank")
        for model in MATRIX:
            if model in SHARED:
                continue
            ids = self.env[model].search([]).ids
            for kind in OUTSIDERS:
                for method, args, kwargs in reads('display_name', ids):
                    answer = self.rpc(kind, model, method, args, kwargs)
                    for text in told:
                        self.assertNotIn(text, str(answer), (kind, model, method))

    def test_outsiders_change_nothing(self):
        before = {model: self.snapshot(model) for model in MATRIX}
        for model in MATRIX:
            ids = self.env[model].search([]).ids
            for kind in OUTSIDERS:
                for method, args, kwargs in WRITES:
                    if not hasattr(self.env[model], method):
                        continue
                    answer = self.rpc(kind, model, method, [ids, *args], kwargs)
                    if kind == 'system' and model in ('ponto.event',) and method == 'copy':
                        continue
                    self.assertIsInstance(answer, Exception, (kind, model, method, answer))
        self.assertEqual({model: self.snapshot(model) for model in MATRIX}, before)

    def snapshot(self, model):
        records = self.env[model].search([])
        return records.ids, records.mapped('write_date')

    def test_a_record_rule_is_not_gone_round_by_another_company_in_the_context(self):
        stranger = self.users['stranger']
        env = self.env(user=stranger, context={'allowed_company_ids': self.company.ids, 'lang': 'en_US'})
        for model in ('ponto.integration', 'ponto.account', 'ponto.link', 'ponto.transaction'):
            with self.subTest(model), self.assertRaises(AccessError):
                call_kw(env[model], 'search_read', [[], ['display_name']], {})

    def render(self, engine, text):
        """Return what an accountant gets of a template on an account, or the exception that refuses it."""
        renderer = self.env['mail.render.mixin'].with_user(self.users['manager'])
        with self.env.cr.savepoint() as savepoint:
            try:
                return renderer._render_template(text, 'ponto.account', self.account.ids, engine=engine)
            except Exception as error:  # noqa: BLE001 a refusal in whatever form
                return error
            finally:
                savepoint.rollback()

    def test_templates_of_mail_and_qweb_print_no_secret(self):
        for engine, text in (
            ('inline_template', '{{ object.integration_id.client_secret_stored }}'),
            ('inline_template', '{{ object.integration_id.client_secret }}'),
            ('qweb', '<t t-out="object.integration_id.client_secret_stored"/>'),
            ('qweb', '<t t-out="object.integration_id.read([\'client_secret_stored\'])"/>'),
        ):
            found = self.render(engine, text)
            self.assertIsInstance(found, Exception, text)
            self.assert_silent(found, text)

    def test_where_templates_are_restricted_no_expression_of_an_accountant_is_run(self):
        # Where they are not, as Odoo comes, whoever edits one is system administrator in effect: see operations.rst.
        self.env['ir.config_parameter'].set_param('mail.restrict.template.rendering', True)
        for engine, text in (
            ('inline_template', '{{ object.sudo().integration_id.client_secret_stored }}'),
            ('inline_template', "{{ object.env['ponto.token'].sudo().search([]).mapped('access_token') }}"),
            ('qweb', '<t t-out="object.integration_id.sudo().client_secret"/>'),
        ):
            found = self.render(engine, text)
            self.assertIsInstance(found, AccessError, text)

    def test_no_method_with_an_underscore_and_no_private_helper_is_public(self):
        for model in MATRIX:
            for name in ('_synchronize', '_client', '_write_texts', '_texts', '_receive', '__class__', '_cr', 'env'):
                with self.assertRaises(Exception) as caught:
                    get_public_method(self.env[model], name)
                self.assertIsInstance(caught.exception, (AccessError, AttributeError), (model, name))


@tagged('post_install', '-at_install')
class TestRpcOverHttp(PontoCase, HttpCase):
    """The same over the three doors of HTTP, with passwords and keys."""

    def setUp(self):
        super().setUp()
        self.account = self.link()
        self.account._synchronize()
        self.manager = self.accountant
        self.env.flush_all()

    def jsonrpc(self, login, model, method, *args):
        body = {
            'jsonrpc': '2.0',
            'params': {
                'service': 'object',
                'method': 'execute_kw',
                'args': [
                    self.env.cr.dbname,
                    self.env['res.users'].search([('login', '=', login)]).id,
                    login,
                    model,
                    method,
                    args,
                ],
            },
        }
        return self.url_open(
            '/jsonrpc', json.dumps(body), headers={'Content-Type': 'application/json'}, timeout=PATIENCE
        )

    def json2(self, key, model, method, **params):
        headers = {'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'}
        return self.url_open(f'/json/2/{model}/{method}', json.dumps(params), headers=headers, timeout=PATIENCE)

    def test_secrets_stay_inside_over_every_door(self):
        key = (
            self.env['res.users.apikeys']
            .with_user(self.manager)
            ._generate('rpc', 'test', fields.Datetime.now() + timedelta(days=1))
        )
        self.authenticate(self.manager.login, self.manager.login)
        logging.getLogger('odoo.http').setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger('odoo.http').setLevel, logging.NOTSET)
        token = self.env['ponto.token'].search([])._texts()[0]
        for model, names in SECRET_FIELDS.items():
            ids = self.env[model].search([]).ids
            for name in names:
                answers = [
                    self.jsonrpc(self.manager.login, model, 'search_read', [], [name]),
                    self.jsonrpc(self.manager.login, model, 'read', ids, [name]),
                    self.jsonrpc(self.manager.login, model, 'export_data', ids, [name]),
                    self.json2(key, model, 'search_read', domain=[], fields=[name]),
                    self.json2(key, model, 'read', ids=ids, fields=[name]),
                    self.json2(key, model, '_texts', ids=ids),
                    self.json2(key, model, '_client', ids=ids),
                    self.url_open(f'/web/content/{model}/{(ids or [1])[0]}/{name}', timeout=PATIENCE),
                    self.url_open(f'/web/image/{model}/{(ids or [1])[0]}/{name}', timeout=PATIENCE),
                ]
                for answer in answers:
                    self.assertNotIn(CLIENT_SECRET, answer.text)
                    self.assertNotIn(token, answer.text)

    def test_without_a_key_nothing_is_answered(self):
        for key in ('', 'nonsense', CLIENT_SECRET):
            self.assertIn(self.json2(key, 'ponto.account', 'search_read', domain=[]).status_code, (401, 403))
