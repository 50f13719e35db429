from django.core.management.base import BaseCommand

from questions.services import closing


class Command(BaseCommand):
    help = "Close the discussions that have been silent for 30 days. Can be stopped and run again."

    def handle(self, **options):
        due = list(closing.silent_questions())
        closed = 0
        for number, question_id in enumerate(due, start=1):
            closed += closing.close_if_silent(question_id=question_id)
            if number % 100 == 0:
                self.stdout.write(f"  {number} of {len(due)}")
        self.stdout.write(f"{closed} of {len(due)} silent discussions closed")
