"""The search in Ponto's catalogue: by name, country, BIC or account number, and with a typing error."""

import functools
import re
from difflib import get_close_matches
from pathlib import Path

from stdnum import numdb
from stdnum.iso7064 import mod_97_10

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, escape_psql

from .ponto_institution import plain

WORDS = 10
# A word that is alike to this degree is taken for a typing error: one letter of five or more.
ALIKE = 0.8
GUESSES = 10
LONGEST_GUESS = 60
IBAN = re.compile(r'[a-z]{2}\d{2}[a-z0-9]{10,30}')
LONG_BIC = re.compile(r'[a-z]{6}[a-z0-9]{5}')


@functools.cache
def _belgian_banks():
    """Return the banks of Belgium by the first digits of their accounts, as the National Bank lists them."""
    # Read by its path: below Odoo's import hooks, stdnum does not find its own data.
    with (Path(numdb.__file__).parent / 'be' / 'banks.dat').open(encoding='utf-8') as source:
        return numdb.read(source)


def bank_of_iban(text):
    """Return what a search must find for an IBAN, in small letters, or None when the text is no IBAN.

    :return: `(beginning of the bank's BIC, country code)`; the first is '' where the number does not tell the bank
    """
    number = re.sub(r'[\s.-]', '', text)
    if not IBAN.fullmatch(number) or not mod_97_10.is_valid((number[4:] + number[:4]).upper()):
        return None
    country = number[:2]
    if country == 'be':
        known = dict(_belgian_banks().info(number[4:])[0][1])
        return known.get('bic', '').replace(' ', '').lower(), country
    # Where the bank's part is four letters, these are the first of its BIC (ISO 9362).
    return (number[4:8] + country if number[4:8].isalpha() else ''), country


class PontoInstitution(models.Model):
    _inherit = 'ponto.institution'

    @api.model
    def search_catalogue(self, text='', offset=0, limit=60):
        """Return the institutions that a person can pick: those of the company's country first, then those whose name
        begins with the text.

        :param text: words that must all be in the name, BIC or country, whatever their case and accents; or an IBAN
        :return: `{'institutions': [values of a card], 'has_more': bool, 'is_empty': bool, 'is_guess': bool}`; empty
            means that there is no catalogue at all yet, a guess that only similar names were found
        """
        self.check_access('read')
        text, limit = plain(text.strip()), max(1, min(limit, 200))
        query = self._search(Domain('deprecated', '=', False) & self._domain_of_text(text))
        query.order = self._order_for(text, query)
        # One more than asked for tells whether there are more.
        query.offset, query.limit = max(0, offset), limit + 1
        found = self.browse(query)
        guesses = self._guesses(text) if not found and not offset else found.browse()
        return {
            'institutions': [institution._prepare_card_vals() for institution in (found or guesses)[:limit]],
            'has_more': len(found) > limit,
            'is_empty': not found and not self.search_count([], limit=1),
            'is_guess': bool(guesses),
        }

    def _domain_of_text(self, text):
        bank = bank_of_iban(text)
        if not bank:
            return self._domain_of_words(text.split()[:WORDS])
        bic, country = bank
        return self._domain_of_bic(bic) if bic else Domain('country_id.code', '=', country.upper())

    def _domain_of_words(self, words):
        names = {country.id: plain(country.name) for country in self.env['res.country'].search([])} if words else {}
        return Domain.AND(
            Domain('search_key', 'like', escape_psql(word))
            | Domain('country_id', 'in', [country_id for country_id, name in names.items() if word in name])
            # The last three letters of a long BIC name a branch, and catalogues mostly have the bank only.
            | (self._domain_of_bic(word[:8]) if LONG_BIC.fullmatch(word) else Domain.FALSE)
            for word in words
        )

    def _domain_of_bic(self, beginning):
        return Domain('search_key', 'like', '\t' + escape_psql(beginning))

    def _guesses(self, text):
        """Return the institutions with a name, or a word of it, that differs from the text by a typing error."""
        by_part = {}
        for institution in self.search([('deprecated', '=', False)]) if text else ():
            name = plain(institution.name)
            for part in {name, *name.split()}:
                by_part.setdefault(part, []).append(institution.id)
        parts = get_close_matches(text[:LONGEST_GUESS], by_part, n=GUESSES, cutoff=ALIKE)
        return self.browse(dict.fromkeys(number for part in parts for number in by_part[part]))

    def _order_for(self, text, query):
        own_country = SQL(
            "%s IS NOT DISTINCT FROM %s",
            self._field_to_sql(self._table, 'country_id', query),
            self.env.company.country_id.id or None,
        )
        search_key = SQL('%s COLLATE "C"', self._field_to_sql(self._table, 'search_key', query))
        begins = SQL("%s LIKE %s", search_key, escape_psql(text) + '%')
        return SQL("%s DESC, %s DESC, %s, %s", own_country, begins, search_key, SQL.identifier(self._table, 'id'))
