"""Why a transaction waits under *To Review*: a kind and its values become a sentence in the reader's language."""

from odoo.tools import format_amount, format_date, get_lang
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

# {kind: (reason under which it is listed, sentence)}
KINDS = {
    'unreadable': ('unreadable', _lt("Odoo cannot read what Ponto sent: %(problem)s.")),
    'undated': ('unreadable', _lt("Odoo cannot read what Ponto sent: it has no date.")),
    'other_currency': ('currency', _lt("It is in %(currency)s but the journal is in %(other)s.")),
    'decimals': ('currency', _lt("Its amount %(figure)s has more decimals than %(currency)s allows.")),
    'missing': ('missing', _lt("Ponto no longer lists it. Import it only if it is on the bank's own statement.")),
    'doubtful': (
        'missing',
        _lt(
            "Ponto now lists a transaction like it. Odoo is reading Ponto's whole list to find out whether it still"
            " lists both."
        ),
    ),
    'future': ('future', _lt("It is dated in the future and is booked on that date.")),
    'locked': (
        'locked',
        _lt(
            "%(date)s lies in a locked period (%(lock)s: %(lock_date)s). Remove the lock, and the transaction is booked"
            " on its own date."
        ),
    ),
    'locked_for_good': (
        'locked',
        _lt(
            "%(date)s lies in a period that is locked for good (%(lock)s: %(lock_date)s), so Odoo cannot book the"
            " transaction on its own date. If the books have it already, use It Is This Line. Otherwise, enter it on an"
            " open date yourself and use Set Aside."
        ),
    ),
    'before_opening': (
        'before_opening',
        _lt(
            "It is dated before the opening line, but Ponto has listed it only since that line was made. If the bank's"
            " balance and Odoo's agree without it, use It Is in the Opening Line. If they differ by its amount, use"
            " Import It."
        ),
    ),
    'duplicate': ('duplicate', _lt("%(line)s of %(date)s has the same amount. Is it the same payment?")),
    'withdrawn': (
        'withdrawn',
        _lt(
            "It is in the books, but Ponto no longer lists it. Compare with the bank's own statement: keep its line, or"
            " delete it if the bank has withdrawn the transaction."
        ),
    ),
    'replaced': (
        'withdrawn',
        _lt(
            "It is in the books, but Ponto no longer lists it. In its place Ponto lists transactions with the same"
            " total. If the bank's own statement confirms this, delete its line."
        ),
    ),
    'same_id': (
        'duplicate',
        _lt(
            "Ponto lists several transactions under the ID %(id)s. Import this one if the bank's own statement has both"
            " of them."
        ),
    ),
    'repeated': (
        'repeated',
        _lt(
            "%(line)s of %(date)s came from another source and has the same amount. Is it the same payment a second"
            " time?"
        ),
    ),
    'removed_before': (
        'duplicate',
        _lt("Somebody has removed %(line)s of %(date)s with the same amount from the books. Is it the same payment?"),
    ),
    'aside_before': (
        'duplicate',
        _lt(
            "Somebody has set aside %(line)s of %(date)s with the same amount. If it is the same payment, it stays out"
            " of the books as well."
        ),
    ),
    'refused': ('refused', _lt("Odoo refuses it: %(message)s")),
    'bent': ('refused', _lt("Odoo would book it on %(date)s with %(amount)s instead of its own date and amount.")),
    'interrupted': (
        'unprocessable',
        _lt(
            "Odoo was interrupted twice while it booked this transaction, so it does not try again by itself. Click"
            " Book Now to try again. If this keeps happening, enter the transaction by hand and ask your administrator"
            " to check the server's log."
        ),
    ),
    'journal_archived': ('refused', _lt("The journal %(journal)s is archived.")),
    'journal_incomplete': (
        'refused',
        _lt("The journal %(journal)s has no bank account or no suspense account. Set both in its configuration."),
    ),
    'ledger_archived': ('refused', _lt("The account %(ledger)s of the journal %(journal)s is archived.")),
    'currency_archived': ('refused', _lt("The currency %(currency)s is not active.")),
    'journal_hashed': (
        'refused',
        _lt(
            "The journal %(journal)s secures posted entries with a hash. Odoo then accepts no entry that is still to be"
            " reconciled. Switch this off in the configuration of the journal."
        ),
    ),
}


def hold_reason(kind):
    """Return the reason, a value of the field `hold_reason`, under which rows of this kind are listed."""
    return KINDS[kind][0]


def hold_sentence(env, kind, **values):
    """Return why a row waits, in the user's language.

    :param values: what the sentence names, as JSON keeps it: `date` and `lock_date` as ISO text, `lock` the name of a
        field of the company, `amount` with the `currency_id` to show it in; all else is shown as it is
    """
    shown = {name: _SHOWN[name](env, values) if name in _SHOWN else value for name, value in values.items()}
    text = env._(KINDS[kind][1])
    return text % shown


def figure(env, amount):
    """Return an amount with all the decimals that Ponto has sent, with the decimal point of the user's language."""
    return str(amount).replace('.', get_lang(env).decimal_point)


_SHOWN = {
    'figure': lambda env, values: figure(env, values['figure']),
    'date': lambda env, values: format_date(env, values['date']),
    'lock_date': lambda env, values: format_date(env, values['lock_date']),
    'lock': lambda env, values: env['res.company']._fields[values['lock']]._description_string(env),
    'amount': lambda env, values: format_amount(
        env, values['amount'], env['res.currency'].browse(values['currency_id'])
    ),
}
