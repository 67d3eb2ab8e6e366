"""Which monitors a maintenance window holds for: the one SQL expression that every statement uses."""


def holds_for(window: str, monitor: str) -> str:
    """Return the condition for a row `window` of `maintenance_windows` and a row `monitor` of `monitors`, both aliases.

    `window` needs the columns id, project_id, tag, listed and monitor_id. A window is for a tag, or for the monitors of its
    list, or for the whole project; a list that has become empty holds for none. A window that is not `listed` and has a
    `monitor_id` comes from a process of the release before lists: it is for that monitor.
    """
    return (
        f"{window}.project_id = {monitor}.project_id"
        f" AND CASE WHEN {window}.tag IS NOT NULL THEN {window}.tag = ANY({monitor}.tags)"
        f" WHEN {window}.listed THEN EXISTS (SELECT FROM maintenance_window_monitors list"
        f" WHERE list.window_id = {window}.id AND list.monitor_id = {monitor}.id)"
        f" ELSE {window}.monitor_id IS NULL OR {window}.monitor_id = {monitor}.id END"
    )
