"""A camera: how it is found, described and set, and what its pixels mean."""
