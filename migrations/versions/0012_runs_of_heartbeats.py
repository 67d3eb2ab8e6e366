"""runs of heartbeats

Revision: 0012. Two functions: running processes do not know them, and new ones call them only after the migration.
"""

from alembic import op

revision = "0012"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The start that the end of `run` belongs to; null if the newest ping of that run is itself an end. Only the newest pings
    # are searched: a job that reuses its id for years must not cost more with each ping.
    op.execute(
        """
        CREATE FUNCTION start_of_run(monitor uuid, run uuid)
        RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            RETURN (
                SELECT CASE WHEN n.kind = 'start' THEN n.received_at END FROM (
                    SELECT kind, run_id, received_at FROM heartbeat_pings
                    WHERE monitor_id = monitor ORDER BY received_at DESC LIMIT 500) n
                WHERE n.run_id = run AND n.kind <> 'log' ORDER BY n.received_at DESC LIMIT 1
            );
        END
        $$
        """
    )
    # The runs of a job overlap when they carry ids. The end of one run must not lift the time limit of the others.
    op.execute(
        """
        CREATE FUNCTION open_runs_must_end(monitor uuid, moment timestamptz, ended uuid, longest double precision)
        RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
        BEGIN
            IF longest IS NULL OR ended IS NULL THEN
                RETURN NULL;
            END IF;
            RETURN (
                SELECT min(s.received_at) + make_interval(secs => 60 * longest) FROM heartbeat_pings s
                WHERE s.monitor_id = monitor AND s.kind = 'start' AND s.run_id IS DISTINCT FROM ended
                    AND s.received_at > moment - make_interval(secs => 60 * longest) AND s.received_at <= moment
                    AND NOT EXISTS (
                        SELECT FROM heartbeat_pings e WHERE e.monitor_id = monitor AND e.received_at >= s.received_at
                            AND e.received_at <= moment AND e.id <> s.id AND (e.run_id IS NULL OR e.run_id = s.run_id)
                            AND (e.kind IN ('success', 'fail') OR e.kind = 'start' AND e.run_id IS NULL AND s.run_id IS NULL))
            );
        END
        $$
        """
    )
