"""Models: trained, compared, chosen."""
