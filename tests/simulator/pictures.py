"""The file servers of the institutions' logos: pictures for any path, to everybody.

Institutions that are made up have theirs in a domain below `.example`, which exists nowhere (RFC 2606).
"""

import re
from urllib.parse import urlsplit

LOGOS = 'https://ibanity-production-financial-institution-assets.s3.eu-central-1.amazonaws.com'

DRAWING = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">'
    '<rect width="64" height="64" rx="12" fill="hsl({hue}, 60%, 40%)"/>'
    '<text x="32" y="45" font-family="sans-serif" font-size="36" text-anchor="middle" fill="#fff">{initial}</text>'
    '</svg>\n'
)


def is_file_server(host):
    """Whether logos lie on this host."""
    return host == urlsplit(LOGOS).netloc or host.endswith('.example')


def drawn(path):
    """Status, headers and body of a logo: the initial of the file's name on a color of its own."""
    letters = re.sub(r'[^a-z]', '', path.rpartition('/')[2].lower()) or 'p'
    drawing = DRAWING.format(hue=sum(map(ord, letters)) * 37 % 360, initial=letters[0].upper())
    return 200, {'Content-Type': 'image/svg+xml'}, drawing.encode()
