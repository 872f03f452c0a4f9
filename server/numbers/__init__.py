"""Numbers: tracking numbers in pools, and which of them a lead is shown."""
