"""The log-ins of the demonstration. They work without a second factor while DEMO is on, and only they do."""

DEMO_PASSWORD = "sermo-demo-1"  # noqa: S105 - printed on the landing page of the demonstration
DEMO_LOGINS = {
    "cardio@demo.sermo.test": "Cardiologist",
    "derm@demo.sermo.test": "Dermatologist",
    "emergency@demo.sermo.test": "Emergency physician",
    "applicant@demo.sermo.test": "Applicant",
    "reviewer@demo.sermo.test": "Reviewer",
    "moderator@demo.sermo.test": "Moderator",
    "observer@demo.sermo.test": "Observer",
    "finance@demo.sermo.test": "Finance",
    "privacy@demo.sermo.test": "Privacy officer",
    "admin@demo.sermo.test": "Administrator",
}
