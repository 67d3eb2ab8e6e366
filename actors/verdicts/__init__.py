"""From stored results to a decided round: verdict, state transition, alert events."""
