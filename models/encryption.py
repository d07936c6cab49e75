"""Secrets at rest: encrypted when the server's configuration file holds a key, as they are when it does not.

``ponto_encryption_keys`` in the file's ``[options]`` is one Fernet key, or several separated by commas. The first one
encrypts, all of them decrypt: to rotate, put a new key in front, call ``ponto.integration._reencrypt_secrets()``, and
remove the old one. A copy of the database without the file then holds no usable secret.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.exceptions import UserError
from odoo.tools import config

OPTION = 'ponto_encryption_keys'
PREFIX = 'fernet:'


def encrypt(text):
    """Return `text` as it is to be stored; nothing stays nothing."""
    keys = _keys()
    return PREFIX + keys.encrypt(text.encode()).decode() if text and keys else text


def decrypt(env, stored):
    """Return the text that `encrypt` has made `stored` of, also of one stored before there was a key.

    :raises UserError: when the key is not in the configuration file (any more)
    """
    if not stored or not stored.startswith(PREFIX):
        return stored
    try:
        keys = _keys()
        return keys.decrypt(stored[len(PREFIX) :].encode()).decode() if keys else _no_key(env)
    except InvalidToken:
        return _no_key(env)


def _no_key(env):
    raise UserError(
        env._(
            "The stored Ponto credentials are encrypted with a key that is not in the server's configuration file"
            " (%(option)s). Put the key back, or enter the credentials again with Update Credentials.",
            option=OPTION,
        )
    )


def _keys():
    keys = [key.strip() for key in (config.get(OPTION) or '').split(',') if key.strip()]
    return MultiFernet([Fernet(key) for key in keys]) if keys else None
