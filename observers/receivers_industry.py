"""What firms opened, folded by the votes of members."""
