import hashlib
import logging
import time
from contextlib import ExitStack, contextmanager
from datetime import timezone

import psycopg2.errors

from odoo import fields, models

from ..ponto.auth import Token, utcnow
from ..ponto.errors import PontoGrantError, PontoTimeoutError
from .conversions import naive_utc
from .encryption import decrypt, encrypt
from .odoo_names import get_parameter

_logger = logging.getLogger(__name__)


class CopiedTokenError(PontoGrantError):
    """The token of a consent belongs to another database, of which this one is a copy.

    A refresh token is good once: the copy that uses it takes the original's consent away.
    """

    def __init__(self):
        super().__init__(0, 'copied_database', 'the token belongs to another database')


class TokenBusyError(PontoTimeoutError):
    """Another worker keeps the token for longer than this one may wait."""


class PontoToken(models.Model):
    """The token of one integration. Only the client reads it, and only a renewal writes it.

    The token has a row of its own. So a renewal never waits for a transaction that has changed the integration, and
    never makes that transaction fail.
    """

    _name = 'ponto.token'
    _description = "Ponto Access Token"
    _rec_name = 'integration_id'

    integration_id = fields.Many2one('ponto.integration', required=True, ondelete='cascade')
    issued_for = fields.Char(help="A digest of the credentials: a token of replaced credentials is not used.")
    access_token = fields.Char()
    refresh_token = fields.Char()
    expires_at = fields.Datetime()
    database = fields.Char(help="The database for which it was issued: a copy does not use it.")

    _integration_uniq = models.UniqueIndex('(integration_id)', "An integration has one token.")

    def _texts(self):
        """Return access token and refresh token, decrypted."""
        return decrypt(self.env, self.access_token), decrypt(self.env, self.refresh_token)

    def _write_texts(self, access_token, refresh_token, **vals):
        self.write({'access_token': encrypt(access_token), 'refresh_token': encrypt(refresh_token), **vals})


class TokenStore:
    """The `ponto.auth.TokenStore` of one integration: all workers share one token through its `ponto.token`.

    A renewal has a transaction of its own: the new token is durable before anybody uses it, whatever becomes of the
    caller's transaction. Workers that need a token at the same instant queue on the row; the first renews the token,
    the others find the fresh one.
    """

    # With REPEATABLE READ, a transaction that has waited for a changed row must start again to see it.
    ATTEMPTS = 5
    # Seconds to wait for another worker's renewal where the caller has no limit of its own. A renewal with all its
    # repetitions takes less.
    LOCK_TIMEOUT = 80

    def __init__(self, integration, credentials):
        """Serve `integration`, one record whose secrets may be read (sudo).

        :param credentials: the texts whose change makes a stored token useless
        """
        self.env = integration.env
        self.integration_id = integration.id
        self.is_consent = integration.connection == 'connect'
        self.issued_for = hashlib.sha256('\n'.join(credentials).encode()).hexdigest()
        self.token = None

    def load(self):
        """Return the shared `Token`, or None if there is none for these credentials.

        :raise CopiedTokenError: it is a consent's and belongs to the database that this one was copied from
        """
        return self.token or self._token(self._row(self.env))

    def renew(self, stale, request):
        """Return a fresh `Token`: the stored one if another worker has renewed `stale` meanwhile, else a new one.

        :param request: callable that gets the stored `Token` or None and returns a new one; called once at most, as a
            refresh token must not be sent twice
        """
        with self._locked_row() as row:
            stored = self._token(row)
            if not (stored and stored != stale and stored.is_fresh(utcnow())):
                stored = request(stored)
                self._write(row, stored)
        self.token = stored
        return stored

    def replace(self, token):
        """Store the `Token` of a new consent in place of whatever there is."""
        with self._locked_row() as row:
            self._write(row, token)
        self.token = token

    @contextmanager
    def _locked_row(self):
        """Yield the token's row, locked, in a transaction of its own that is committed at the end."""
        with ExitStack() as stack:
            for attempt in range(self.ATTEMPTS):
                cr = stack.enter_context(self.env.registry.cursor())
                try:
                    cr.execute("SET LOCAL lock_timeout = %s", [f'{self._seconds_to_wait()}s'])
                    # What it raises is expected: no error for the server's log.
                    cr.execute(
                        "SELECT id FROM ponto_token WHERE integration_id = %s FOR UPDATE",
                        [self.integration_id],
                        log_exceptions=False,
                    )
                    break
                except psycopg2.errors.SerializationFailure:
                    _logger.info("The token of Ponto integration %s was renewed elsewhere.", self.integration_id)
                    cr.rollback()
                    if attempt == self.ATTEMPTS - 1:
                        raise TokenBusyError("other workers keep renewing the access token") from None
                except psycopg2.errors.LockNotAvailable as error:
                    cr.rollback()
                    raise TokenBusyError("another worker is still renewing the access token") from error
            # If the row is not visible here, the caller's own transaction has made it, and no other worker knows it.
            yield self._row(self.env(cr=cr) if cr.rowcount else self.env)

    def _seconds_to_wait(self):
        end = self.env.context.get('ponto_end')
        return self.LOCK_TIMEOUT if end is None else max(1, round(end - time.monotonic()))

    def _write(self, row, token):
        row._write_texts(
            token.access_token,
            token.refresh_token,
            issued_for=self.issued_for,
            expires_at=naive_utc(token.expires_at),
            database=self._database(),
        )
        row.flush_recordset()

    def _database(self):
        """Return what tells this database from a copy: Odoo gives a copy another UUID, and PostgreSQL another name."""
        uuid = get_parameter(self.env, 'database.uuid')
        return f'{uuid}/{self.env.cr.dbname}'

    def _row(self, env):
        return env['ponto.token'].sudo().search([('integration_id', '=', self.integration_id)])

    def _token(self, row):
        if not row.access_token or row.issued_for != self.issued_for:
            return None
        if row.database and row.database != self._database():
            if self.is_consent:
                raise CopiedTokenError
            return None
        access_token, refresh_token = row._texts()
        return Token(
            access_token=access_token,
            expires_at=row.expires_at.replace(tzinfo=timezone.utc),
            refresh_token=refresh_token or None,
        )
