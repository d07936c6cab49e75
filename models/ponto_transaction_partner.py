"""Who paid or was paid: the partner of a statement line, from the counterpart's account number and name."""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from .labels import account_number, clean_line
from .odoo_names import SANITIZED_NUMBER


def _name_key(name):
    """Return a partner's name as it is compared: accents count, capitals and the number of spaces do not."""
    return clean_line(name).casefold()


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _find_partners(self):
        """Return `{row: partner id}` where account number and name of the counterpart tell of one partner.

        Where both are known, the partner must have both: a number of one partner with the name of another tells
        nothing, as a payment provider pays for many from one number. Where only one is known, that decides. A contact
        stands for its company. Archived partners and those of other companies are not considered, nor is the company
        itself: some banks name its own account as the counterpart of their fees.
        """
        numbers = {row: account_number(row.counterpart_reference) for row in self}
        names = {row: _name_key(row.counterpart_name) for row in self}
        banks = self.env['res.partner.bank'].search([(SANITIZED_NUMBER, 'in', list(filter(None, numbers.values())))])
        namesakes = self._namesakes(list(set(filter(None, names.values()))))
        usable = self._usable_partners(banks.partner_id + namesakes)
        by_number, by_name = defaultdict(set), defaultdict(set)
        for bank in banks:
            by_number[bank[SANITIZED_NUMBER]] |= usable.get(bank.partner_id, set())
        for partner in namesakes:
            by_name[_name_key(partner.name)] |= usable.get(partner, set())
        found = {}
        for row in self:
            numbered, named = by_number.get(numbers[row], set()), by_name.get(names[row], set())
            partners = numbered & named if numbered and named else numbered | named
            if len(partners) == 1:
                [found[row]] = partners
        return found

    def _usable_partners(self, partners):
        """Return `{partner: {id of the company that it stands for}}` of those that may be somebody's counterpart."""
        active = partners.filtered('active')
        commercial = active.commercial_partner_id
        usable = (
            commercial.filtered_domain([('active', '=', True), *commercial._check_company_domain(self.company_id)])
            - self.company_id.partner_id.commercial_partner_id
        )
        return {
            partner: {partner.commercial_partner_id.id} for partner in active if partner.commercial_partner_id in usable
        }

    @api.model
    def _namesakes(self, names):
        """Return the active partners with one of these names, whatever is written in capitals."""
        partners = self.env['res.partner']
        if not names:
            return partners
        partners.flush_model(['name', 'active'])
        return partners.browse(
            row[0]
            for row in self.env.execute_query(
                SQL(
                    "SELECT id FROM res_partner WHERE active"
                    " AND lower(name) IN (SELECT lower(name) FROM unnest(%s) AS name)",
                    names,
                )
            )
        )


class ResPartner(models.Model):
    _inherit = 'res.partner'

    # Names may be longer than an entry of a B-tree.
    _ponto_name_idx = models.Index("USING hash (lower(name)) WHERE active")
