"""From the request to the pending record: upload, probe, options, limits. Never imports reconcile or a route."""
