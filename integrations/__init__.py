"""Environments in the form that libraries of others take: `trl.environment`."""
