"""What another module has imported into a journal, seen from the bank feed that takes over.

OCA's account_statement_import_online stays installed or not; nothing of it is imported here. Its lines carry
`unique_import_id` = `<account number>-<journal id>-<Ponto id>`, without the number where the journal has none, and its
record `online.bank.statement.provider` imports as long as it is active, whatever source the journal names.
"""

from odoo import models
from odoo.addons.base.models.res_bank import sanitize_account_number

PROVIDER = 'online.bank.statement.provider'
PROVIDER_JOURNAL = 'journal_id'
IMPORT_ID = 'unique_import_id'


class AccountJournal(models.Model):
    _inherit = 'account.journal'

    def _days_with_lines(self):
        """Return the days on which this journal has statement lines."""
        lines = self.env['account.bank.statement.line'].sudo()
        groups = lines._read_group([('journal_id', 'in', self.ids)], ['date:day']) if self else []
        return [day for [day] in groups]

    def _first_imported_day(self):
        """Return the day of the first line that carries an import id of this journal; False without any."""
        lines = self.env['account.bank.statement.line'].sudo()
        if not self or IMPORT_ID not in lines._fields:
            return False
        return lines.search(
            [('journal_id', '=', self.id), (IMPORT_ID, 'like', f'{self.id}-')], order='date, id', limit=1
        ).date

    def _imported_lines(self, numbers, ponto_ids):
        """Return `{Ponto id: statement line}` for the lines of this journal that were imported under these ids.

        :param numbers: the account numbers that may stand in the import id
        """
        lines = self.env['account.bank.statement.line'].sudo()
        if IMPORT_ID not in lines._fields:
            return {}
        prefixes = ['', *(f'{sanitize_account_number(number)}-' for number in numbers if number)]
        by_import_id = {f'{prefix}{self.id}-{ponto_id}': ponto_id for prefix in prefixes for ponto_id in ponto_ids}
        found = lines.search(
            [
                ('journal_id', '=', self.id),
                (IMPORT_ID, 'in', list(by_import_id)),
                ('ponto_transaction_ids', '=', False),
                ('state', '!=', 'cancel'),
            ]
        )
        return {by_import_id[line[IMPORT_ID]]: line for line in found}

    def _active_imports(self):
        """Return the active records of OCA's module that import into these journals; None without that module."""
        if PROVIDER not in self.env:
            return None
        # Odoo's search leaves out those that are not active.
        return self.env[PROVIDER].sudo().search([(PROVIDER_JOURNAL, 'in', self.ids)])

    def _switch_off_imports(self):
        imports = self._active_imports()
        if imports:
            imports.action_archive()
