"""Samples of cloth: collected, sorted, labelled."""
