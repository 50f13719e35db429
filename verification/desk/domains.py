"""Mail domains: which of them prove something."""
