"""The campaign on the wire: buyers and staff use the deployed local shop while the line between it and AWS fails."""
