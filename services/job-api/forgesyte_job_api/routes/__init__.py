"""The public paths of job-api, one module for each thing a client does. Never imported from below."""
