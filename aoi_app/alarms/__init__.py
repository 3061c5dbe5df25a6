"""How far the line can be trusted at this moment, and the alarms that follow from it."""
