"""Ways to spoil an answer: what a broken proxy, a careless release of Ponto's or an attacker might send instead."""

import copy
import json

from hypothesis import strategies as st

# Valid JSON that `json.dumps` cannot write, or would write otherwise.
RAW = 'raw:'
RAW_NUMBERS = [
    'NaN',
    'Infinity',
    '-Infinity',
    '1e999999',
    '-1e999999999999999999999',
    '0.1000000000000000055511151231257827',
    '12.345',
    '-0',
    '0.005',
    '1E+2',
    '1e-400',
    '999999999999999',
    '99999999999999.99',
    '1000000000000000',
    '0.0',
    '9' * 400,
]
ODD_VALUES = [
    None,
    True,
    False,
    '',
    ' ',
    0,
    1,
    -1,
    10**15,
    12.5,
    -3.33,
    '12,50',
    '12.50',
    'NaN',
    'USD',
    'EUR',
    'eur',
    ' EUR',
    'EUR\x00',
    'XXX',
    '€',
    'x' * 3000,
    'x' * 100_000,
    '🍺' * 300,
    '\x00',
    'a\x00b',
    '\ud800',
    '\udfff\ud800',
    '\u202e',
    '\ufeff',
    '\r\nSet-Cookie: a=b',
    '<script>alert(1)</script>',
    '%s %(detail)s %',
    '{{ object }}',
    '{0}',
    "' OR 1=1 --",
    '0000-00-00',
    '9999-12-31T23:59:59Z',
    '1899-12-31',
    '1900-01-01',
    '1900-01-01T00:00:00+23:00',
    '2026-02-30',
    '2199-12-31T23:59:59-23:00',
    '2026-03-29T02:30:00.000Z',
    '2026-03-02T23:00:00.000Z',
    '2026-03-02',
    '2026-03-02T10:00:00+25:00',
    '2026-03-02T10:00:00',
    '-2026-03-02',
    '20260302',
    '2026-W10-1',
    1772409600,
    '٢٠٢٦-03-02',
    '2026-03-02T22:59:59.9999999Z',
    'https://evil.example/next',
    '//evil.example',
    '../../etc/passwd',
    [],
    {},
    [[]],
    [None],
    ['a', None, ['b'], {'c': 1}],
    {'data': None},
    {'': ''},
    [{}],
    *(RAW + number for number in RAW_NUMBERS),
]
nested = st.sampled_from([2, 30, 300, 30_000]).map(lambda depth: RAW + '[' * depth + ']' * depth)
texts = st.text(st.characters(categories=('L', 'N', 'P', 'Cc', 'Cs', 'Zs', 'So')), max_size=20)
odd_values = st.one_of(st.sampled_from(ODD_VALUES), st.sampled_from(ODD_VALUES), texts, nested)
places = st.integers(0, 400)

# Each mutation is `(name, place in the body, ...)`; places count all values, the outermost first.
mutations = st.one_of(
    st.tuples(st.just('replace'), places, odd_values),
    st.tuples(st.just('replace'), places, odd_values),
    st.tuples(st.just('drop'), places),
    st.tuples(st.just('retype'), places),
    st.tuples(st.just('wrap'), places, st.booleans()),
    st.tuples(st.just('append'), places, texts),
    st.tuples(st.just('rename'), places, st.sampled_from(['', 'Amount', 'id', 'data', '\x00', '\ud800', '__proto__'])),
    st.tuples(st.just('copy'), places, places),
    st.tuples(st.just('repeat'), places, places),
)
# ... and what happens to the bytes on their way.
byte_mutations = st.one_of(
    st.none(),
    st.none(),
    st.none(),
    st.tuples(st.just('cut'), st.integers(0, 5000)),
    st.tuples(
        st.just('insert'),
        st.integers(0, 5000),
        st.sampled_from(
            [
                b'\x00',
                b'\xff',
                b'\xed\xa0\x80',
                b'"',
                b'{',
                b'\\',
                b',',
                b' ',
                b'//',
                b'\xef\xbb\xbf',
                b'1',
                b'-',
                b'e9',
            ]
        ),
    ),
    st.tuples(st.just('encode'), st.sampled_from(['utf-16', 'utf-32', 'latin-1', 'utf-8-sig', 'utf-7'])),
    st.tuples(
        st.just('whole'),
        st.sampled_from(
            [
                b'',
                b'null',
                b'[]',
                b'{}',
                b'"a"',
                b'1',
                b'NaN',
                b'<html>',
                b'\x00',
                b'\x1f\x8b',
                b'{"data":1}',
                b'{"data":{}}',
                b'{"data":[{}]}',
                b'{"errors":[]}',
                b'{"errors":[{"code":1}]}',
                b'{"error":{}}',
            ]
        ),
    ),
)


def mutated(body, changes, byte_change=None):
    """Return the bytes of the JSON `body` (bytes) after these mutations; itself when it is no JSON."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for change in changes:
        value = _apply(copy.deepcopy(value), *change)
    return _spoil(_write(value), *byte_change or ())


def _slots(value, slots=None):
    """Return `(container, key)` of every value in `value`, the outermost first."""
    slots = [] if slots is None else slots
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    slots += [(value, key) for key in keys]
    for key in keys:
        _slots(value[key], slots)
    return slots


def _apply(value, name, place, *arguments):
    root = [value]
    slots = _slots(root)
    container, key = slots[place % len(slots)]
    if name == 'copy':
        source, source_key = slots[arguments[0] % len(slots)]
        container[key] = copy.deepcopy(source[source_key])
    elif name == 'repeat':
        lists = [source[at] for source, at in slots if isinstance(source[at], list)] or [root]
        items = lists[place % len(lists)]
        if items:
            items.insert(arguments[0] % (len(items) + 1), copy.deepcopy(items[place % len(items)]))
    elif name == 'drop':
        if container is not root:
            del container[key]
    elif name == 'rename':
        if isinstance(container, dict):
            container[arguments[0]] = container.pop(key)
    else:
        container[key] = _changed(container[key], name, *arguments)
    return root[0]


def _changed(value, name, argument=None):
    if name == 'replace':
        return argument
    if name == 'wrap':
        return [value] if argument else {'data': value}
    if name == 'append':
        return f'{value}{argument}'
    try:
        return float(value) if isinstance(value, str) else str(value)
    except ValueError:
        return [value]


def _write(value):
    """Return `value` as JSON; text that begins with `RAW` is written without quotes."""
    marks = {}

    def marked(item):
        if isinstance(item, str) and item.startswith(RAW):
            mark = f'@raw{len(marks)}@'
            marks[f'"{mark}"'] = item.removeprefix(RAW)
            return mark
        if isinstance(item, list):
            return [marked(each) for each in item]
        if isinstance(item, dict):
            return {key: marked(each) for key, each in item.items()}
        return item

    text = json.dumps(marked(value))
    for mark, raw in marks.items():
        text = text.replace(mark, raw)
    return text.encode()


def _spoil(body, name=None, *arguments):
    if name == 'cut':
        return body[: arguments[0] % (len(body) + 1)]
    if name == 'insert':
        place = arguments[0] % (len(body) + 1)
        return body[:place] + arguments[1] + body[place:]
    if name == 'encode':
        return body.decode().encode(arguments[0])
    if name == 'whole':
        return arguments[0]
    return body
