"""Traffic sources: who sent the visitor, and what that means for a lead."""
