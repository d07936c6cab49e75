"""What a person is told of the runs that a click has made."""

from odoo import models

from . import messages


class PontoSynchronization(models.Model):
    _inherit = 'ponto.synchronization'

    def _notify(self, busy=None, left=None, remarks=(), next_action=None):
        """Return the notification that tells a person what these runs, just made, have brought.

        :param busy: accounts that were left alone because somebody else is fetching them
        :param left: accounts that were not begun because the person would have waited too long
        :param remarks: further sentences
        :param next_action: what follows; by default the view behind is reloaded
        """
        failed = self.filtered(lambda run: run.state == 'error')
        sentences = [
            messages.about(self.env, run.account_id.reference or run.account_id.name, run.message) for run in failed
        ]
        if busy:
            sentences.append(
                self.env._(
                    "%(accounts)s: somebody else is fetching these transactions at this moment.",
                    accounts=', '.join(account.reference or account.name for account in busy),
                )
            )
        if left:
            sentences.append(
                self.env._(
                    "%(accounts)s: not fetched yet, because the other accounts took long or somebody else is changing"
                    " the same books. Please fetch these again.",
                    accounts=', '.join(account.reference or account.name for account in left),
                )
            )
        done = self - failed
        if done:
            sentences.append(self._outcome(done))
        obstacles = done.account_id._obstacles()
        sentences += [*obstacles, *remarks]
        return (messages.failure if failed or obstacles else messages.success)('\n'.join(sentences), next_action)

    def _outcome(self, done):
        new, booked = (sum(done.mapped(name)) for name in ('new_count', 'booked_count'))
        # Not counted in the runs: what stays held is tried at each of them.
        by_state = dict(
            self.env['ponto.transaction']
            .sudo()
            ._read_group(
                [('account_id', 'in', done.account_id.ids), ('state', 'in', ('new', 'held'))], ['state'], ['__count']
            )
        )
        held, waiting = by_state.get('held'), by_state.get('new')
        sentences = [
            self.env._("New transactions: %(new)s, booked: %(booked)s.", new=new, booked=booked)
            if new or booked
            else self.env._("No new transactions.")
        ]
        if held:
            sentences.append(self.env._("To review: %(held)s.", held=held))
        if waiting:
            sentences.append(self.env._("Still being booked in the background: %(waiting)s.", waiting=waiting))
        if any(account.resume_after for account in done.account_id):
            sentences.append(self.env._("Ponto's list is long: the rest of it is read in the background."))
        return ' '.join(sentences)
