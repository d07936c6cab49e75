"""The screen *Health*: the feeds with the worst problems come first."""

from odoo import api, models

SEVERITIES = ('danger', 'warning', 'info')


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    @api.model
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        """With `ponto_by_severity` in the context and no order of a person's own, sort by the worst problem.

        What is the matter is computed, so the database cannot sort by it. A company has few feeds.
        """
        if order or not self.env.context.get('ponto_by_severity'):
            return super().search_fetch(domain, field_names, offset, limit, order)
        found = self.with_context(ponto_by_severity=False).search(domain).with_env(self.env)
        page = found.sorted(lambda account: account._severity())[offset : limit and offset + limit]
        if field_names:
            page.fetch(field_names)
        return page

    def _severity(self):
        """Return the place of the worst problem in `SEVERITIES`, the last one without any problem."""
        return min((SEVERITIES.index(problem['severity']) for problem in self.problems or ()), default=len(SEVERITIES))
