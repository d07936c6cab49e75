"""Buttons are there for those only for whom they work."""

from datetime import timedelta

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from .common import PontoCase

MODELS = (
    'account.journal',
    'account.bank.statement.line',
    'ponto.account',
    'ponto.institution',
    'ponto.integration',
    'ponto.link',
    'ponto.synchronization',
    'ponto.transaction',
)
KINDS = {
    'reader': 'account.group_account_readonly',
    'invoicing': 'account.group_account_invoice',
    'bookkeeper': 'account.group_account_user',
    'administrator': 'account.group_account_manager',
}


@tagged('post_install', '-at_install')
class TestButtons(PontoCase):
    def setUp(self):
        super().setUp()
        self.simulator.add_transaction(self.online, 5, '2026-03-03', currency='USD')
        self.simulator.add_transaction(self.online, 7, '2026-03-04')
        ends = fields.Datetime.now() - timedelta(days=2)
        self.simulator.change_account(self.online, authorization_expiration_expected_at=f'{ends.isoformat()}Z')
        self.account = self.link()
        self.account._synchronize()

    def records(self, model):
        """Return a record of the model that is the feed's."""
        account = self.account
        return {
            'account.journal': account.journal_id,
            'account.bank.statement.line': self.lines(account),
            'ponto.account': account,
            'ponto.institution': account.institution_id,
            'ponto.integration': account.integration_id,
            'ponto.link': account.link_id,
            'ponto.synchronization': account._last_run(),
            'ponto.transaction': account.transaction_ids.filtered('hold_reason'),
        }[model]

    def buttons(self, user, model):
        """Return the methods behind the buttons that this user sees in views of the addon."""
        views = self.env['ir.ui.view'].search([('model', '=', model), ('type', 'in', ('form', 'list', 'kanban'))])
        own = views.filtered(lambda view: view.get_external_id()[view.id].startswith('account_online_ponto.'))
        names = set()
        for view in own.mapped(lambda view: view.inherit_id or view):
            arch = self.env[model].with_user(user).get_view(view.id, view.type)['arch']
            found = etree.fromstring(arch).xpath("//*[@type='object' and @name]")
            names |= {node.get('name') for node in found if 'ponto' in node.get('name') or model.startswith('ponto')}
        return names

    def test_no_button_that_a_user_sees_refuses_for_lack_of_rights(self):
        for kind, group in KINDS.items():
            user = new_test_user(
                self.env,
                f'ponto_{kind}',
                groups=group,
                company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            for model in MODELS:
                if not self.env[model].with_user(user).has_access('read'):
                    continue
                for name in sorted(self.buttons(user, model)):
                    with self.subTest(kind, model=model, button=name):
                        self.click(self.records(model).with_user(user), name)

    def click(self, record, name):
        """Click a button; whatever it does is undone."""
        with self.env.cr.savepoint() as savepoint:
            try:
                getattr(record, name)()
            except (UserError, RedirectWarning) as reason:
                # Any other reason says why there is nothing to do.
                self.assertNotIsInstance(reason, AccessError, str(reason))
            savepoint.rollback()
        self.env.invalidate_all()
