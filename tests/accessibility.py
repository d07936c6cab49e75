"""Barriers to people who use a keyboard or a screen reader, as axe-core finds them in what the browser shows."""

import functools
import json
import os
from pathlib import Path

RULES = ('wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice')
# {rule: {selector: why what it matches, or is inside of, is left out}}: markup and colors of Odoo's own.
OF_CORE = {
    'aria-allowed-attr': {'.o-autocomplete--input': "core's choice of a record says aria-selected of its input"},
    'aria-allowed-role': {'article.o_kanban_record': "core makes its cards articles that are links"},
    'aria-required-parent': {'.o_notebook': "core's tabs have no list of tabs around them"},
    'button-name': {
        '.o-dropdown:has(.o_optional_columns_dropdown_toggle)': "core's choice of columns is an icon",
        '.o_clipboard_button': "core's button that copies a text is an icon",
    },
    'color-contrast': {
        '.o_form_label_readonly': "core's color of labels that nobody edits",
        '.o_field_widget .badge, .badge[raw-value]': "core's colors of states",
    },
    'empty-table-header': {'.o_list_renderer th': "core's columns of boxes and buttons have no name"},
    'label': {'.o_list_record_selector': "core's boxes that choose rows have no name"},
    'landmark-main-is-top-level': {'.modal .o_content': "core opens a screen in a window with all that is around it"},
    'landmark-no-duplicate-main': {'.modal .o_content': "core opens a screen in a window with all that is around it"},
}
# What is there only while a screen fades in is no barrier: what is still there after this time is one.
PATIENCE = 10_000
SCRIPT = """(async () => {
    const end = Date.now() + %(patience)s;
    let found;
    do {
        const {violations} = await axe.run(%(context)s, {runOnly: %(rules)s, resultTypes: ['violations']});
        found = violations.flatMap(({id, help, nodes}) => nodes.filter(({target}) => !%(of_core)s[id]?.some(
            (selector) => document.querySelector(target).closest(selector)
        )).map(({target, html, any, all}) => [
            id, help, target.join(' '), html.slice(0, 200), [...any, ...all].map(({message}) => message).join('; '),
        ]));
    } while (found.length && Date.now() < end);
    return JSON.stringify(found);
})()"""


def has_axe():
    """Return whether axe-core is at hand: `scripts/test` names it in PONTO_AXE."""
    return Path(os.environ.get('PONTO_AXE', '/none')).is_file()


@functools.cache
def _axe():
    return Path(os.environ['PONTO_AXE']).read_text()


def barriers(person, selector):
    """Return what keeps people out of the elements that match, one sentence for each place.

    :param person: a `Person` who sees them
    """
    if person.evaluate('typeof axe') == 'undefined':
        person.evaluate(f'{_axe()}; "loaded"')
    values = {
        'patience': PATIENCE,
        'context': {'include': [[selector]]},
        'rules': RULES,
        'of_core': {rule: list(selectors) for rule, selectors in OF_CORE.items()},
    }
    answer = person.evaluate(SCRIPT % {name: json.dumps(value) for name, value in values.items()})
    return ['\n'.join(finding) for finding in json.loads(answer)]
