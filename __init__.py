from . import controllers
from . import models
from . import wizard


def uninstall_hook(env):
    """Give the journals that Ponto feeds back the feed that core knows: none. Their entries stay.

    The addon's tables go as a whole. Core would delete the demo data before, although other records refer to them.
    """
    journals = env['account.journal'].with_context(active_test=False)
    journals.search([('bank_statements_source', '=', 'ponto')]).bank_statements_source = 'undefined'
    names = env['ir.model.data'].search([('module', '=', 'account_online_ponto'), ('model', '=like', 'ponto.%')])
    names.unlink()
