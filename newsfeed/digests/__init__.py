"""The digest of one member: what it says (`contents`), where that is found (`gathering`), how it reads (`writing`).

A mail lies in the inbox of a practice: it has numbers, ages and addresses of what members wrote, and no word of it.
"""
