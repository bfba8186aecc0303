"""HTTP intake: the routes under which devices, gateways and webhooks send what they would publish."""
