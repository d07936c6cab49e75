import os
import signal
import subprocess
from pathlib import Path

from odoo.tests import BaseCase, tagged

SCRIPTS = Path(__file__).resolve().parent.parent / 'scripts'


@tagged('post_install', '-at_install')
class TestProcesses(BaseCase):
    """What one process cannot show, in short; `scripts/stress` does it at length. Each has a database of its own."""

    def script(self, name, *arguments):
        """Run a script, which ends its processes itself and says what is wrong."""
        process = subprocess.Popen(
            [SCRIPTS / name, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            output, _nothing = process.communicate(timeout=300)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        self.assertEqual(process.returncode, 0, output)

    def test_killed_workers_leave_the_books_of_an_undisturbed_run(self):
        self.script('stress', 'kill', '--times', '4', '--accounts', '2', '--rows', '60', '--new-rows', '15')

    def test_of_processes_that_ask_for_one_account_one_reads_and_the_others_skip(self):
        self.script('stress', 'same-account', '--processes', '4', '--rounds', '1')

    def test_processes_that_create_lines_in_one_journal_give_no_number_twice(self):
        self.script('stress', 'same-journal', '--processes', '3', '--batches', '2', '--rows', '10')

    def test_processes_that_make_an_opening_line_at_the_same_moment_make_one(self):
        self.script('stress', 'opening-line', '--processes', '2')

    def test_one_worker_and_two_import_the_same_books(self):
        self.script('stress', 'lanes', '--rows', '40', '--pairs', '1')

    def test_processes_that_need_a_token_at_the_same_instant_ask_for_one_by_either_api(self):
        self.script('stress', 'token', '--rounds', '1')

    def test_an_upgrade_an_uninstallation_and_a_new_installation_leave_the_books_as_they_are(self):
        self.script('lifecycle')
