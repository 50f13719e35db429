"""The cases in files that firms took away before, from the log: what a seat exported belongs to its latest file.

No mail goes out for these: a firm reads which of them it must destroy on its page of exports, and staff in their list.
Cases are few beside the log, so it is led by them, post by post. Backwards nothing is undone: the table goes with 0005.
"""

from django.db import migrations

FORWARD = """
INSERT INTO observers_exportedcase (export_id, case_id)
SELECT DISTINCT file.id, post.question_id
  FROM consults_case
  JOIN questions_post post USING (question_id)
  JOIN observers_read log ON log.post_id = post.id
  JOIN LATERAL (SELECT id FROM observers_export
                 WHERE seat_id = log.seat_id AND made_at <= log.at
                 ORDER BY made_at DESC, id DESC LIMIT 1) file ON true
 WHERE log.way = 'exported'
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("observers", "0005_exported_cases")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
