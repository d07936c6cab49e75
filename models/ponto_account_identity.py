"""Which account is which: recognize it, ask, continue where another account has stopped, follow a changed number."""

from odoo import api, fields, models
from odoo.addons.base.models.res_bank import sanitize_account_number
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..ponto.errors import PontoError
from .identity import Traits, differ, recognize
from .matching import EXACT, SAME, pair
from .messages import success
from .odoo_names import SANITIZED_NUMBER
from .ponto_transaction import DECIDED
from .problem import Problem


class PontoAccount(models.Model):
    _inherit = 'ponto.account'

    former_reference = fields.Char(
        readonly=True, copy=False, help="The number that the bank gave before. The journal may still have it."
    )

    # -------------------------------------------------------------------------
    # What is told of it
    # -------------------------------------------------------------------------

    def _identity_problems(self):
        """Return what a person should know of this account's number and connection, as a list of `Problem`."""
        return [
            *(
                [Problem('replaced', 'warning', self._replacement_sentence(), 'fetch_accounts')]
                if self.deprecated
                else []
            ),
            *(
                [Problem('maintenance', 'info', self._maintenance_sentence())]
                if self.availability == 'readonly'
                else []
            ),
            *(
                [Problem('number', 'warning', self._number_sentence(), 'use_new_number')]
                if self._has_journal_former_number()
                else []
            ),
        ]

    def _replacement_sentence(self):
        return self.env._(
            "Ponto replaces its connection to this bank. Authorize the account through the new connection at Ponto"
            " before the consent ends, then use Fetch Accounts: Odoo proposes the present journal for it."
        )

    def _maintenance_sentence(self):
        return self.env._(
            "The bank is under maintenance. Odoo reads what Ponto has. New transactions come in afterwards."
        )

    def _has_journal_former_number(self):
        former = sanitize_account_number(self.former_reference)
        return bool(former) and self.sudo().journal_id.bank_account_id[SANITIZED_NUMBER] == former

    # -------------------------------------------------------------------------
    # Recognise what Ponto lists under new ids
    # -------------------------------------------------------------------------

    def _recognize(self, integration, links, resources):
        """Return `{Ponto id: account}` of those of these accounts that surely are one of the unknown `resources`.

        :param links: `{Ponto institution id or None: ponto.link}`
        :param resources: `{Ponto id: Account}`
        """
        listed = {
            ponto_id: self._traits_of(links[resource.institution_id or None].institution_id, resource)
            for ponto_id, resource in resources.items()
        }
        content = self._content_comparison(lambda ponto_id: self._first_page(integration, ponto_id))
        # An account that has never brought anything into the books must raise no doubt about one that has.
        used = self.filtered(lambda account: account.journal_id or account.transaction_ids)
        same, questions = recognize(used._traits(), listed, content)
        left = {ponto_id: traits for ponto_id, traits in listed.items() if ponto_id not in {*same, *questions}}
        return {**same, **recognize((self - used)._traits(), left)[0]}

    def _predecessors(self):
        """Return `{account: ended accounts}`: the feeds that have ended and that each of these accounts may continue.

        With one, the account continues it or may do so. With several, a person must choose. An account that continues
        none is left out.
        """
        linked = self.sudo().search([('company_id', 'in', self.company_id.ids), ('journal_id', '!=', False)])
        ended = linked.filtered(lambda account: account._is_replaceable())
        candidates = self.filtered(lambda account: not account.deprecated)
        same, questions = recognize(
            ended._traits(),
            candidates._traits(),
            self._content_comparison(lambda account: self._first_page(account.integration_id, account.ponto_id)),
        )
        return {**{new: self.browse().union(*old) for new, old in questions.items()}, **same}

    def _twin(self):
        """Return the company's linked account, still read, that seems to be this very account; nothing if none does."""
        own = self._traits()[self]
        linked = self.sudo().search([('company_id', '=', self.company_id.id), ('journal_id', '!=', False)]) - self
        return linked.filtered(
            lambda account: (
                not account._is_replaceable()
                and account._traits()[account].kin() == own.kin()
                and own.number
                and not differ(account._traits()[account], own)
            )
        )[:1]

    def _last_day(self):
        """Return the day on which this account was read last, as the user writes it."""
        return format_date(self.env, self.last_read_at or self.bank_data_at or self.write_date)

    def _is_replaceable(self):
        """Return whether another account may take this one's place in its journal."""
        return not self._is_authorized() or self.deprecated

    def _content_comparison(self, read):
        """Return `content(account, key)` for `recognize`.

        The answer looks at the listed transactions of the time that the account's inbox covers. If the inbox knows more
        than half of them, it is the same account (True). If it knows none, it is another one (False). In between, and
        if there is nothing to compare or Ponto cannot be read, nobody knows (None).

        :param read: `read(key)` returns the newest transactions of the account that Ponto lists
        """
        pages = {}

        def content(account, key):
            if key not in pages:
                pages[key] = read(key)
            comparable, known = account._compare_content(pages[key])
            return None if not comparable else True if 2 * known > comparable else None if known else False

        return content

    @api.model
    def _first_page(self, integration, ponto_id):
        """Return the newest transactions under this id, or none if they cannot be read now."""
        try:
            return next(integration._client().iter_transaction_pages(account_id=ponto_id)).items
        except PontoError:
            return ()

    def _compare_content(self, items):
        """Return how many transactions there are to compare, and how many of them the inbox and `items` both have.

        To compare there are those of `items` that are of the time which the inbox covers; each row of the inbox stands
        for one of them at most. Without any there are the rows that are of the time which `items` cover.
        """
        own = [('account_id', '=', self.id)]
        [[first, last]] = self._inbox()._read_group(own, [], ['date:min', 'date:max'])
        listed = [self._inbox().new(self._prepare_new_vals(item)) for item in items]
        comparable = {row: row._payment() for row in listed if first and first <= (row._booking_day() or first) <= last}
        days = [day for row in listed if (day := row._booking_day())]
        if days and not comparable:
            return self._inbox().search_count([*own, ('date', '>=', min(days)), ('date', '<=', max(days))]), 0
        amounts = list({row.amount for row in comparable})
        known = {row: row._payment() for row in self._inbox().search([*own, ('amount', 'in', amounts)])}
        return len(comparable), len(pair(known, comparable, EXACT, SAME))

    def _traits(self):
        """Return `{account: Traits}`."""
        return {account: self._traits_of(account.institution_id, account) for account in self}

    @api.model
    def _traits_of(self, institution, source):
        """Return the `Traits` of an account of `institution`, from a `ponto.account` or a resource of Ponto's."""
        texts = {
            'subtype': source.subtype,
            'product': source.product,
            'description': source.description,
            'holder': source.holder_name,
            'internal_reference': source.internal_reference,
        }
        return Traits(
            number=sanitize_account_number(source.reference) or '',
            currency=(source.currency_code if isinstance(source, models.BaseModel) else source.currency) or '',
            institution=institution.id or None,
            **{name: ' '.join((text or '').split()).casefold() for name, text in texts.items()},
        )

    # -------------------------------------------------------------------------
    # Continue where another account has stopped
    # -------------------------------------------------------------------------

    def _continue(self, former):
        """Take over what `former`, whose journal this account is about to get, has brought into the inbox.

        Ponto lists these transactions under other ids now, so the next read recognizes them by their content. Rows of
        this account that nobody has decided about are deleted here. The next read brings them back, and recognizes
        them too.

        :raises UserError: `former` still receives its transactions
        """
        self.ensure_one()
        if not former._is_replaceable():
            raise UserError(
                self.env._(
                    "The journal %(journal)s receives the transactions of %(account)s. Unlink that account first, or"
                    " choose another journal.",
                    journal=former.journal_id.display_name,
                    account=former.name,
                )
            )
        inbox = self._inbox()
        own = inbox.search([('account_id', '=', self.id)])
        decided = own.filtered(lambda row: row.state in DECIDED)
        (own - decided).unlink()
        rows = inbox.search([('account_id', '=', former.id), ('ponto_id', 'not in', decided.mapped('ponto_id'))])
        former.action_unlink_journal()
        rows.account_id = self
        self.write(
            {
                'date_basis': former.date_basis,
                'time_zone': former.time_zone,
                'sweep_number': max(self.sweep_number, former.sweep_number),
            }
        )
        self._begin_sweep()
        # The journal is free before it is taken again.
        self.env.flush_all()

    # -------------------------------------------------------------------------
    # A changed number
    # -------------------------------------------------------------------------

    def _mirror(self, vals):
        """Take over `vals`, what Ponto says of this account now; tell the responsible person of another number."""
        former, number = self.reference, vals['reference']
        self._write_changes(vals)
        if former and number and sanitize_account_number(former) != sanitize_account_number(number):
            self.former_reference = former
            if self.journal_id:
                self._tell_new_number()

    def _tell_new_number(self):
        user = self.link_id._responsible()
        account = self.with_context(lang=user.lang)
        self.link_id.with_context(lang=user.lang, mail_activity_quick_update=True).activity_schedule(
            'mail.mail_activity_data_warning',
            user_id=user.id,
            summary=account.env._("The bank has changed an account number"),
            note=account._number_sentence(),
        )

    def _number_sentence(self):
        return self.env._(
            "The bank has changed the number of this account of the journal %(journal)s from %(former)s to %(number)s.",
            journal=self.journal_id.display_name,
            former=self.former_reference,
            number=self.reference,
        )

    def action_use_new_number(self):
        """Give the account's journal the number that the bank gives now."""
        self.ensure_one()
        self.check_access('write')
        self.sudo()._unarchive_bank_account()
        self.journal_id.sudo().set_bank_account(self.reference, self.institution_id._res_bank().id)
        self.sudo().former_reference = False
        return success(
            self.env._(
                "The journal %(journal)s has the account number %(number)s now.",
                journal=self.journal_id.display_name,
                number=self.reference,
            )
        )

    def _unarchive_bank_account(self):
        """Let the company have the number of this account again, which core has archived with a deleted journal.

        Core makes no second one, and refuses the journal because of the first.
        """
        self.env['res.partner.bank'].search(
            [
                ('active', '=', False),
                ('partner_id', '=', self.company_id.partner_id.id),
                (SANITIZED_NUMBER, '=', sanitize_account_number(self.reference or '')),
            ]
        ).active = True
