"""What the tests share that draw whole histories at random: a clock, a state to begin with, and how many they draw."""

import os
from datetime import datetime, timedelta, timezone

import freezegun
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from .common import PontoCase
from .simulator import Simulator

# To hunt for defects, name a number in the environment: each run then makes up other examples.
EXAMPLES = os.environ.get('PONTO_PROPERTY_EXAMPLES')
START = datetime(2026, 4, 15, 10, tzinfo=timezone.utc)
FAR_AHEAD = datetime(2039, 1, 1, 10, tzinfo=timezone.utc)


class DrawnHistoriesCase(PontoCase):
    def setUp(self):
        super().setUp()
        # The clock of hypothesis goes on, so that it knows when to give up looking for a shorter example.
        frozen = freezegun.api.freeze_time(START, ignore=['hypothesis'])
        self.frozen = frozen.start()
        self.addCleanup(frozen.stop)

    def draw(self, machine, examples, steps):
        """Run `machine(self)` with so many histories of at most so many steps; each begins with what is there now."""
        self.pristine = self.env.cr.savepoint()
        self.addCleanup(self.pristine.close)
        run_state_machine_as_test(
            lambda: machine(self),
            settings=settings(
                max_examples=int(EXAMPLES or examples),
                stateful_step_count=steps,
                derandomize=not EXAMPLES,
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )

    def start_over(self):
        """Put the database and the clock back, and begin with an empty simulator."""
        self.pristine.rollback()
        self.env.invalidate_all()
        type(self).simulator = Simulator()
        self.frozen.move_to(START)
        self.begin()

    def begin(self):
        """Make what each history begins with."""

    def let_days_pass(self, number, online):
        """Let so many days pass, at Ponto as well, where the accounts with the ids `online` stay authorized."""
        self.frozen.tick(timedelta(days=number))
        self.simulator.advance(days=number)
        for ponto_id in online:
            self.simulator.reauthorize(ponto_id)

    def run_years_ahead(self):
        """Let one scheduled run have a clock that is years off."""
        now = datetime.now(timezone.utc)
        self.frozen.move_to(FAR_AHEAD)
        self.run_cron()
        self.frozen.move_to(now)
