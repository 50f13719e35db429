"""The switch that turns the questions off and on, and what the alarm saw."""
