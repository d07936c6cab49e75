"""The screens of which `tests/test_screenshots.py` takes pictures."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Screen:
    """A screen: where it is, what must be on it before it is taken, and what somebody does on the way.

    :param steps: what is clicked (`click`) or entered (`enter`), one after the other
    :param scroll: whether to scroll to what is `ready`
    """

    name: str
    path: str
    ready: str
    steps: tuple = ()
    sizes: tuple = ('wide', 'narrow')
    scroll: bool = False


def click(selector, text=''):
    """Return a step: click the first element that matches and holds the text."""
    return 'click', selector, text


def enter(selector, text):
    """Return a step: put a text into an input."""
    return 'enter', selector, text


CONNECT = '/odoo/action-account_online_ponto.ponto_connect_action'
FIRST_ROW = '.o_list_view .o_data_row td.o_data_cell, .o_kanban_record:not(.o_kanban_ghost)'
X2MANY_ROW = '.o_field_x2many .o_data_row td.o_data_cell, .o_field_x2many .o_kanban_record'
CARD = '.o_ponto_institution_card'
FORM = '.o_form_view .o_form_sheet'
EMPTY = '.o_view_nocontent'

WITHOUT_BANK = (
    Screen('empty-transactions', '/odoo/bank-transactions', EMPTY),
    Screen('empty-to-review', '/odoo/bank-to-review', EMPTY),
    Screen('empty-synchronizations', '/odoo/bank-synchronizations', EMPTY),
    Screen('empty-online-synchronization', '/odoo/online-synchronization', EMPTY),
    Screen('empty-health', '/odoo/bank-health', EMPTY),
    Screen('new-transaction', '/odoo/bank-transactions/new', FORM),
    Screen('add-a-bank-account-no-list', CONNECT, '.o_ponto_no_catalogue'),
    Screen('add-a-bank-account', CONNECT, CARD, steps=(click('.o_ponto_refresh'),)),
    Screen(
        'add-a-bank-account-not-found',
        CONNECT,
        '.o_ponto_no_hit',
        steps=(enter('.o_ponto_search input', 'No such name'),),
    ),
    Screen(
        'add-a-bank-account-beta',
        CONNECT,
        '.modal:not(.o_inactive_modal) .modal-footer .btn-primary',
        steps=(click(CARD, 'Beta'),),
    ),
    Screen('add-a-bank-account-credentials', CONNECT, '.modal .o_form_view', steps=(click(CARD, 'KBC'),)),
    Screen(
        'menu-configuration',
        '/odoo/bank-transactions?debug=1',
        '[data-menu-xmlid$=ponto_link_menu]',
        steps=(click('[data-menu-xmlid="account.menu_finance_configuration"]'),),
        sizes=('wide',),
    ),
)

DASHBOARD = Screen('dashboard', '/odoo/accounting', '.o_ponto_card')
DIFFERENCE = Screen(
    'dashboard-difference', '/odoo/accounting', '.o_ponto_reasons_popover', steps=(click('.o_ponto_all_reasons'),)
)
RECONNECT = Screen('reconnect', '/odoo/accounting', '.modal .o_form_view', steps=(click('.o_ponto_reconnect'),))
CREDENTIALS = Screen(
    'update-credentials',
    '/odoo/online-synchronization',
    '.modal .o_form_view',
    sizes=('wide',),
    steps=(click(FIRST_ROW, 'KBC'), click('button[name=action_update_credentials]')),
)
OLDER = Screen(
    'fetch-older',
    '/odoo/accounting',
    '.modal .o_form_view',
    steps=(
        click('.o_kanban_record:has(.o_ponto_card) .o_dropdown_kanban button'),
        click('.o-dropdown--menu [name=action_ponto_backfill]'),
    ),
)
TO_REVIEW = Screen('to-review', '/odoo/bank-to-review', FIRST_ROW)
LINK = Screen('link', '/odoo/online-synchronization', FORM, steps=(click(FIRST_ROW, 'KBC'),))
ACCOUNTS = Screen('add-a-bank-account-accounts', CONNECT, f'.modal :is({X2MANY_ROW})', steps=(click(CARD, 'KBC'),))

WITH_BANK = (
    DASHBOARD,
    Screen('overview', '/odoo/bank-overview', '.o_account_kanban .o_kanban_record'),
    Screen('transactions', '/odoo/bank-transactions', FIRST_ROW),
    Screen(
        'transactions-by-month',
        '/odoo/bank-transactions',
        '.o_group_header, .o_kanban_group',
        sizes=('wide',),
        steps=(
            click('.o_searchview_dropdown_toggler'),
            click('.o_group_by_menu .o_menu_item', 'Date'),
            click('.o_group_by_menu .o_item_option', 'Month'),
            click('.o_searchview_dropdown_toggler'),
        ),
    ),
    Screen('transaction', '/odoo/bank-transactions', FORM, steps=(click(FIRST_ROW),)),
    Screen('bank-rules', '/odoo/bank-rules', FIRST_ROW),
    Screen(
        'transaction-pays-invoice',
        '/odoo/bank-transactions',
        FORM,
        steps=(click('.o_data_row td[name=proposal_reason]', 'INV/'),),
        sizes=('wide',),
    ),
    TO_REVIEW,
    Screen('to-review-duplicate', '/odoo/bank-to-review', FORM, steps=(click(FIRST_ROW, 'duplicate'),)),
    Screen('to-review-locked', '/odoo/bank-to-review', FORM, steps=(click(FIRST_ROW, 'Locked'),)),
    Screen('health', '/odoo/bank-health', FIRST_ROW),
    Screen('synchronizations', '/odoo/bank-synchronizations', FIRST_ROW),
    Screen('synchronization-failed', '/odoo/bank-synchronizations', FORM, steps=(click(FIRST_ROW, 'problem'),)),
    Screen(
        'synchronizations-graph',
        '/odoo/bank-synchronizations',
        '.o_graph_renderer canvas',
        steps=(click('.o_switch_view.o_graph'),),
        sizes=('wide',),
    ),
    Screen(
        'synchronizations-pivot',
        '/odoo/bank-synchronizations',
        '.o_pivot table',
        steps=(click('.o_switch_view.o_pivot'),),
        sizes=('wide',),
    ),
    Screen('online-synchronization', '/odoo/online-synchronization?debug=1', FIRST_ROW),
    LINK,
    Screen('link-needs-attention', '/odoo/online-synchronization', FORM, steps=(click(FIRST_ROW, 'Attention'),)),
    Screen(
        'account',
        '/odoo/online-synchronization?debug=1',
        '.modal ' + FORM,
        steps=(click(FIRST_ROW, 'KBC'), click(X2MANY_ROW)),
    ),
    Screen('transactions-from-ponto', '/odoo/action-account_online_ponto.ponto_transaction_action', FIRST_ROW),
    Screen('journal', '/odoo/action-account.action_account_journal_form', FORM, steps=(click(FIRST_ROW, 'KBC'),)),
    Screen(
        'missing',
        '/odoo/online-synchronization?debug=1',
        '[name=advice]',
        sizes=('wide',),
        steps=(click(FIRST_ROW, 'KBC'), click(X2MANY_ROW), click('.modal button', 'Find Missing')),
    ),
    DIFFERENCE,
    RECONNECT,
    CREDENTIALS,
    replace(OLDER, sizes=('wide',)),
    Screen(
        'integration',
        '/odoo/online-synchronization',
        FORM + ' [name=link_ids]',
        steps=(click(FIRST_ROW, 'KBC'), click('[name=integration_id] a')),
    ),
    Screen('settings', '/odoo/action-account.action_account_config', '[name=ponto_office_ip]', scroll=True),
    Screen('return-of-nobody', '/ponto/consent/return', '#ponto_message'),
    Screen('add-a-bank-account-none', CONNECT, '.modal [name=message]', steps=(click(CARD, 'Argenta'),)),
    ACCOUNTS,
    Screen(
        'add-a-bank-account-one',
        CONNECT,
        '.modal [name=start_date]',
        sizes=('narrow',),
        steps=(click(CARD, 'KBC'), click(X2MANY_ROW)),
    ),
)
ADD_OPENING = Screen(
    'add-opening-line',
    '/odoo/online-synchronization?debug=1',
    '.modal [name=action_finish]',
    steps=(click(FIRST_ROW, 'Beobank'), click(X2MANY_ROW), click('button[name=action_add_opening_line]')),
)
# These change what there is.
OPENING = (
    Screen(
        'add-a-bank-account-opening',
        CONNECT,
        '.modal [name=action_finish]',
        sizes=('narrow',),
        steps=(click(CARD, 'KBC'), click('button[name=action_link_accounts]')),
    ),
    Screen(
        'add-a-bank-account-opening',
        CONNECT,
        '.modal [name=action_finish]',
        sizes=('wide',),
        steps=(click(CARD, 'Beobank'), click('button[name=action_link_accounts]')),
    ),
    replace(ADD_OPENING, sizes=('narrow',)),
    replace(
        ADD_OPENING,
        ready='.o_notification',
        name='opening-line-added',
        sizes=('wide',),
        steps=(*ADD_OPENING.steps, click('button[name=action_finish]')),
    ),
    Screen(
        'fetch-older-after-opening',
        '/odoo/online-synchronization?debug=1',
        '.modal [name=opening_message]',
        steps=(click(FIRST_ROW, 'Beobank'), click(X2MANY_ROW), click('.modal button[name=action_backfill]')),
    ),
)
TRANSLATED = (DASHBOARD, DIFFERENCE, RECONNECT, CREDENTIALS, OLDER, TO_REVIEW, LINK, ACCOUNTS)
