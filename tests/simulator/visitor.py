"""A person at Ponto's pages, without a browser: for tests in process that need a consent, not its looks."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests

from .pages import BANK_CODE

PAGES = ('/oauth2/auth', '/organizations/')


class Visitor:
    """Opens pages and presses buttons; each returns where that led: an address outside of Ponto's pages, or ''."""

    def __init__(self, sim):
        self._sim = sim
        self.url = ''
        self.page = None

    @property
    def error(self):
        """What the page complains of."""
        return self.page.texts.get('error', '')

    def open(self, url):
        """Go to an address."""
        return self._go(requests.Request('GET', url))

    def press(self, button, **fields):
        """Submit the form of the button with this id; lists are for boxes, which are unticked unless named."""
        form = self.page.forms[button]
        return self._go(requests.Request('POST', urljoin(self.url, form['action']), data={**form['hidden'], **fields}))

    def consent(self, url, accounts, institution=None):
        """Allow an application to read these accounts: from the authorization URL to the address of the return."""
        accounts = [self._sim.account(account) for account in accounts]
        self.open(url)
        self.press('choose-bank', institution=institution.id if institution else accounts[0].institution_id)
        self.press('log-in', login='me', code=BANK_CODE)
        return self.press('allow', account=[account.id for account in accounts])

    def refuse(self, url):
        """Refuse at once."""
        self.open(url)
        return self.press('refuse')

    def renew(self, url):
        """Renew an account's permission: from the link to the address of the return."""
        self.open(url)
        return self.press('renew', login='me', code=BANK_CODE)

    def _go(self, request):
        response = self._sim.send(request.prepare())
        self.url = response.url
        if response.is_redirect:
            location = urljoin(response.url, response.headers['Location'])
            if not urlsplit(location).path.startswith(PAGES):
                return location
            return self._go(requests.Request('GET', location))
        self.page = _Page()
        self.page.feed(response.text)
        return ''


class _Page(HTMLParser):
    """The forms of a page by the id of their button, its boxes, and the texts of elements with an id."""

    def __init__(self):
        super().__init__()
        self.forms = {}
        self.inputs = {}
        self.texts = {}
        self._form = None
        self._element = None

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self._element = attributes.get('id')
        if tag == 'form':
            self._form = {'action': attributes['action'], 'hidden': {}}
        elif tag == 'input' and attributes.get('type') == 'hidden':
            self._form['hidden'][attributes['name']] = attributes['value']
        elif tag == 'input':
            self.inputs[attributes['id']] = attributes
        elif tag == 'button':
            self.forms[attributes['id']] = self._form

    def handle_data(self, data):
        if self._element:
            self.texts[self._element] = data
        self._element = None
