"""The texts of a statement line, made of what Ponto says about a transaction. No record is read but the row itself.

Banks and payers write these texts, so each pattern here takes time in proportion to a text, and of a text no more than
`MAX_TEXT` characters are read: the inbox keeps the whole of it.
"""

import re
import unicodedata

from markupsafe import Markup
from stdnum.exceptions import ValidationError
from stdnum.iso11649 import validate as validate_rf

from odoo.addons.base.models.res_bank import sanitize_account_number

# Characters of each text that enter the books. The longest that a payer can write are some thousands.
MAX_TEXT = 10_000
# Shorter references are shared by too many payments to say anything.
MIN_REFERENCE = 5
# What banks write where the payer has written nothing.
NOTHING = frozenset(('notprovided', 'not provided', 'not_provided', 'nonref', 'none', 'null', 'n/a'))

# How a formula begins in a workbook that Odoo exports. Its CSV guards further signs by itself.
FORMULA = ('=', '{=')

_BREAK = re.compile(r'<br ?/?>', re.IGNORECASE)
_OGM = re.compile(r'(?:\+{3}|\*{3})? ?(\d{3})/?(\d{4})/?(\d{5}) ?(?:\+{3}|\*{3})?', re.ASCII)
# A card's number as banks print it, or an IBAN as apps show it.
_MASK = re.compile(r'[X*•]{3}', re.IGNORECASE)
_NO_KEY = re.compile(r'[^0-9a-z]')

# Texts that a bank has made of fields: the pattern of a field's mark, the field that holds what the payer wrote, and
# how many fields make it sure that it is such a text.
_DUTCH = '(Naam|Omschrijving|IBAN|BIC|Kenmerk|Machtiging ID|Incassant ID|Datum|Datum/Tijd|Valutadatum|Pasvolgnr):'
_SLASHES = (
    '/(TRTP|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|PREF|ORDP|BENM|CNTP|TRCD|RTRN|PURP|ULTD|ULTC|ULTB|ISDT|SVCL|NRTX|ID|ADDR'
    '|OCMT|CHGS|EXCH)/'
)
_FORMS = (
    # ING in the Netherlands: on lines of its own each, or all on one line.
    (re.compile(rf'(?:^|\n){_DUTCH}'), 'Omschrijving', 2),
    (re.compile(rf'(?:^|\s){_DUTCH}'), 'Omschrijving', 2),
    # The structured field 86 of Dutch banks' MT940.
    (re.compile(_SLASHES), 'REMI', 1),
    # The SEPA fields of German banks' MT940.
    (re.compile(r'(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP)\+'), 'SVWZ', 1),
    (
        re.compile(r'(?:^|, ?)(mandatereference|creditorid|endtoendid|remittanceinformation):'),
        'remittanceinformation',
        1,
    ),
)
# What stands before the payer's words in the field REMI: unstructured, or structured and by whose rules.
_REMI_KINDS = ('USTD//', 'STRD/CUR/', 'STRD/ISO/', 'STRD//')


def clean_line(text):
    """Return at most `MAX_TEXT` characters of a text as one line for the books.

    All white space becomes single spaces. Control, bidirectional and zero-width characters are left out: XML refuses
    the first, and the others let a text look like another one. What a workbook would take for a formula gets an
    apostrophe before it.
    """
    return as_text(' '.join(_readable(_bounded(text)).split()))


def as_text(text):
    """Return a text as a spreadsheet may have it: with an apostrophe before what begins like a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def payment_reference(row):
    """Return the label of a transaction on one line, from the first of these that says anything, or ''.

    1. the remittance information, written as invoices print it if it is a structured communication; 2. the bank's
    description; 3. its additional information; 4. the end-to-end id. Of a text that the bank has made of fields
    (`_FORMS`) only what the payer wrote counts; the whole of it comes last, and the narration has it in any case.
    """
    texts = (row.remittance_information, row.description, row.additional_information)
    remittance, *others = map(_payers_words, texts)
    candidates = (
        structured_communication(remittance),
        remittance,
        *others,
        clean_line(row.end_to_end_id),
        *map(clean_line, texts),
    )
    return next(filter(_says_something, candidates), '')


def remittance_text(row):
    """Return all texts of a transaction as HTML, each once, for the narration; False if there are none."""
    texts = map(_lines, (row.remittance_information, row.description, row.additional_information))
    unique = dict.fromkeys('\n'.join(lines) for lines in texts if lines)
    # No address in a text becomes a link: whoever pays a cent could place one here.
    return Markup('<p>%s</p>') % Markup('<br/>').join('\n'.join(unique).split('\n')) if unique else False


def structured_communication(text):
    """Return the Belgian structured communication or ISO 11649 reference that `text` is, as invoices print it, or ''.

    Belgium: ten digits and their remainder by 97, which is written 97 when it is 0; Ponto may send it with or without
    pluses and slashes (API reference, section 2.2). ISO 11649: `RF`, two check digits, up to 21 characters.
    """
    text = clean_line(text)
    match = _OGM.fullmatch(text)
    if match:
        digits = ''.join(match.groups())
        if int(digits[10:]) == (int(digits[:10]) % 97 or 97):
            return '+++{}/{}/{}+++'.format(*match.groups())
    try:
        return validate_rf(text)
    except ValidationError:
        return ''


def account_number(reference):
    """Return an account number as Odoo compares it; '' for one of which a part is masked, as it may be anybody's."""
    text = clean_line(reference)
    return '' if _MASK.search(text) else sanitize_account_number(text) or ''


def reference_key(text):
    """Return what is left of a reference without case, spaces and punctuation, '' when too little to go by."""
    key = _NO_KEY.sub('', _bounded(text).lower())
    return key if len(key) >= MIN_REFERENCE else ''


def _bounded(text):
    text = text or ''
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + '…'


def _readable(text):
    if text.isprintable():
        return text
    return ''.join(char for char in text if char.isprintable() or char.isspace())


def _lines(text):
    """Return the lines of a text that are not empty, each as `clean_line` has it."""
    lines = _BREAK.sub('\n', _bounded(text)).splitlines()
    return [line for line in map(clean_line, lines) if line]


def _says_something(text):
    """Return whether a text of one line has a letter, a digit or a picture, and is not only the word for nothing."""
    return text.casefold() not in NOTHING and any(char.isalnum() or unicodedata.category(char) == 'So' for char in text)


def _payers_words(text):
    """Return on one line what the payer wrote in a text of `_FORMS`, '' if that is nothing, else the whole text."""
    lines = _lines(text)
    for mark, name, least in _FORMS:
        before, *parts = mark.split('\n'.join(lines))
        # A field that comes twice counts once, as it comes first.
        fields = dict(zip(parts[-2::-2], parts[::-2], strict=True))
        if not before and len(fields) >= least and name in fields:
            words = clean_line(fields[name])
            return _without_kind(words) if name == 'REMI' else words
    return ' '.join(lines)


def _without_kind(words):
    for kind in _REMI_KINDS:
        words = words.removeprefix(kind)
    return words.strip('/ ')
