from odoo import models

from .labels import as_text


class PontoExported(models.AbstractModel):
    """Records with texts that banks and payers have written: in an exported file they are texts, never formulas."""

    _name = 'ponto.exported'
    _description = "Texts of Others, Exported"

    def export_data(self, fields_to_export):
        """Core guards CSV alone: in its workbooks, what begins with an equals sign is a formula."""
        exported = super().export_data(fields_to_export)
        exported['datas'] = [
            [as_text(value) if isinstance(value, str) else value for value in row] for row in exported.get('datas', [])
        ]
        return exported
