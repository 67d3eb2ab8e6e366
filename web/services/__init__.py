"""Code that the services of several features share: encryption of secrets, audit events, form claims."""
