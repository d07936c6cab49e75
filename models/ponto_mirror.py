from odoo import api, models
from odoo.exceptions import AccessError


class PontoMirror(models.AbstractModel):
    """A record that mirrors something of Ponto's: the addon writes it as superuser, people only what screens let them.

    Over RPC, `readonly` alone keeps nobody with rights on a model from writing a field.
    """

    _name = 'ponto.mirror'
    _inherit = 'ponto.exported'
    _description = "Mirror of Something at Ponto"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_choices(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_choices(vals)
        return super().write(vals)

    def _check_choices(self, vals):
        """:raises AccessError: a person writes a field that no screen lets them change"""
        # A name that is no field is core's to refuse.
        known = [self._fields[name] for name in vals if name in self._fields]
        mirrored = [field for field in known if field.store and field.readonly]
        if mirrored and not self.env.su:
            raise AccessError(
                self.env._(
                    "%(fields)s: this comes from Ponto and cannot be changed here.",
                    fields=', '.join(field._description_string(self.env) for field in mirrored),
                )
            )

    def _write_changes(self, vals):
        """Write only what differs: an unchanged record is not touched at each run."""
        for record in self:
            current = record._convert_to_write({name: record[name] for name in vals})
            changed = {name: value for name, value in vals.items() if (current[name] or False) != (value or False)}
            if changed:
                record.write(changed)
