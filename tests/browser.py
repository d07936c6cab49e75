import base64
import json
import logging
import re
import time
from pathlib import Path

import polib

from odoo.tests import HttpCase
from odoo.tests.common import HOST, ChromeBrowser

from .common import PontoCase

# Seconds. It ends as soon as the page is as wanted: a busy machine must not decide a test.
WAIT = 180
# Keys that write nothing, or more than a letter: their code, and what they write.
KEYS = {'Enter': (13, '\r'), 'Escape': (27, ''), 'ArrowDown': (40, ''), 'ArrowUp': (38, ''), 'Tab': (9, '')}
# Runs in the page: waits until an element fits and, once it does, acts on it. A page that is left meanwhile ends it.
SCRIPT = r"""
new Promise((resolve) => {
    const {selector, texts, inside, action, value} = %s;
    const until = performance.now() + 2000;
    const fits = (element) => {
        const text = element.textContent.replace(/\s+/g, " ");
        return texts.every((part) => text.includes(part)) && !element.disabled && element.getClientRects().length;
    };
    const look = () => {
        const found = [...document.querySelectorAll(selector)].find(fits);
        const element = inside ? found?.querySelector(inside) : found;
        if (!element) {
            return performance.now() < until ? setTimeout(look, 50) : resolve("");
        }
        if (action === "click") {
            element.click();
        } else if (action === "enter") {
            element.value = value;
            element.dispatchEvent(new Event("input", {bubbles: true}));
            element.dispatchEvent(new Event("change", {bubbles: true}));
        }
        resolve("found " + element.textContent);
    };
    look();
})
"""
# Every text that the page shows or says, but for what people write to each other.
TEXTS = r"""
[...document.body.querySelectorAll(":not(script, style, .o-mail-Chatter *)")].flatMap((element) => [
    ...[...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data),
    ...["placeholder", "title", "aria-label", "data-tooltip"].map((name) => element.getAttribute(name) || ""),
]).map((text) => text.replace(/\s+/g, " ").trim()).filter(Boolean).join("\n")
"""
PLACEHOLDER = re.compile(r'%(?:\(\w+\))?[a-z]|{{.*?}}|</?\w+[^>]*>')


def parts(text):
    """Return what stands between the placeholders and the markup of a term."""
    return [' '.join(part.split()) for part in PLACEHOLDER.split(text) if part.strip(' \n.,:()')]


class Words:
    """What the screens of the addon say in a language."""

    def __init__(self, lang):
        folder = Path(__file__).parent.parent / 'i18n'
        path = folder / ('account_online_ponto.pot' if lang == 'en_US' else f'{lang[:2]}.po')
        self._terms = {' '.join(entry.msgid.split()): entry.msgstr or entry.msgid for entry in polib.pofile(path)}
        said = {part for term in self._terms.values() for part in parts(term)}
        english = {part for term in self._terms for part in parts(term)} - said
        self._english_terms = english & set(self._terms)
        self._english_sentences = [part for part in english if part.count(' ') >= 3]

    def parts(self, text):
        """Return the translated parts of an English term of the addon, or of the one that has these words in it; what
        stands in none is a name and stays as it is.
        """
        terms = [text] if text in self._terms else [term for term in self._terms if ' ' in text and text in term]
        return parts(self._terms[terms[0]]) if len(terms) == 1 else [text]

    def english_in(self, texts):
        """Return those of these texts that are, or hold, English terms of the addon; in English there are none."""
        return [
            text
            for text in texts
            if text in self._english_terms or any(part in text for part in self._english_sentences)
        ]


class BrowserCase(PontoCase, HttpCase):
    """Flows in a real browser. An error of a script, a warning in the server's log, or an English text of ours on the
    screen of somebody who speaks another language fails the test.
    """

    lang = 'en_US'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.words = Words(cls.lang)
        if cls.lang != 'en_US':
            cls.env['base.language.install'].create(
                {'lang_ids': cls.env['res.lang'].with_context(active_test=False).search([('code', '=', cls.lang)]).ids}
            ).lang_install()
            (cls.company.partner_id | cls.accountant.partner_id).lang = cls.lang

    def person(self, user=None):
        return Person(self, (user or self.accountant).login)


class WarningsOfServer(logging.Handler):
    """A context manager that collects what the server finds worth a warning, but for what it tells people."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []
        self._logger = logging.getLogger('odoo')
        # The runner may have silenced it.
        self._level = self._logger.level

    def __enter__(self):
        self._logger.addHandler(self)
        self._logger.setLevel(logging.WARNING)
        return self

    def __exit__(self, *_exception):
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)

    def emit(self, record):
        if not (record.name == 'odoo.http' and isinstance(record.msg, Exception)):
            self.messages.append(f'{record.name}: {record.getMessage()}')


class Person:
    """Somebody at a browser, who may leave Odoo for other sites and come back.

    A context manager; every step waits for its element, `WAIT` seconds at most, and fails with what was looked for and
    the text of the page. Texts of the addon are given in English and looked for in the language of the test.
    """

    def __init__(self, case, login):
        self.case = case
        self.login = login

    def __enter__(self):
        self._browser = ChromeBrowser(self.case)
        self._requests = self.case.allow_requests(browser=self._browser)
        self._requests.__enter__()
        self._warnings = WarningsOfServer()
        self._warnings.__enter__()
        self.case.authenticate(self.login, self.login, browser=self._browser)
        self.case.cr.flush()
        self.case.cr.clear()
        return self

    def __exit__(self, *exception):
        self._browser.navigate_to('about:blank')
        self._browser.delete_cookie('session_id', domain=HOST)
        thrown = self._browser._result.exception() if self._browser._result.done() else None
        self._browser.stop()
        self.case._wait_remaining_requests()
        self._requests.__exit__(*exception)
        self._warnings.__exit__()
        self.case.env.invalidate_all()
        if thrown:
            raise thrown
        self.case.assertEqual(self._warnings.messages, [])

    def open(self, address):
        self._browser.navigate_to(self.case.base_url() + address if address.startswith('/') else address)

    def see(self, selector, text=''):
        """Wait for an element and return its text."""
        return self._act(selector, text)

    def click(self, selector, text='', inside=''):
        """Click an element, or what is `inside` of it."""
        self._act(selector, text, 'click', inside=inside)

    def enter(self, selector, value):
        self._act(selector, '', 'enter', value=value)

    def rest(self):
        """Wait until the server has nothing to do: it and the test share one cursor, which must not be used at once."""
        self.case._wait_remaining_requests()

    def press(self, key, alt=False):
        """Press and release a key, whatever has the focus gets it: a name of KEYS, or a letter."""
        code, text = KEYS.get(key, (ord(key.upper()[0]), '' if alt else key))
        for event in ('keyDown', 'keyUp'):
            params = {
                'type': event,
                'key': key,
                'code': key if key in KEYS else f'Key{key.upper()}',
                'windowsVirtualKeyCode': code,
                'text': text if event == 'keyDown' else '',
                'modifiers': 1 if alt else 0,
            }
            self._browser._websocket_request('Input.dispatchKeyEvent', params=params)

    def type(self, text):
        """Type a text into what has the focus, in place of what is selected there."""
        self._browser._websocket_request('Input.insertText', params={'text': text})

    def resize(self, width, height):
        """Give the window this size in pixels: a phone's when it is narrow."""
        metrics = {'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 768}
        self._browser._websocket_request('Emulation.setDeviceMetricsOverride', params=metrics)

    def screenshot(self):
        """Return a picture of the window as the bytes of a PNG file."""
        picture = self._browser._websocket_request('Page.captureScreenshot', params={'format': 'png'}, timeout=60)
        return base64.b64decode(picture['data'])

    def evaluate(self, script):
        """Return the value of a JavaScript expression, awaited, as text."""
        return self._evaluate(script)

    def _act(self, selector, text, action='', **kwargs):
        texts = self.case.words.parts(text)
        script = SCRIPT % json.dumps({'selector': selector, 'texts': texts, 'action': action, **kwargs})
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            answer = self._evaluate(script)
            if answer.startswith('found '):
                self._look_for_english()
                return ' '.join(answer[6:].split())
        page = self._evaluate('document.location.href + " | " + document.body.innerText')
        raise AssertionError(f'{selector!r} with {texts!r} is not to be seen on {" ".join(page.split())[:1500]}')

    def _look_for_english(self):
        if self._evaluate('document.location.origin') == self.case.base_url():
            found = self.case.words.english_in(self._evaluate(TEXTS).splitlines())
            self.case.assertFalse(found, "English on the screen")

    def _evaluate(self, script):
        try:
            result = self._browser._websocket_request(
                'Runtime.evaluate',
                params={'expression': script, 'awaitPromise': True, 'returnByValue': True},
                timeout=10,
            )
        except Exception as error:  # noqa: BLE001 the page was left while the script waited in it
            return f'left: {error}'
        return str(result.get('result', {}).get('value', ''))
