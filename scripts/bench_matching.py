"""How long matching takes: 200 lines against 20,000 open items, beside the time that Odoo takes to create the lines.

`measure(env)` works in any database with a chart of accounts, commits nothing, and is rolled back by the caller.
"""

import time

from odoo import Command
from odoo.tools import SQL

LINES = 200
ITEMS = 20_000
PARTNERS = 500
# Of so many lines one names no document.
UNNAMED = 8
# What of a copied document's items follows its amount.
AMOUNTS = ('debit', 'credit', 'balance', 'amount_currency', 'amount_residual', 'amount_residual_currency')


def measure(env):
    """Return `{name: figure}`: queries of looking, seconds of creating the lines, looking and matching, and ratios."""
    journal = env['account.journal'].search([('type', '=', 'bank'), ('company_id', '=', env.company.id)], limit=1)
    journal.ponto_match_automatically = True
    make_open_items(env)
    lines, creating = timed(env, lambda: make_lines(env, journal))
    env.invalidate_all()
    before = env.cr.sql_log_count
    _proposals, looking = timed(env, lines._proposals)
    queries = env.cr.sql_log_count - before
    matches = {line: found for line, found in lines._certain_matches(env.company).items() if line in lines}
    matched, matching = timed(env, lambda: lines._match_certain(matches))
    return {
        'lines': len(lines),
        'open items': ITEMS,
        'queries of looking': queries,
        'seconds to create the lines': creating,
        'seconds to look': looking,
        'lines matched': len(matched),
        'seconds to match': matching,
        'ratio of looking to creating': looking / creating,
        'ratio of matching to creating': matching / creating,
    }


def report(env):
    """Print what `measure` finds, and roll back."""
    for name, figure in measure(env).items():
        print(f'{name:<34}{figure:>9.2f}' if isinstance(figure, float) else f'{name:<34}{figure:>9}')
    env.cr.rollback()


def timed(env, step):
    began_at = time.perf_counter()
    result = step()
    env.flush_all()
    return result, time.perf_counter() - began_at


def make_lines(env, journal):
    return env['account.bank.statement.line'].create(
        [
            {
                'journal_id': journal.id,
                'date': '2026-03-05',
                'amount': amount_of(number),
                'payment_ref': f'Payment of BENCH-REF-{number}' if number % UNNAMED else 'Thank you',
                'partner_name': f'Bench partner {number % PARTNERS}',
                'partner_id': False,
            }
            for number in range(1, LINES + 1)
        ]
    )


def amount_of(number):
    return number % 700 + 1


def make_open_items(env):
    """Make one invoice in Odoo, and copy it in the database: 20,000 by Odoo would take half an hour."""
    partners = env['res.partner'].create([{'name': f'Bench partner {number}'} for number in range(PARTNERS)])
    invoice = env['account.move'].create(
        {
            'move_type': 'out_invoice',
            'partner_id': partners[0].id,
            'invoice_date': '2026-03-01',
            'payment_reference': 'BENCH-REF-0',
            'invoice_line_ids': [Command.create({'name': "Bread", 'price_unit': 1, 'tax_ids': False})],
        }
    )
    invoice.action_post()
    env.flush_all()
    base = env.execute_query(SQL("SELECT max(id) FROM account_move"))[0][0]
    partner = SQL("(%s::int[])[1 + n %% %s]", partners.ids, PARTNERS)
    copy(
        env,
        'account_move',
        invoice.ids,
        {
            'id': SQL("%s + n", base),
            'name': SQL("'BENCH/' || n"),
            'sequence_prefix': SQL("'BENCH/'"),
            'sequence_number': SQL("n"),
            'payment_reference': SQL("'BENCH-REF-' || n"),
            'partner_id': partner,
            'commercial_partner_id': partner,
            **{name: SQL("%s * (n %% 700 + 1)", SQL.identifier(name)) for name in ('amount_total', 'amount_residual')},
        },
    )
    copy(
        env,
        'account_move_line',
        invoice.line_ids.ids,
        {
            'id': SQL("nextval('account_move_line_id_seq')"),
            'move_id': SQL("%s + n", base),
            'move_name': SQL("'BENCH/' || n"),
            'partner_id': partner,
            **{name: SQL("%s * (n %% 700 + 1)", SQL.identifier(name)) for name in AMOUNTS},
        },
    )
    env.cr.execute(SQL("SELECT setval('account_move_id_seq', %s)", base + ITEMS + 1))
    env.cr.execute(SQL("ANALYZE account_move, account_move_line"))
    env.invalidate_all()


def copy(env, table, ids, changes):
    """Copy rows of a table `ITEMS` times; `changes` are SQL expressions by column, in which `n` counts from 1."""
    columns = [
        name
        for [name] in env.execute_query(
            SQL("SELECT column_name FROM information_schema.columns WHERE table_name = %s", table)
        )
    ]
    env.cr.execute(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s, generate_series(1, %s) AS n WHERE id = ANY(%s)",
            SQL.identifier(table),
            SQL(", ").join(map(SQL.identifier, columns)),
            SQL(", ").join(changes.get(name, SQL.identifier(name)) for name in columns),
            SQL.identifier(table),
            ITEMS,
            ids,
        )
    )
