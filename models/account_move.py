from odoo import models


class AccountMove(models.Model):
    _inherit = 'account.move'

    def unlink(self):
        """Let the inbox know which statement lines go: the database deletes them with their entries, past the ORM."""
        self.sudo().statement_line_ids._note_deleted()
        return super().unlink()
