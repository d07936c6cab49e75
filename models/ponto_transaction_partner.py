"""Who paid or was paid: the partner of a statement line, from the counterpart's account number and name."""

from collections import defaultdict

from odoo import api, models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.tools import SQL


def _name_key(name):
    """Return a partner's name as it is compared: accents count, capitals and the number of spaces do not."""
    return ' '.join((name or '').split()).casefold()


class PontoTransaction(models.Model):
    _inherit = 'ponto.transaction'

    def _find_partners(self):
        """Return `{row: partner id}`: by counterpart account number, then by a name that only one partner has.

        A contact stands for its company. Archived partners and those of other companies are not considered.
        """
        numbers = {row: sanitize_account_number(row.counterpart_reference) for row in self}
        names = {row: _name_key(row.counterpart_name) for row in self}
        banks = self.env['res.partner.bank'].search(
            [('sanitized_acc_number', 'in', list(filter(None, numbers.values())))]
        )
        namesakes = self._namesakes(list(set(filter(None, names.values()))))
        partners = (banks.partner_id + namesakes).filtered('active').commercial_partner_id
        usable = partners.filtered_domain([('active', '=', True), *partners._check_company_domain(self.company_id)])
        by_number = self._unique(
            (bank.sanitized_acc_number, bank.partner_id.commercial_partner_id.id)
            for bank in banks
            if bank.partner_id.active and bank.partner_id.commercial_partner_id in usable
        )
        by_name = self._unique(
            (_name_key(partner.name), partner.commercial_partner_id.id)
            for partner in namesakes
            if partner.commercial_partner_id in usable
        )
        found = {row: by_number.get(numbers[row]) or by_name.get(names[row]) for row in self}
        return {row: partner for row, partner in found.items() if partner}

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

    @api.model
    def _unique(self, pairs):
        """Return `{key: value}` of the pairs whose key has one value only."""
        values = defaultdict(set)
        for key, value in pairs:
            values[key].add(value)
        return {key: next(iter(group)) for key, group in values.items() if len(group) == 1}
