"""Tasks of the household: generated activities, their demonstrations, and RobotHow."""
