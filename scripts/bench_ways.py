"""The ways in which transactions enter the books, and what `scripts/bench` does with each."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from simulator import CLIENT_ID, CLIENT_SECRET

NEW_ROWS = 10
OURS, CORE, OCA = 'import', "core's create alone", "OCA's import"
AGAIN, NEWS = 'again, nothing new', f'again, {NEW_ROWS} new'
LINES = 'account.bank.statement.line'
YEARS = timedelta(days=3650)


class Way(NamedTuple):
    """One thing to measure.

    `prepare(env, reference)` returns what `act` takes, and is not measured; `check(env, reference, size)` raises if not
    everything is in the books. An import counts by row.
    """

    name: str
    reference: str
    prepare: Callable[..., Any]
    act: Callable[..., Any]
    check: Callable[..., Any] = lambda env, reference, size: None
    is_import: bool = False


def ways(reference, oca_reference):
    """Return the ways in the order in which they alternate.

    :param oca_reference: the reference of an account for OCA's module; None without it
    """
    oca = bool(oca_reference)
    return [
        Way(OURS, reference, our_account, synchronize, check_ours, is_import=True),
        Way(CORE, reference, prepare_lines, create_lines, is_import=True),
        *([Way(OCA, oca_reference, make_provider, pull, check_oca, is_import=True)] if oca else []),
        Way(AGAIN, reference, our_account, synchronize),
        *([Way(f'{AGAIN} (OCA)', oca_reference, provider, pull)] if oca else []),
        Way(NEWS, reference, our_account, synchronize),
        *([Way(f'{NEWS} (OCA)', oca_reference, provider, pull)] if oca else []),
    ]


def check(count, size):
    if count != size:
        raise SystemExit(f'{count} of {size} lines are in the books.')


# --- Ours -------------------------------------------------------------------------------------------------------------


def our_account(env, reference):
    return env['ponto.account'].search([('reference', '=', reference)])


def synchronize(account):
    """Read and book, as the scheduled action does, in one transaction."""
    account._synchronize()


def check_ours(env, reference, size):
    check(env[LINES].search_count([('journal_id', '=', our_account(env, reference).journal_id.id)]), size)


# --- Core -------------------------------------------------------------------------------------------------------------


def prepare_lines(env, reference):
    account = our_account(env, reference)
    company = account.company_id
    journal = env['account.journal'].create({'name': 'Core', 'type': 'bank', 'company_id': company.id})
    vals_list = account.transaction_ids.sudo().sorted('rank')._prepare_statement_lines_vals()
    return env[LINES].with_company(company), [{**vals, 'journal_id': journal.id} for vals in vals_list]


def create_lines(prepared):
    """Let core create the lines that booking has created, in one list."""
    lines, vals_list = prepared
    lines.create(vals_list)


# --- OCA --------------------------------------------------------------------------------------------------------------


def make_provider(env, reference):
    company = env['ponto.account'].search([], limit=1).company_id
    journal = env['account.journal'].create(
        {
            'name': reference,
            'type': 'bank',
            'company_id': company.id,
            'bank_acc_number': reference,
            'bank_statements_source': 'online',
        }
    )
    return env['online.bank.statement.provider'].create(
        {'journal_id': journal.id, 'service': 'ponto', 'username': CLIENT_ID, 'password': CLIENT_SECRET}
    )


def provider(env, reference):
    return env['online.bank.statement.provider'].search([('journal_id.name', '=', reference)])


def pull(provider):
    """Pull as the module's scheduled action does, in one transaction."""
    now = datetime.now()  # noqa: DTZ005 naive, as Odoo has it
    provider.with_context(scheduled=True)._pull(now - YEARS, now)


def check_oca(env, reference, size):
    check(env[LINES].search_count([('journal_id.name', '=', reference)]), size)
