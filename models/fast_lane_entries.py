"""The fast lane, as journal entries, their items and the models of analytic distribution know it (`fast_lane.py`)."""

from contextlib import contextmanager

from odoo import api, models
from odoo.tools import SQL

from .fast_lane import LANE, TIES, LeaveLane

# A journal whose entries of the same days have more kinds of names than these is numbered by core.
KINDS_OF_NAMES = 20


class AccountMove(models.Model):
    _name = 'account.move'
    _inherit = ['account.move', 'ponto.fast.lane']

    def _is_batch(self):
        """Return whether these are entries of the batch that is on the lane."""
        lane = self._lane()
        return bool(lane) and (lane.move_ids is None or lane.move_ids.issuperset(self._ids))

    @api.model_create_multi
    def create(self, vals_list):
        lane = self._lane()
        if not lane:
            return super().create(vals_list)
        if lane.move_ids is not None:
            # What another addon makes on this occasion is not of the batch.
            return super(AccountMove, self.with_context(**{LANE: False})).create(vals_list)
        if len(vals_list) != len(lane.partners):
            raise LeaveLane
        # Core writes the line's partner on each entry afterwards, when it finds that they differ.
        partners = [{'partner_id': partner.id} if partner else {} for partner in lane.partners]
        moves = super().create([{**vals, **partner} for vals, partner in zip(vals_list, partners, strict=True)])
        lane.move_ids = set(moves._ids)
        return moves

    def write(self, vals):
        if vals.keys() == TIES and len(self) == 1 and self._is_batch():
            self._lane().ties[self] = vals
            return True
        return super().write(vals)

    def _write_ties(self):
        """Write on all entries of the batch what core wants to write on each of them."""
        lane = self._lane()
        ties, lane.ties = lane.ties, {}
        moves = self.browse().union(*ties)
        line, narration = self._fields['statement_line_id'], self._fields['narration']
        with self.env.protecting([line], moves):
            for move, vals in ties.items():
                move.statement_line_id = vals['statement_line_id']
        moves.modified([line.name])
        self.env.remove_to_compute(narration, moves)
        moves.write({'name': False})

    def _post(self, soft=True):
        if self._is_batch():
            items = self.line_ids
            if items.tax_ids or items.tax_repartition_line_id:
                raise LeaveLane
            self._lane().is_untaxed = not items.tax_line_id and not items.tax_tag_ids
        return super()._post(soft)

    def _affect_tax_report(self):
        # What was posted without any tax stays without.
        return not self._is_known_untaxed() and super()._affect_tax_report()

    def _collect_tax_cash_basis_values(self):
        return None if self._is_known_untaxed() else super()._collect_tax_cash_basis_values()

    def _is_known_untaxed(self):
        return self._is_batch() and self._lane().is_untaxed

    def _inverse_company_id(self):
        """Look once whether the journal of all is the company's; core looks for each."""
        company, journal = self.company_id, self.journal_id
        if self._is_batch() and len(company) == len(journal) == 1 and self._is_of_company(journal):
            return None
        return super()._inverse_company_id()

    @contextmanager
    def _sync_dynamic_lines(self, container):
        if self._is_batch():
            yield
        else:
            with super()._sync_dynamic_lines(container):
                yield

    def _track_prepare(self, fields_iter):
        # New records are not tracked: what core notes here before they are created it drops afterwards.
        return None if self._is_batch() else super()._track_prepare(fields_iter)

    def _compute_tax_country_id(self):
        if not self._is_batch():
            return super()._compute_tax_country_id()
        # A constraint calls it by itself. Without protection, each value that it sets would be written.
        with self.env.protecting([self._fields['tax_country_id']], self):
            return super()._compute_tax_country_id()

    # -------------------------------------------------------------------------
    # Numbers
    # -------------------------------------------------------------------------

    def _compute_name(self):
        res = super()._compute_name()
        if self._is_batch():
            self.modified(['sequence_prefix', 'sequence_number'])
        return res

    def _compute_split_sequence(self):
        if not self._is_batch():
            return super()._compute_split_sequence()
        with self.env.protecting([self._fields['sequence_prefix'], self._fields['sequence_number']], self):
            return super()._compute_split_sequence()

    def _get_next_sequence_format(self):
        if not self._is_batch():
            return super()._get_next_sequence_format()
        lane = self._lane()
        previous, lane.last_numbered = lane.last_numbered, self
        period = previous and self._number_period(previous)
        if period in lane.formats:
            format_string, values = lane.formats[period]
            return format_string, dict(values)
        format_string, values = super()._get_next_sequence_format()
        if period and format_string.format(**values) == previous.name:
            lane.formats[period] = format_string, dict(values)
        return format_string, values

    def _number_period(self, previous):
        """Return the period in which the numbers of this entry's journal are counted; None where core must look it up.

        :param previous: the entry of the batch that was numbered right before
        """
        lane, journal = self._lane(), self.journal_id
        if journal not in lane.resets:
            lane.resets[journal] = previous._number_reset()
        reset = lane.resets[journal]
        return reset and (journal, *self._get_sequence_date_range(reset))

    def _number_reset(self):
        """Return when the numbers begin anew in this entry's journal, False if the batch's neighbors do not agree.

        Core takes the rule from the entry with the nearest earlier date, be it another's.
        """
        batch = self.browse(self._lane().move_ids)
        days = batch.mapped('date')
        names = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (rtrim(name, '0123456789')) name
                  FROM account_move
                 WHERE journal_id = %s AND date BETWEEN %s AND %s AND id != ALL(%s) AND name NOT IN ('', '/')
                 LIMIT %s
                """,
                self.journal_id.id,
                min(days),
                max(days),
                batch.ids,
                KINDS_OF_NAMES,
            )
        )
        names = [self.name, *(row[0] for row in names)]
        # Where something follows the number, core reads the rule out of both.
        if len(names) > KINDS_OF_NAMES or not all(name and name[-1].isdigit() for name in names):
            return False
        resets = {self._deduce_sequence_number_reset(name) for name in names}
        return len(resets) == 1 and resets.pop()


class AccountMoveLine(models.Model):
    _name = 'account.move.line'
    _inherit = ['account.move.line', 'ponto.fast.lane']

    def _is_batch(self):
        return bool(self._lane()) and self.move_id._is_batch()

    @api.model_create_multi
    def create(self, vals_list):
        lane = self._lane()
        if not lane:
            return super().create(vals_list)
        if not self.env['account.move'].browse({vals.get('move_id') for vals in vals_list})._is_batch():
            return super(AccountMoveLine, self.with_context(**{LANE: False})).create(vals_list)
        if any('partner_id' not in vals for vals in vals_list):
            # Core would find none, as it writes the entry's partner later.
            raise LeaveLane
        if lane.ties:
            next(iter(lane.ties))._write_ties()
        return super().create(vals_list)

    @contextmanager
    def _sync_invoice(self, container):
        if self._is_batch():
            yield
        else:
            with super()._sync_invoice(container):
                yield

    def _compute_totals(self):
        if not self._is_batch():
            return super()._compute_totals()
        # Without taxes both are the item's own amount. Core computes the first ones, which proves it.
        plain = self.filtered(lambda item: item.display_type == 'product' and not item.tax_ids)
        samples = plain[:2]
        super(AccountMoveLine, samples + (self - plain))._compute_totals()
        if any({item.price_subtotal, item.price_total} != {item.amount_currency} for item in samples):
            return super(AccountMoveLine, plain)._compute_totals()
        for item in plain - samples:
            item.price_subtotal = item.price_total = item.amount_currency
        return None

    def _inverse_analytic_distribution(self):
        if self._is_batch():
            # A draft without a distribution has none to merge, and no analytic items.
            self = self.filtered(lambda item: item.parent_state != 'draft' or item.analytic_distribution)  # noqa: PLW0642
        return super()._inverse_analytic_distribution()


class AccountAnalyticDistributionModel(models.Model):
    _name = 'account.analytic.distribution.model'
    _inherit = ['account.analytic.distribution.model', 'ponto.fast.lane']

    def _get_applicable_models(self, vals):
        lane = self._lane()
        if not lane:
            return super()._get_applicable_models(vals)
        if lane.has_analytic_models is None:
            lane.has_analytic_models = bool(self.search([], limit=1))
        return super()._get_applicable_models(vals) if lane.has_analytic_models else self.browse()


class ResCompany(models.Model):
    _inherit = 'res.company'

    def _get_violated_soft_lock_date(self, soft_lock_date_field, date):
        lane = self.env['ponto.fast.lane']._lane()
        if not lane:
            return super()._get_violated_soft_lock_date(soft_lock_date_field, date)
        key = self, soft_lock_date_field, date
        if key not in lane.locks:
            lane.locks[key] = super()._get_violated_soft_lock_date(soft_lock_date_field, date)
        return lane.locks[key]
