"""Who may do what with bank feeds, decided once for models, wizards, the card and the views.

Each of the three rights holds the ones before it for bookkeepers; `account.group_account_manager` has all of them.
A right says nothing about the records of a company: record rules do.
"""

from odoo.exceptions import AccessError

# The same names stand in the `groups` of buttons and menus.
LOOK = ('account.group_account_readonly', 'account.group_account_basic', 'account.group_account_manager')
# Whoever may write statement lines. Invoicing's administrators may not by that group alone, but set the feeds up.
BOOK = ('account.group_account_basic', 'account.group_account_manager')
CONNECT = ('account.group_account_manager',)


def may_look(env):
    """Return whether the user may see the bank feeds and what the banks have told."""
    return _has_any(env, LOOK)


def may_book(env):
    """Return whether the user may fetch transactions and bring them into the books."""
    return _has_any(env, BOOK)


def may_connect(env):
    """Return whether the user may connect banks, give them journals, and end a connection."""
    return _has_any(env, CONNECT)


def check_may_look(env):
    """:raises AccessError: the user may not see the bank feeds"""
    if not may_look(env):
        raise AccessError(env._("Only accountants may see the state of the bank feeds."))


def check_may_book(env):
    """:raises AccessError: the user may only look, or not even that"""
    if not may_book(env):
        raise AccessError(env._("You may look at bank transactions, but not bring them into the books."))


def check_may_connect(env):
    """:raises AccessError: the user may not connect banks"""
    if not may_connect(env):
        raise AccessError(env._("Only an administrator of Invoicing may connect bank accounts."))


def _has_any(env, groups):
    return any(env.user.has_group(group) for group in groups)
