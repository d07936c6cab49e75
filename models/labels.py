"""The texts of a statement line, made of what Ponto says about a transaction. No record is read but the row itself."""

import re

from stdnum.exceptions import ValidationError
from stdnum.iso11649 import validate as validate_rf

from odoo.tools import plaintext2html

# Shorter references are shared by too many payments to say anything.
MIN_REFERENCE = 5

_BREAK = re.compile(r'<br\s*/?>', re.IGNORECASE)
_DUTCH_FIELD = (
    r'(Naam|Omschrijving|IBAN|BIC|Kenmerk|Machtiging ID|Incassant ID|Datum|Datum/Tijd|Valutadatum|Pasvolgnr):'
)
# On lines of its own each, or all on one line.
_DUTCH_FORMS = re.compile(rf'(?:^|\n)\s*{_DUTCH_FIELD}'), re.compile(rf'(?:^|\s){_DUTCH_FIELD}')
_OGM = re.compile(r'(?<!\d)(?:\+{3}|\*{3})?\s*(\d{3})/?(\d{4})/?(\d{5})\s*(?:\+{3}|\*{3})?(?!\d)')


def structured_communication(text):
    """Return the Belgian structured communication or ISO 11649 reference that `text` is, as invoices print it, or ''.

    Belgium: ten digits and their remainder by 97, which is written 97 when it is 0; Ponto may send it with or without
    pluses and slashes (API reference, section 2.2). ISO 11649: `RF`, two check digits, up to 21 characters.
    """
    text = (text or '').strip()
    match = _OGM.fullmatch(text)
    if match:
        digits = ''.join(match.groups())
        if int(digits[10:]) == (int(digits[:10]) % 97 or 97):
            return '+++{}/{}/{}+++'.format(*match.groups())
    try:
        return validate_rf(text)
    except ValidationError:
        return ''


def payment_reference(row):
    """Return the label of a transaction on one line, from the first of these that says anything, or ''.

    1. the structured communication; 2. the remittance information; 3. the bank's description; 4. its additional
    information; 5. the end-to-end id, unless it says that there is none. Of a text in the form of ING in the
    Netherlands, `Naam: … Omschrijving: … IBAN: … Datum: … Valutadatum: …`, only what follows `Omschrijving:` counts,
    if anything does: the narration has all of it.
    """
    remittance = _omschrijving(row.remittance_information) or row.remittance_information
    structured = structured_communication(remittance)
    if structured:
        return structured
    end_to_end = '' if row.end_to_end_id in ('NOTPROVIDED', 'NOT PROVIDED') else row.end_to_end_id
    candidates = (remittance, row.description, row.additional_information, end_to_end)
    return next((line for line in map(_one_line, candidates) if line), '')


def remittance_text(row):
    """Return all texts of a transaction in full as HTML, each once, for the narration; False if there are none."""
    texts = (
        _BREAK.sub('\n', text).strip()
        for text in (row.remittance_information, row.description, row.additional_information)
        if text
    )
    unique = list(dict.fromkeys(filter(None, texts)))
    return plaintext2html('\n'.join(unique)) if unique else False


def _one_line(text):
    return ' '.join(_BREAK.sub(' ', text or '').split())


def _omschrijving(text):
    """Return what follows `Omschrijving:` in a text that begins with a field of `_DUTCH_FIELD` and has two, else ''."""
    text = _BREAK.sub('\n', text or '').strip()
    for form in _DUTCH_FORMS:
        before, *parts = form.split(text)
        fields = dict(zip(parts[::2], parts[1::2], strict=True))
        if not before and len(fields) > 1 and 'Omschrijving' in fields:
            return _one_line(fields['Omschrijving'])
    return ''


def reference_key(text):
    """Return what is left of a reference without case, spaces and punctuation, '' when too little to go by."""
    key = re.sub(r'[^0-9a-z]', '', (text or '').lower())
    return key if len(key) >= MIN_REFERENCE else ''
