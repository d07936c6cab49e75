"""Cursor paging as Ponto does it: by resource id, in either of two parameter styles, with absolute links."""

import re
from dataclasses import dataclass
from urllib.parse import quote

from . import errors

DEFAULT_LIMIT = 10
MAXIMUM_LIMIT = 100
PARAMETERS = frozenset(style % name for style in ('%s', 'page[%s]') for name in ('limit', 'before', 'after'))


@dataclass(frozen=True)
class Paging:
    """What the request asked for. `style` is the parameter style of the request, which the links repeat."""

    limit: int = DEFAULT_LIMIT
    explicit_limit: bool = False
    before: str | None = None
    after: str | None = None
    style: str = 'page[%s]'

    def query(self, **cursor):
        """The paging part of a link's query, brackets unencoded as Ponto writes them."""
        pairs = list(cursor.items()) + ([('limit', self.limit)] if self.explicit_limit else [])
        return [f'{self.style % name}={quote(str(value))}' for name, value in pairs]


def parse(query):
    """Read the paging parameters of a request; a wrong one is a 400."""
    given = {name: query[name] for name in PARAMETERS if name in query}
    plain = [name for name in given if '[' not in name]
    if plain and len(plain) < len(given):
        raise errors.invalid_parameter('The two styles of paging parameters cannot be mixed.')
    values = {name.removeprefix('page[').rstrip(']'): value for name, value in given.items()}
    if 'before' in values and 'after' in values:
        raise errors.invalid_parameter('Only one of the cursors before and after can be given.')
    return Paging(
        limit=_limit(values.get('limit')),
        explicit_limit='limit' in values,
        before=values.get('before'),
        after=values.get('after'),
        style='%s' if plain else 'page[%s]',
    )


def _limit(text):
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r'\d{1,9}', text, re.ASCII) or not 1 <= int(text) <= MAXIMUM_LIMIT:
        raise errors.invalid_parameter(f'The page limit must be between 1 and {MAXIMUM_LIMIT}.')
    return int(text)


def bounds(collection, paging, page_size):
    """Start and end of the page in the collection, `page_size` items at most; a cursor that is not in it is a 400."""
    cursor = paging.after or paging.before
    position = collection.position(cursor) if cursor else None
    if cursor and position is None:
        raise errors.ApiError(400, 'unknownCursor', 'The page cursor is not in the list.')
    size = min(paging.limit, page_size or paging.limit)
    if paging.before:
        return max(0, position - size), position
    start = position + 1 if paging.after else 0
    return start, min(start + size, len(collection))


def list_body(collection, paging, page_size, url, kept_query, null_cursors):
    """Items of the page, links and `meta.paging`. `null_cursors`: a cursor that is not there is null, not absent."""
    start, end = bounds(collection, paging, page_size)
    items = collection[start:end]
    cursors = {
        'after': items[-1].id if items and end < len(collection) else None,
        'before': items[0].id if items and start else None,
    }
    links = {'first': _link(url, kept_query, paging.query())}
    for name, cursor in (('next', 'after'), ('prev', 'before')):
        if cursors[cursor]:
            links[name] = _link(url, kept_query, paging.query(**{cursor: cursors[cursor]}))
    meta = {name: value for name, value in cursors.items() if value or null_cursors}
    return items, links, {'paging': {**meta, 'limit': paging.limit}}


def _link(url, kept_query, paging_query):
    query = '&'.join([f'{name}={quote(value)}' for name, value in kept_query.items()] + paging_query)
    return f'{url}?{query}' if query else url
