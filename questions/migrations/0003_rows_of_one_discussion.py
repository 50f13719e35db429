from django.db import migrations

# What belongs together in several columns is held together by foreign keys over those columns.
KEYS = [
    ("questions_vote", "vote_names_the_author", "(post_id, author_id)", "questions_post (id, author_id)"),
    (
        "questions_importance",
        "importance_names_the_asker",
        "(question_id, asker_id)",
        "questions_question (id, asker_id)",
    ),
    (
        "questions_post",
        "post_signed_by_its_author",
        "(byline_id, question_id, author_id)",
        "questions_byline (id, question_id, member_id)",
    ),
    (
        "questions_post",
        "post_under_one_of_its_discussion",
        "(parent_id, question_id)",
        "questions_post (id, question_id)",
    ),
    (
        "questions_credit",
        "credit_within_its_discussion",
        "(post_id, question_id)",
        "questions_post (id, question_id)",
    ),
]

ADD = "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY {} REFERENCES {} DEFERRABLE INITIALLY DEFERRED"
DROP = "ALTER TABLE {} DROP CONSTRAINT {}"


class Migration(migrations.Migration):
    dependencies = [("questions", "0002_known_kinds_and_masked_bylines")]

    operations = [
        migrations.RunSQL(ADD.format(table, name, columns, target), DROP.format(table, name))
        for table, name, columns, target in KEYS
    ]
