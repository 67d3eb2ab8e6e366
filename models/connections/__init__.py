"""Connection pools and circuit breakers for PostgreSQL and Redis."""
