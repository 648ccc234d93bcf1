"""Reads a job and its rows in each format. Never changes a record, never imports submit, reconcile or a route."""
