"""What observers do when something happened among members."""
