"""A headless Chromium, steered through its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')


class Browser:
    """One page of a headless browser; a context manager. `errors` collects what scripts of the page throw."""

    def __init__(self):
        self.errors = []
        self._last_id = 0

    def __enter__(self):
        self._profile = tempfile.mkdtemp()
        program = next(filter(None, map(shutil.which, BROWSERS)))
        self._process = subprocess.Popen(
            [
                program,
                '--headless=new',
                '--no-sandbox',
                '--disable-gpu',
                '--disable-dev-shm-usage',
                '--hide-scrollbars',
                '--no-first-run',
                '--remote-debugging-port=0',
                f'--user-data-dir={self._profile}',
                'about:blank',
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._socket = websocket.create_connection(self._page_address(), suppress_origin=True, timeout=60)
        for domain in ('Page', 'Runtime', 'Network'):
            self.send(f'{domain}.enable')
        return self

    def __exit__(self, *_exception):
        self._socket.close()
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _page_address(self):
        port_file = Path(self._profile, 'DevToolsActivePort')
        for _attempt in range(150):
            if port_file.exists() and port_file.read_text().strip():
                port = port_file.read_text().split()[0]
                with urllib.request.urlopen(f'http://127.0.0.1:{port}/json/list', timeout=10) as response:
                    pages = json.load(response)
                return next(page['webSocketDebuggerUrl'] for page in pages if page['type'] == 'page')
            time.sleep(0.1)
        raise TimeoutError('The browser does not start.')

    def send(self, method, **parameters):
        """Call a method of the protocol and return its result."""
        self._last_id += 1
        self._socket.send(json.dumps({'id': self._last_id, 'method': method, 'params': parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get('method') == 'Runtime.exceptionThrown':
                details = message['params']['exceptionDetails']
                self.errors.append(details.get('exception', {}).get('description') or details['text'])
            if message.get('id') == self._last_id:
                if 'error' in message:
                    raise RuntimeError(f'{method}: {message["error"]}')
                return message['result']

    def evaluate(self, expression):
        """Return the value of a JavaScript expression, awaited."""
        result = self.send('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in result:
            raise RuntimeError(f'{expression}: {result["exceptionDetails"]}')
        return result['result'].get('value')

    def wait_for(self, expression, seconds=30):
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.evaluate(f'Boolean({expression})'):
                return
            time.sleep(0.1)
        raise TimeoutError(f'Not within {seconds} s: {expression}')

    def go_to(self, url):
        self.send('Page.navigate', url='about:blank')
        self.wait_for("location.href === 'about:blank'")
        self.send('Page.navigate', url=url)

    def set_size(self, width, height):
        self.send(
            'Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=width < 768
        )

    def screenshot(self, path):
        image = self.send('Page.captureScreenshot', format='png')
        Path(path).write_bytes(base64.b64decode(image['data']))
