import json
import time

from odoo.tests.common import HOST, ChromeBrowser

WAIT = 60
# Runs in the page: waits until an element fits and, once it does, acts on it. A page that is left meanwhile ends it.
SCRIPT = """
new Promise((resolve) => {
    const {selector, text, action, value} = %s;
    const until = performance.now() + 2000;
    const look = () => {
        const element = [...document.querySelectorAll(selector)].find((element) =>
            element.textContent.includes(text) && !element.disabled && element.getClientRects().length);
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


class Person:
    """Somebody at a real browser who leaves Odoo for other sites and comes back, which a tour cannot.

    A context manager; every step waits for its element, a minute at most, and fails with what was looked for and the
    text of the page.
    """

    def __init__(self, case, login):
        self.case = case
        self.login = login

    def __enter__(self):
        self._browser = ChromeBrowser(self.case)
        self._requests = self.case.allow_requests(browser=self._browser)
        self._requests.__enter__()
        self.case.authenticate(self.login, self.login, browser=self._browser)
        self.case.cr.flush()
        self.case.cr.clear()
        return self

    def __exit__(self, *exception):
        self._browser.navigate_to('about:blank')
        self._browser.delete_cookie('session_id', domain=HOST)
        self._browser.stop()
        self.case._wait_remaining_requests()
        self._requests.__exit__(*exception)
        self.case.env.invalidate_all()

    def open(self, address):
        self._browser.navigate_to(address if '://' in address else self.case.base_url() + address)

    def see(self, selector, text=''):
        """Wait for an element and return its text."""
        return self._act(selector, text)

    def click(self, selector, text=''):
        self._act(selector, text, 'click')

    def enter(self, selector, value):
        self._act(selector, '', 'enter', value)

    def _act(self, selector, text, action='', value=''):
        script = SCRIPT % json.dumps({'selector': selector, 'text': text, 'action': action, 'value': value})
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            answer = self._evaluate(script)
            if answer.startswith('found '):
                return answer[6:]
        page = self._evaluate('document.location.href + " | " + document.body.innerText')
        raise AssertionError(f'{selector!r} with {text!r} is not to be seen on {" ".join(page.split())[:1500]}')

    def _evaluate(self, script):
        try:
            result = self._browser._websocket_request('Runtime.evaluate', params={
                'expression': script, 'awaitPromise': True, 'returnByValue': True}, timeout=10)
        except Exception as error:  # noqa: BLE001 the page was left while the script waited in it
            return f'left: {error}'
        return str(result.get('result', {}).get('value', ''))
