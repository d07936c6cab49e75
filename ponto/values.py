"""What a single value in Ponto's answers means: moments, amounts and texts. Pure.

Numbers come in as ``Decimal``, as :func:`.deciphering.parse_json` reads them.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

from dateutil.parser import isoparse

MAX_DETAIL = 500
MAX_DEPTH = 20
# Beyond these a number is a mistake, and arithmetic with it may not end: 1e999999 is valid JSON.
MAX_AMOUNT = Decimal(10) ** 15
MAX_DECIMALS = 30

_DATE = re.compile(
    r'\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?', re.ASCII
)
_UNSTORABLE = re.compile('[\x00\ud800-\udfff]')


def parse_datetime(value: object) -> datetime | None:
    """Read a date-time as Ponto writes them: with milliseconds, microseconds or none, or a date alone.

    An offset other than Z is converted. Without any, it is UTC, as everywhere in Ponto; a date alone is its midnight.

    :return: aware, in UTC; None for null and the empty string
    :raise ValueError: anything else, also a year in which no bank account existed or will
    """
    if value is None or value == '':
        return None
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError('not a date')
    if not 1900 <= int(value[:4]) < 2200:
        raise ValueError('date out of range')
    parsed = isoparse(value)
    return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed.astimezone(timezone.utc)


def parse_amount(value: object) -> Decimal | None:
    """Read an amount of money.

    :param value: a number as parsed from JSON, thus a Decimal; text is not a number, so that nobody guesses at commas
    :return: None for null
    :raise ValueError: text, a boolean, NaN, an infinity, or a number too large or too fine to be money
    """
    if value is None:
        return None
    if not isinstance(value, Decimal):
        raise ValueError('not a number')
    if not value.is_finite() or abs(value.adjusted()) > MAX_DECIMALS or abs(value) >= MAX_AMOUNT:
        raise ValueError('not an amount')
    if int(value.as_tuple().exponent) < -MAX_DECIMALS:
        raise ValueError('too many decimals')
    return value


def clean_text(value: object) -> str:
    """Return a text or number as storable text, the texts of a list on a line each, anything else as ``''``."""
    if isinstance(value, str):
        return _UNSTORABLE.sub('', value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list):
        return '\n'.join(filter(None, (clean_text(item) for item in value if not isinstance(item, list))))
    return ''


def one_line(value: object, length: int = MAX_DETAIL) -> str:
    """Return text written by others as one line of at most ``length`` characters, fit for a message or a log."""
    text = ' '.join(''.join(char if char.isprintable() else ' ' for char in clean_text(value)[: 4 * length]).split())
    return text if len(text) <= length else text[: length - 1] + '…'


def to_json(value: object, depth: int = MAX_DEPTH) -> Any:
    """Return parsed JSON as something that ``json.dumps`` and PostgreSQL's jsonb accept: Decimals as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping) and depth:
        return {clean_text(key): to_json(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list) and depth:
        return [to_json(item, depth - 1) for item in value]
    return clean_text(value)
