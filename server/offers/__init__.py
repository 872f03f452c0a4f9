"""Offers: what a lead is for; data sent to one is parked for the next call."""
